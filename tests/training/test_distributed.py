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
    rows = [pair for pair in pairs if [turn["role"] for turn in pair] == ["customer", "agent"]][:90]
    files = {
        "answers": [{"id": n, "text": turns[1]["text"]} for n, turns in enumerate(rows)],
        "train": [{"id": n, "question": turns[0]["text"], "answers": [n]} for n, turns in enumerate(rows)],
    }
    for name, lines in files.items():
        write_rows(tmp_path / "data" / f"{name}.jsonl.gz", lines)
    return tmp_path / "data"


SCRIPT = """
import functools, itertools, os, sys
import torch
from safetensors.torch import save_file

torch.cpu._is_avx512_bf16_supported = torch.cpu._is_amx_tile_supported = lambda: False
import training.__main__ as script
import training.dataset_training as dataset_training
import training.examples as examples, training.reranker_training as reranker_training

dataset_training.fine_tune_encoder = functools.partial(dataset_training.fine_tune_encoder, with_questions=True)
examples.LEAST_EXAMPLES, examples.LEAST_HELD_OUT = 5, 2
measured, gradients, clip = itertools.count(), {}, torch.nn.utils.clip_grad_norm_


def clip_and_keep(parameters, most):
    found = [torch.zeros_like(one) if one.grad is None else one.grad for one in parameters]
    gradients[f"{len(gradients):03}"] = torch.cat([one.flatten()[::97] for one in found])
    return clip(parameters, most)


reranker_training.mean_reciprocal_rank = lambda ranks: float(next(measured))
torch.nn.utils.clip_grad_norm_ = clip_and_keep
status = script.main()
if os.environ.get("RANK", "0") == "0":
    save_file(gradients, os.environ["GRADIENTS"])
sys.exit(status)
"""
"""The retraining script in full precision, so that only what is wrong makes a difference.

- The encoder learns from past questions as well, as on a desk.
- It is satisfied with few examples: the test is short, and the steps are as many as tell.
- The last epoch is the best: it is the one that is saved.
- A part of every step's gradient is kept as it was before it was clipped. Neither clipping nor Adam would let a
  gradient of another length be seen in the weights.
"""


def trained(data: Path, save: Path, *launcher: str) -> subprocess.CompletedProcess[str]:
    options = ["--encoder-epochs", "1", "--epochs", "1", "--batch-size", "5", "--learning-rate", "2e-4"]
    script = data.with_name("script.py")
    script.write_text(SCRIPT, encoding="utf-8")
    kept = str(save.with_suffix(".gradients"))
    return launched(*launcher, str(script), "--dataset", str(data), "--save", str(save), *options, GRADIENTS=kept)


def launched(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        # Without GPUs, of which there may be one: two processes need two.
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
            "CUDA_VISIBLE_DEVICES": "",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


PARTED = """
import os, sys
from datetime import timedelta
from pathlib import Path
import torch
from ranking_fixtures import judged_example, tiny_reranker, tiny_source
import training.distributed as distributed, training.reranker_training as reranker_training
from training.reranker_training import RerankerSettings, train_reranker
from training.same_run import digest, digest_of_weights

distributed.PATIENCE = timedelta(seconds=40)
directory, lost = Path(sys.argv[1]), int(sys.argv[2])
own = directory / os.environ["RANK"]
own.mkdir()
source, drawn, metrics = tiny_source(own), [], iter(range(99))
examples = [judged_example(tiny_reranker(seed=5), source, seed, agrees=True) for seed in range(24)]
settings = RerankerSettings(
    epochs=4, learning_rate=0.02, batch_size=8, candidates=4, patience=2, refresh_negatives=True
)
sample_rows, scores_of = reranker_training.sample_rows, reranker_training.scores_of
batches, clip = reranker_training._Lesson.batches, torch.nn.utils.clip_grad_norm_
direction = -1.0 if os.environ["RANK"] == "1" else 1.0


def sample_and_keep(*told):
    drawn.append(sample_rows(*told))
    return drawn[-1]


reranker_training.sample_rows = sample_and_keep
reranker_training.mean_reciprocal_rank = lambda ranks: direction * next(metrics)
reranker_training.scores_of = lambda *told: direction * scores_of(*told)
reranker_training._Lesson.batches = lambda lesson, generator: batches(lesson, generator)[:: int(direction)]
torch.nn.utils.clip_grad_norm_ = lambda parameters, most: clip(parameters, most * (1.0 + direction / 100))
if direction < 0 and lost:
    examples[3].answer_ids.pop(), examples[3].question_ids.pop()
    examples[3].signals, examples[3].right = examples[3].signals[:-1], examples[3].right[:-1]
with distributed.joined():
    reranker = tiny_reranker()
    train_reranker(reranker, examples, examples, settings, directory / "work")
    said = f"{len(drawn)} drawn: {digest(map(str, drawn))}, {digest_of_weights(reranker)}\\n"
    os.write(1, said.encode())  # at once: lines stay whole
"""
"""Trains a tiny reranker in two processes that round differently, to say the least.

In the second one the metric falls while it rises in the first, hard candidates look easy, batches come in another
order, and gradients are clipped at another length; where `lost`, one of its candidates was not served.
"""


def parted(directory: Path, lost: int = 0) -> subprocess.CompletedProcess[str]:
    (directory / "parted.py").write_text(PARTED, encoding="utf-8")
    fixtures = os.pathsep.join((str(ROOT), str(Path(__file__).parent)))
    return launched(*TWO, str(directory / "parted.py"), str(directory), str(lost), PYTHONPATH=fixtures)


def test_processes_that_compute_differently_do_not_part(tmp_path):
    done = parted(tmp_path)
    assert done.returncode == 0, done.stderr
    one, other = done.stdout.splitlines()
    assert one == other
    assert one.startswith("96 drawn"), "four epochs, as the first process saw the metric rise"


def test_processes_that_were_served_differently_are_told_so(tmp_path):
    done = parted(tmp_path, lost=1)
    assert done.returncode != 0
    assert "different candidates to train on" in done.stderr


LATE = """
import os, sys, time
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
    os.write(1, f"the mean of both is {distributed.mean_of(rank, 'cpu')}\\n".encode())  # at once: lines stay whole
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
    files = {"encoder": model / "encoder" / "model.safetensors", "reranker": model / "model.safetensors"}
    loaded = [(part, load_file(path)) for part, path in files.items()]
    return {f"{part}.{name}": value.double() for part, of_part in loaded for name, value in of_part.items()}


def apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], part: str) -> float:
    """How far two models lie from each other in one of their parts; what the other lacks counts as zero there."""
    between = [one[name] - other.get(name, 0.0) for name in one if name.startswith(part)]
    return float(torch.cat([values.flatten() for values in between]).norm())


def test_two_processes_train_what_one_would(data, tmp_path):
    alone = trained(data, tmp_path / "alone")
    together = trained(data, tmp_path / "together", *TWO)
    assert alone.returncode == 0, alone.stderr
    assert together.returncode == 0, together.stderr
    assert json.loads(together.stdout)["model"] == str(tmp_path / "together"), "one process reports"

    gradients, same = (load_file(tmp_path / f"{name}.gradients") for name in ("alone", "together"))
    assert gradients.keys() == same.keys()
    for step, gradient in gradients.items():
        # What the reranker reads is rounded to int8, here and there the other way.
        assert (same[step] - gradient).norm() < 0.02 * gradient.norm(), step

    one, two = weights(tmp_path / "alone"), weights(tmp_path / "together")
    published = load_file(bundled_path() / "model.safetensors")
    start = one | {f"encoder.{name}": value.double() for name, value in published.items()}
    # A weight whose gradient is zero but for rounding moves all the same under Adam, either way.
    assert apart(one, two, "encoder") < 0.02 * apart(one, start, "encoder")
    for layer in ("score_out", "recency", "speaker", "segment", "part_weights"):
        moved = apart(one, {}, f"reranker.{layer}")
        assert moved > 0 and apart(one, two, f"reranker.{layer}") < 0.2 * moved, f"{layer}, which started at zero"
