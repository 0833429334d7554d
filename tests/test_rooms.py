"""The house rules: rooms import only leftwards, the top level stays small, the command line stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("conversations", "index", "training", "bot")
TOP_LEVEL = {*ROOMS, "tests", "pyproject.toml", "README.md", "Makefile", "LICENSE", "constraints.txt"}
MADE_BY_TOOLS = {"build", "dist", "__pycache__"}


def imported_rooms(source):
    """Rooms that a module imports anywhere in it, functions included."""
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            assert node.level == 0, "imports are written in full"
        yield from (name.split(".")[0] for name in names if name.split(".")[0] in ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_from_their_left(room):
    allowed = ROOMS[: ROOMS.index(room) + 1]
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    for path in files:
        wrong = set(imported_rooms(path.read_text(encoding="utf-8"))) - set(allowed)
        assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


def test_imports_are_found_wherever_they_stand():
    source = "import os\ndef f():\n    from bot.cli import main\nif x:\n    import index.fusion as y\n"
    assert sorted(imported_rooms(source)) == ["bot", "index"]


def test_the_top_level_holds_nothing_without_need():
    entries = {
        path.name
        for path in ROOT.iterdir()
        if not path.name.startswith(".") and path.name not in MADE_BY_TOOLS and path.suffix != ".egg-info"
    }
    assert entries <= TOP_LEVEL


def test_no_file_is_longer_than_300_lines():
    for room in (*ROOMS, "tests"):
        for path in (ROOT / room).rglob("*.py"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path


@pytest.mark.parametrize(
    "arguments", [["--help"], ["chat", "--help"], ["assist", "--help"], ["train", "--help"], ["ask", ""]]
)
def test_help_and_wrong_usage_load_nothing_heavy(arguments):
    program = (
        "import sys\nfrom bot.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "finally:\n    print('LOADED', *{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    loaded = set(done.stdout.rsplit("LOADED", 1)[1].split())
    heavy = {"torch", "transformers", "sentence_transformers", "numpy", "faiss", "rich", "prompt_toolkit"}
    assert not loaded & heavy
    assert "click" in loaded
