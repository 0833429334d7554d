"""Training the reranker on lists of candidates: all lists of a batch go through it at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from index.encoder_loading import default_device, fast_arithmetic
from training.batching import batches_of_like_length, step_generator
from training.distributed import from_first, own_share, part_of_mean, require_same
from training.examples import Example, digest_of_examples, evenly, sample_rows, unpack
from training.loop import LoopSettings, Progress, train_loop
from training.losses import DISTILLATIONS, LOSSES, padded
from training.metrics import mean_reciprocal_rank, rank_of_right
from training.reranker import Reranker
from training.resuming import Best, HardestFirst
from training.same_run import digest_of_weights, keep_only_same_run
from training.splits import share_of

EPOCH_SHARE = 0.1
"""Share of the training conversations that the best epoch is chosen by."""
LEAST_TO_CHOOSE_BY = 100
"""Examples of these below which they train as well, and the epoch is chosen on the held-out ones."""
MOST_MEASURED = 400
"""Held-out examples that are ranked after each epoch at most, evenly from all: enough to choose an epoch by."""


@dataclass(frozen=True)
class RerankerSettings:
    """How the reranker is trained."""

    epochs: int = 3
    learning_rate: float = 2e-4
    block_rate: float = 0.2
    """Factor on the learning rate of the blocks, which start trained; the new layers use the full rate."""
    batch_size: int = 16
    candidates: int = 10
    """Candidates of an example in one step; up to four right ones and all that were turned down are always among
    them, even if these are more."""
    retrieval_dropout: float = 0.3
    """Share of the examples trained without the retrieval score, so that attention learns to stand alone."""
    patience: int = 2
    """Epochs without a better held-out MRR before stopping."""
    seed: int = 13
    loss: str = "listwise"
    """One of `training.losses.LOSSES`."""
    distillation: str = "kl"
    """One of `training.losses.DISTILLATIONS`; used where the examples bring a teacher's scores."""
    teacher_share: float = 0.5
    """Weight of the distillation; the rest is for the right answers."""
    perturbation: float = 0.0
    """Length of the push against a dialogue's states, as a share of theirs, under which it is trained once more."""
    refresh_negatives: bool = False
    """Choose the hardest negatives anew after every epoch, by the reranker itself instead of by retrieval."""
    accumulate: int = 1
    """Parts that a batch is worked on in, where it does not fit into memory."""


def to_choose_by(examples: list[Example], held_out: list[Example]) -> tuple[list[Example], list[Example]]:
    """The examples to train on, and those to choose the best epoch by: a part of them where there are enough.

    Chosen on the held-out ones, it would have luck there that whoever judges by them takes for merit.

    Args:
        examples: to train on.
        held_out: that judge the model.
    """
    train: list[Example] = []
    chosen_by: list[Example] = []
    for one in examples:
        (chosen_by if one.is_answered and share_of(one.group, "epoch") < EPOCH_SHARE else train).append(one)
    return (examples, held_out) if len(chosen_by) < LEAST_TO_CHOOSE_BY else (train, chosen_by)


def train_reranker(
    reranker: Reranker,
    examples: Sequence[Example],
    held_out: Sequence[Example],
    settings: RerankerSettings,
    checkpoint: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> int:
    """Trains in place and leaves the weights of the best epoch by held-out MRR (the start counts as an epoch).

    Args:
        reranker: float32.
        examples: to train on.
        held_out: to measure on after every epoch; from other conversations.
        settings: see `RerankerSettings`.
        checkpoint: directory of its own for resuming after a kill; what another training left there is deleted.
        on_progress: called after every step and every epoch.

    Returns:
        The best epoch, counted from 1; 0 for the start.

    Raises:
        TrainingError: the loss is not a number, there is nothing to train on, or several processes were given
            different candidates.
    """
    reranker.to(default_device()).float()
    if checkpoint is not None:
        run = {
            "settings": asdict(settings),
            "shape": asdict(reranker.config),
            "start": digest_of_weights(reranker),
            "examples": digest_of_examples(examples),
            "held out": digest_of_examples(held_out),
        }
        keep_only_same_run(checkpoint, run)
    lesson = _Lesson(reranker, examples, settings, checkpoint)
    measured = evenly(held_out, MOST_MEASURED)

    def held_out_mrr() -> float:
        reranker.eval()
        scored = (scores_of(reranker, example) for example in measured)
        ranks = [rank_of_right(scores, example.right) for scores, example in zip(scored, measured, strict=True)]
        reranker.train()
        return from_first(mean_reciprocal_rank(ranks))

    best = Best.kept(checkpoint) or Best(checkpoint)
    if best.weights is None:
        best.offer(reranker, held_out_mrr(), -1)

    def after_epoch(epoch: int) -> tuple[float, bool]:
        metric = held_out_mrr()
        best.offer(reranker, metric, epoch)
        stop = epoch - best.epoch >= settings.patience
        if settings.refresh_negatives and not stop and epoch + 1 < settings.epochs:
            lesson.refresh_negatives(epoch)
        return metric, stop

    block_parameters = list(reranker.blocks.parameters())
    in_blocks = {id(parameter) for parameter in block_parameters}
    others = [parameter for parameter in reranker.parameters() if id(parameter) not in in_blocks]
    loop_settings = LoopSettings(
        settings.epochs, settings.learning_rate, seed=settings.seed, accumulate=settings.accumulate
    )
    reranker.train()
    train_loop(
        "reranker",
        reranker,
        [(others, 1.0), (block_parameters, settings.block_rate)],
        lesson.batches,
        lesson.loss,
        loop_settings,
        checkpoint,
        on_progress,
        after_epoch,
        lesson.begin,
    )
    reranker.load_state_dict(best.weights or {})
    reranker.eval()
    return best.epoch + 1


def nothing_learned(reranker: Reranker, best_epoch: int, epochs: int) -> str:
    """That a reranker is no other than it was before its epochs, in words; empty where one of them was better.

    Args:
        reranker: trained.
        best_epoch: as `train_reranker` returns it.
        epochs: that it was to be trained for; where none were asked for, none can be missed.
    """
    if best_epoch or not epochs:
        return ""
    if reranker.is_untrained:
        return " No epoch was better than the fitted retrieval scores: the trained part is zero."
    return " No epoch was better than the start: nothing is new but what its parts count."


def scores_of(reranker: Reranker, example: Example) -> npt.NDArray[np.float32]:
    """Scores of all candidates of an example, (candidates,), computed on the reranker's device."""
    with torch.inference_mode():
        dialogues, candidates, _ = unpack([example], None, reranker, reranker.device, torch.float32)
        with fast_arithmetic(reranker.device):
            return reranker(dialogues, candidates).cpu().numpy()  # type: ignore[no-any-return]


class _Lesson:
    """The examples in batches, and the loss of a batch."""

    def __init__(
        self,
        reranker: Reranker,
        examples: Sequence[Example],
        settings: RerankerSettings,
        checkpoint: Path | None,
    ) -> None:
        self.reranker = reranker
        self.examples = list(examples)
        self.settings = settings
        sizes = [len(example.right) for example in examples]
        require_same(sizes, "candidates to train on")
        self._hardest_first = HardestFirst(checkpoint, sizes)

    def batches(self, generator: random.Random) -> list[list[int]]:
        """All examples, shuffled; the dialogues of a batch are of like length and from one desk."""
        order = list(range(len(self.examples)))
        generator.shuffle(order)
        by_source: dict[int, list[int]] = {}
        for row in order:
            by_source.setdefault(id(self.examples[row].source), []).append(row)
        lengths = [len(example.turns) for example in self.examples]
        made = [
            batch
            for rows in by_source.values()
            for batch in batches_of_like_length(rows, lengths, self.settings.batch_size)
        ]
        generator.shuffle(made)
        return made

    def loss(self, batch: list[int]) -> Tensor:
        """This process's part of the mean loss over a batch of rows."""
        generator = step_generator()
        drawn = [
            (
                self.examples[row],
                sample_rows(self.examples[row], self.settings.candidates, generator, self._hardest_first.orders[row]),
                generator.random() >= self.settings.retrieval_dropout,
            )
            for row in batch
        ]
        own = own_share(drawn)
        if not own:
            return torch.zeros(())
        examples, rows, keep = [list(column) for column in zip(*own, strict=True)]
        device = self.reranker.device
        dialogues, candidates, right = unpack(examples, rows, self.reranker, device, torch.float32)
        of_list = candidates.dialogues
        keep_retrieval = torch.tensor(keep, dtype=torch.float32, device=device)[of_list]
        teacher = None
        if all(example.teacher is not None for example in examples):
            flat = np.concatenate([example.teacher[own] for example, own in zip(examples, rows, strict=True)])
            teacher = padded(torch.from_numpy(flat).to(device), of_list, len(examples))
        is_right = padded(right.float(), of_list, len(examples)) > 0

        def of_dialogues() -> Tensor:
            with fast_arithmetic(device):
                flat = self.reranker(dialogues, candidates, keep_retrieval)
            logits = padded(flat, of_list, len(examples))
            loss = LOSSES[self.settings.loss](logits, is_right)
            if teacher is None:
                return loss
            share = self.settings.teacher_share
            taught = DISTILLATIONS[self.settings.distillation](logits, teacher, is_right)
            return (1.0 - share) * loss + share * taught

        if not self.settings.perturbation:
            return part_of_mean(of_dialogues(), len(batch))
        states = dialogues.states.requires_grad_(True)
        plain = of_dialogues()
        # Miyato et al. 2017, "Adversarial Training Methods": a step up the gradient, as long as said.
        (push,) = torch.autograd.grad(plain.sum(), states, retain_graph=True)
        length = states.detach().norm(dim=-1, keepdim=True) * self.settings.perturbation
        dialogues.states = states.detach() + length * torch.nn.functional.normalize(push, dim=-1)
        return part_of_mean((plain + of_dialogues()) / 2, len(batch))

    def begin(self, epoch: int) -> None:
        """Takes the negatives that were chosen for an epoch."""
        self._hardest_first.begin(epoch)

    def refresh_negatives(self, epoch: int) -> None:
        """Orders each example's candidates by what the reranker thinks of them after an epoch, hardest first."""
        self.reranker.eval()
        scored = (scores_of(self.reranker, example) for example in self.examples)
        orders = [np.argsort(-scores, kind="stable").tolist() for scores in scored]
        self._hardest_first.keep(epoch, from_first(orders))
        self.reranker.train()
