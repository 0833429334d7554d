# Plain `make` lists the targets. The first one that needs it makes the environment in .venv.

PYTHON ?= python3
EXTRA ?= cpu
WORKERS ?= 2
export PIP_NO_INPUT = 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help chat test lint fix bench pictures clean
.DELETE_ON_ERROR:

help: ## list the targets
	@echo "Attendant. Targets:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST))
	@echo "Settings: PYTHON=python3.12 (3.11 or later), EXTRA=gpu (FAISS for an NVIDIA GPU instead of the CPU), WORKERS=4 (processes that test)."

chat: .venv/.installed ## install, prepare the sample desk, open the chat
	@.venv/bin/attendant import --sample --desk sample
	@.venv/bin/attendant chat --desk sample

test: .venv/.installed ## run the tests
	@OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n $(WORKERS) --dist loadfile

lint: .venv/.installed ## check style and types
	@.venv/bin/ruff check .
	@.venv/bin/mypy

fix: .venv/.installed ## mend what ruff can mend by itself
	@.venv/bin/ruff check --fix .

bench: .venv/.installed ## measure speed and memory
	@.venv/bin/python -m pytest -o addopts= -s -m "not gpu" tests/benchmarks

pictures: .venv/.installed ## draw the README's pictures from real sessions
	@.venv/bin/python tests/pictures.py

clean: ## remove the environment and all caches; desks stay
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON). Install Python 3.11 or later, or name one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old: Attendant needs 3.11 or later. Name one: make PYTHON=python3.12"; exit 1; }
	@echo "Making the environment in .venv (once; some minutes)"
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@.venv/bin/python -m pip install -c constraints.txt -e '.[$(EXTRA),dev]'
	@touch $@
