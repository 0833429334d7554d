"""Training the reranker: one softmax over each dialogue's candidates, whose mass the right ones are to gain."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from index.encoder_loading import default_device, default_precision
from training.encoder_training import multi_positive_loss
from training.examples import Example, sample_rows, unpack
from training.loop import LoopSettings, Progress, train_loop
from training.metrics import mean_reciprocal_rank, rank_of_right
from training.reranker import Reranker

MOST_MEASURED = 400
"""Held-out examples ranked after each epoch, evenly from all: enough to choose an epoch by."""


@dataclass(frozen=True)
class RerankerSettings:
    """How the reranker is trained."""

    epochs: int = 3
    learning_rate: float = 2e-4
    block_rate: float = 0.2
    """Factor on the learning rate of the blocks, which start trained; the new layers use the full rate."""
    batch_size: int = 16
    candidates: int = 10
    """Candidates of an example in one step; the right ones are always among them."""
    retrieval_dropout: float = 0.3
    """Share of the examples trained without the retrieval score, so that attention learns to stand alone."""
    patience: int = 2
    """Epochs without a better held-out MRR before stopping."""
    seed: int = 13


def train_reranker(
    reranker: Reranker,
    examples: Sequence[Example],
    held_out: Sequence[Example],
    settings: RerankerSettings,
    checkpoint: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> None:
    """Trains in place and leaves the weights of the best epoch by held-out MRR (the start counts as an epoch).

    Args:
        reranker: float32.
        examples: to train on.
        held_out: to measure on after every epoch; from other conversations.
        settings: see `RerankerSettings`.
        checkpoint: directory for resuming after a kill.
        on_progress: called after every step and every epoch.
    """
    device = default_device()
    reranker.to(device).float()
    fast = default_precision(device) == "bfloat16"
    measured = held_out[:: max(1, len(held_out) // MOST_MEASURED)]

    def scores(example: Example, rows: list[int] | None, keep_retrieval: bool = True) -> tuple[Tensor, Tensor]:
        dialogue, candidates, right = unpack(example, rows, reranker, device, torch.float32)
        with torch.autocast(device.split(":")[0], torch.bfloat16, enabled=fast):
            return reranker(dialogue, candidates, keep_retrieval), right

    def batches(generator: random.Random) -> list[list[int]]:
        order = list(range(len(examples)))
        generator.shuffle(order)
        return [order[i : i + settings.batch_size] for i in range(0, len(order), settings.batch_size)]

    def loss_of(batch: list[int]) -> Tensor:
        # Seeded by torch's generator, which the loop seeds by step: a resumed run draws the same.
        generator = random.Random(int(torch.randint(1 << 30, ()).item()))
        losses = []
        for row in batch:
            rows = sample_rows(examples[row], settings.candidates, generator)
            logits, right = scores(examples[row], rows, generator.random() >= settings.retrieval_dropout)
            losses.append(multi_positive_loss(logits[None], right[None]))
        return torch.stack(losses).mean()

    def held_out_mrr() -> float:
        reranker.eval()
        with torch.inference_mode():
            found = [
                rank_of_right(logits.cpu().numpy(), right.cpu().numpy())
                for logits, right in (scores(example, None) for example in measured)
            ]
        reranker.train()
        return mean_reciprocal_rank(found)

    best = _Best.kept(checkpoint) or _Best(checkpoint)
    if best.weights is None:
        best.offer(reranker, held_out_mrr(), -1)

    def after_epoch(epoch: int) -> tuple[float, bool]:
        metric = held_out_mrr()
        best.offer(reranker, metric, epoch)
        return metric, epoch - best.epoch >= settings.patience

    block_parameters = list(reranker.blocks.parameters())
    in_blocks = {id(parameter) for parameter in block_parameters}
    others = [parameter for parameter in reranker.parameters() if id(parameter) not in in_blocks]
    loop_settings = LoopSettings(settings.epochs, settings.learning_rate, seed=settings.seed)
    reranker.train()
    train_loop(
        "reranker",
        reranker,
        [(others, 1.0), (block_parameters, settings.block_rate)],
        batches,
        loss_of,
        loop_settings,
        checkpoint,
        on_progress,
        after_epoch,
    )
    reranker.load_state_dict(best.weights or {})
    reranker.eval()


class _Best:
    """The weights of the best epoch so far, kept beside the checkpoints so that a resumed run still has them."""

    def __init__(self, directory: Path | None) -> None:
        self._path = directory / "best.checkpoint" if directory else None
        self.weights: dict[str, Tensor] | None = None
        self.mrr, self.epoch = -1.0, -1

    @classmethod
    def kept(cls, directory: Path | None) -> Self | None:
        """What a killed run left behind, if it is whole."""
        best = cls(directory)
        if best._path is None or not best._path.is_file():
            return None
        try:
            best.weights = load_file(best._path)
            with safe_open(best._path, "pt") as opened:
                said = opened.metadata()
            best.mrr, best.epoch = float(said["mrr"]), int(said["epoch"])
        except (OSError, KeyError, ValueError, SafetensorError):
            return None
        return best

    def offer(self, reranker: Reranker, mrr: float, epoch: int) -> None:
        if mrr <= self.mrr:
            return
        self.mrr, self.epoch = mrr, epoch
        self.weights = {name: value.detach().cpu().clone() for name, value in reranker.state_dict().items()}
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside = self._path.with_suffix(".tmp")
            save_file(self.weights, beside, {"mrr": repr(mrr), "epoch": str(epoch)})
            beside.replace(self._path)
