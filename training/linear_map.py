"""A learned linear map on frozen sentence vectors: the cheapest thing that training can do, and so the bar to beat.

The score of an answer is the cosine of the mapped question and the answer, cos(W q, a). The map starts as the
identity, so that an untrained one ranks as cosine does, and is trained with the other answers of the batch as
negatives (Henderson et al. 2017, "Efficient Natural Language Response Suggestion for Smart Reply").
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from conversations.errors import ModelError, TrainingError
from index.embedder import Embedder
from training.datasets import Query, load_task
from training.encoded_answers import vectors_of
from training.encoder_training import SCALE
from training.loop import LoopSettings, Progress, counter, train_loop
from training.losses import listwise_softmax
from training.metrics import mean_reciprocal_rank, rank_of_right
from training.saving import check_place
from training.splits import split_queries

Floats = npt.NDArray[np.float32]
KIND = "attendant linear map"
BATCH = 256
MOST_EPOCHS = 20
PATIENCE = 2
LEARNING_RATE = 3e-4


class LinearMap(nn.Module):
    """W, from the space of questions into the space of answers."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(dimension))

    def forward(self, questions: Tensor) -> Tensor:
        """(questions, dimension) -> the same shape, each of length 1."""
        return nn.functional.normalize(questions @ self.weight.T, dim=-1)

    def map(self, vector: Floats) -> Floats:
        """One question's vector, mapped: (dimension,)."""
        with torch.inference_mode():
            return np.asarray(self(torch.from_numpy(vector)[None])[0].numpy(), dtype=np.float32)


def train_linear_map(
    directory: Path,
    save: Path,
    seed: int = 13,
    limit: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> dict[str, Any]:
    """Trains a map on the `train` split, stopped by held-out MRR, and writes it as one safetensors file.

    Args:
        directory: a data set, see `training.datasets.load_task`.
        save: the file to write.
        seed: of the order of the batches and the split.
        limit: at most so many queries.
        on_progress: called after every step.

    Returns:
        `examples`, and the held-out MRR over the held-out answers, `before` (cosine) and `after`.

    Raises:
        TrainingError: no query has a right answer.
        ModelError: something else is at `save`.
    """
    check_place(save, "linear map", _is_linear_map)
    report = on_progress or (lambda _: None)
    task = load_task(directory, "train")
    train, held_out = split_queries(task.queries, seed, limit)
    if not train or not held_out:
        raise TrainingError(f"{directory} has too few queries with a right answer.", "Use a larger data set.")
    embedder = Embedder()
    report(Progress("embedding questions", 0, 1))
    asked = torch.from_numpy(embedder.encode_dialogues([query.dialogue for query in [*train, *held_out]]))
    needed = sorted({row for query in [*train, *held_out] for row in query.right})
    answers = torch.from_numpy(vectors_of(task.answers, needed, embedder, counter("embedding answers", report)))
    model = LinearMap(embedder.dimension)
    best = (_held_out_mrr(model, asked[len(train) :], held_out, answers), -1, model.weight.detach().clone())
    before = best[0]

    def batches(generator: random.Random) -> list[list[int]]:
        order = list(range(len(train)))
        generator.shuffle(order)
        return [order[begin : begin + BATCH] for begin in range(0, len(order), BATCH)]

    def loss_of(rows: list[int]) -> Tensor:
        own = [random.Random(row).choice(sorted(train[row].right)) for row in rows]
        columns = sorted(set(own))
        right = torch.tensor([[column in train[row].right for column in columns] for row in rows])
        return listwise_softmax(SCALE * model(asked[rows]) @ answers[columns].T, right).mean()

    def after_epoch(epoch: int) -> tuple[float, bool]:
        nonlocal best
        mrr = _held_out_mrr(model, asked[len(train) :], held_out, answers)
        if mrr > best[0]:
            best = (mrr, epoch, model.weight.detach().clone())
        return mrr, epoch - best[1] >= PATIENCE

    settings = LoopSettings(MOST_EPOCHS, LEARNING_RATE, seed=seed)
    train_loop(
        "linear map", model, [([model.weight], 1.0)], batches, loss_of, settings, None, on_progress, after_epoch
    )
    save.parent.mkdir(parents=True, exist_ok=True)
    beside = save.with_name(save.name + ".tmp")
    facts = {"kind": KIND, "encoder": embedder.identity, "trained_on": task.name}
    save_file({"weight": best[2]}, beside, {name: json.dumps(value) for name, value in facts.items()})
    beside.replace(save)
    return {"examples": len(train), "before": before, "after": best[0]}


def load_linear_map(path: Path, encoder: str, dimension: int) -> LinearMap:
    """Reads a map.

    Args:
        path: the file.
        encoder: identity of the encoder whose vectors it is to map.
        dimension: of these.

    Raises:
        ModelError: missing, damaged, or made for another encoder or dimension.
    """
    try:
        facts, weight = _read(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelError(
            f"The linear map {path} cannot be read.", "Train it again: attendant train --kind linear-map."
        ) from error
    if facts.get("kind") != KIND or facts.get("encoder") != encoder:
        raise ModelError(
            f"{path} is no linear map for the encoder {encoder}.", "Train one: attendant train --kind linear-map."
        )
    if tuple(weight.shape) != (dimension, dimension):
        shape = " by ".join(str(size) for size in weight.shape)
        raise ModelError(
            f"The linear map in {path} is {shape}, and the encoder's vectors have {dimension} numbers.",
            "Train it again: attendant train --kind linear-map.",
        )
    model = LinearMap(dimension)
    model.load_state_dict({"weight": weight.float()})
    return model


def _read(path: Path) -> tuple[dict[str, Any], Tensor]:
    with safe_open(path, "pt") as opened:
        facts = {name: json.loads(value) for name, value in (opened.metadata() or {}).items()}
        return facts, opened.get_tensor("weight")


def _is_linear_map(path: Path) -> bool:
    try:
        return _read(path)[0].get("kind") == KIND
    except (OSError, ValueError, SafetensorError):
        return False


def _held_out_mrr(model: LinearMap, asked: Tensor, queries: list[Query], answers: Tensor) -> float:
    """MRR over the right answers of all held-out queries."""
    columns = sorted({row for query in queries for row in query.right})
    with torch.inference_mode():
        scores = (model(asked) @ answers[columns].T).numpy()
    return mean_reciprocal_rank(
        [
            rank_of_right(row, np.array([column in query.right for column in columns]))
            for row, query in zip(scores, queries, strict=True)
        ]
    )
