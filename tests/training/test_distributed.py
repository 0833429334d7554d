"""Two processes train what one would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from ranking_fixtures import write_rows
from safetensors.torch import load_file

from conversations.desk import Desk
from conversations.importing import import_logs
from index.encoder_loading import bundled_path

ROOT = Path(__file__).resolve().parents[2]
TWO = ("-m", "torch.distributed.run", "--nproc-per-node", "2")
SAMPLE = ROOT / "conversations" / "sample" / "past.jsonl"


@pytest.fixture
def data(tmp_path):
    logged = [json.loads(line)["turns"] for line in SAMPLE.open(encoding="utf-8")]
    pairs = [pair for turns in logged for pair in pairwise(turns)]
    rows = [pair for pair in pairs if [turn["role"] for turn in pair] == ["customer", "agent"]][:130]
    files = {
        "answers": [{"id": n, "text": turns[1]["text"]} for n, turns in enumerate(rows)],
        "train": [{"id": n, "question": turns[0]["text"], "answers": [n]} for n, turns in enumerate(rows)],
    }
    for name, lines in files.items():
        write_rows(tmp_path / "data" / f"{name}.jsonl.gz", lines)
    return tmp_path / "data"


SCRIPT = """
import sys
import training.__main__ as script, training.dataset_training as dataset_training
dataset_training.LEAST_EXAMPLES, dataset_training.LEAST_HELD_OUT = 10, 5
sys.exit(script.main())
"""
"""The retraining script, satisfied with fewer examples: the test is short, and the steps are as many as tell."""


def trained(data: Path, save: Path, *launcher: str) -> subprocess.CompletedProcess[str]:
    options = ["--encoder-epochs", "1", "--epochs", "1", "--batch-size", "5", "--learning-rate", "2e-4"]
    script = data.with_name("script.py")
    script.write_text(SCRIPT, encoding="utf-8")
    return launched(*launcher, str(script), "--dataset", str(data), "--save", str(save), *options)


def launched(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


LATE = """
import sys, time
from datetime import timedelta
from pathlib import Path
import training.distributed as distributed
from conversations.desk import Desk
from conversations.errors import IndexDamaged
from index.builder import index_directory
from index.embedder import Embedder
from index.retriever import Retriever
from training.desk_data import OpenDesk

distributed.PATIENCE = timedelta(seconds=40)
desk, encoder = Desk.open(Path(sys.argv[1]), "shop"), Embedder().identity


def is_there():
    with desk.store() as store:
        try:
            Retriever(index_directory(desk.index_path, encoder), store, encoder).close()
        except IndexDamaged:
            return False
        return True


with distributed.joined():
    rank = float(not distributed.is_first())
    while rank and not is_there():
        time.sleep(0.1)
    OpenDesk.open(desk).close()
    print("the mean of both is", distributed.mean_of(rank, "cpu"))
"""
"""Opens a desk without an index in two processes, the second of which comes when the first has made it."""


def test_a_process_that_comes_late_still_meets_the_others(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text("".join(SAMPLE.open(encoding="utf-8").readlines()[:6]), encoding="utf-8")
    desk = Desk.create(tmp_path, "shop")
    with desk.writing(), desk.store() as store:
        import_logs(store, [log], redact=False, rejects_dir=desk.rejects_path)
    (tmp_path / "late.py").write_text(LATE, encoding="utf-8")
    done = launched(*TWO, str(tmp_path / "late.py"), str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the mean of both is 0.5") == 2


def weights(model: Path) -> dict[str, torch.Tensor]:
    files = (model / "model.safetensors", model / "encoder" / "model.safetensors")
    return {f"{path.parent.name}.{name}": value.double() for path in files for name, value in load_file(path).items()}


def test_two_processes_train_what_one_would(data, tmp_path):
    alone = trained(data, tmp_path / "alone")
    together = trained(data, tmp_path / "together", *TWO)
    assert alone.returncode == 0, alone.stderr
    assert together.returncode == 0, together.stderr
    assert json.loads(together.stdout)["model"] == str(tmp_path / "together"), "one process reports"
    one, two = weights(tmp_path / "alone"), weights(tmp_path / "together")
    published = load_file(bundled_path() / "model.safetensors")
    start = {f"encoder.{name}": value.double() for name, value in published.items()}
    moved = sum(float((one[name] - start[name]).square().sum()) for name in start if name in one)
    apart = sum(float((one[name] - two[name]).square().sum()) for name in one if name.startswith("encoder."))
    assert moved > 0
    # bf16 adds up in another order where fewer rows go through at once.
    assert apart < 0.02 * moved
