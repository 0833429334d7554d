"""Training examples: a dialogue, the candidates that retrieval would serve, and which of them are right.

An example is kept only where a right answer is among the candidates: trained on others, a ranker learns to prefer
whatever retrieval ranks low.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conversations.errors import TrainingError
from index.candidates import Candidate, ReadDialogue
from index.states import TokenStates, quantize
from training.batching import stacked
from training.planting import Planter
from training.rankers import Ranker
from training.rankers.cross_attention import candidate_states
from training.reranker import Reranker
from training.reranker_states import CandidateStates, DialogueStates
from training.same_run import digest

LEAST_EXAMPLES = 50
"""Training examples below which nothing is trained."""
LEAST_HELD_OUT = 20
"""Held-out examples below which nothing can be compared."""


class Source(NamedTuple):
    """Where an example's candidates have their token states."""

    answers: TokenStates
    questions: TokenStates | None


@dataclass(slots=True)
class Example:
    """One dialogue with its candidates; states are kept in int8."""

    group: str
    """The conversation it comes from; where a desk has that more than once, the first of its copies."""
    values: Tensor
    scales: Tensor
    turns: list[int]
    agents: list[bool]
    answer_ids: list[int]
    question_ids: list[int]
    signals: npt.NDArray[np.float32]
    """(candidates, len(SIGNALS)), best retrieval score first."""
    right: npt.NDArray[np.bool_]
    """(candidates,)"""
    source: Source
    teacher: npt.NDArray[np.float32] | None = None
    """(candidates,): what a teacher thinks of them, where there is one."""
    rejected: npt.NDArray[np.bool_] | None = None
    """(candidates,): the wrong ones that people turned down, where they did: every training step sees them."""
    is_answered: bool = True
    """Whether an answer is known to be right; otherwise all that nobody turned down stands for it, and nothing is
    measured by it."""


@dataclass(slots=True)
class Case:
    """A dialogue whose answer is known, with what would have been served for it."""

    group: str
    """Its conversation, as for `Example`."""
    context: ReadDialogue
    candidates: list[Candidate]
    right: frozenset[int]
    """Ids of the answers that count as the one that was given."""
    near: frozenset[int] = frozenset()
    """Ids of answers too similar to it to be called wrong."""
    rejected: frozenset[int] = frozenset()
    """Ids of answers that people turned down for it, and of those that say the same."""


def check_dialogues(train: int, held_out: int, of_encoder: int, untuned: int, remedy: str) -> None:
    """That there may be enough, once it is known whose right answer is found; to be asked before anything takes long.

    Args:
        train: dialogues that the reranker may train on.
        held_out: dialogues to measure on.
        of_encoder: those that the reranker may not have, since the encoder is tuned on them.
        untuned: what the reranker might train on if this training tuned no encoder; 0 where it tunes none.
        remedy: for too few of all.

    Raises:
        TrainingError: there cannot be enough.
    """
    if _are_enough(train, held_out):
        return
    beside = f"{train + of_encoder} dialogues, of which {of_encoder} go to the encoder: {train} remain"
    if _are_enough(untuned, held_out):
        remedy = f"{remedy.rstrip('.')}, or leave them all to the reranker: --encoder-epochs 0."
    raise _too_few(beside if of_encoder else f"{train} dialogues", f"{held_out} held out", remedy)


def check_enough(examples: Sequence[Example], held_out: Sequence[Example], remedy: str) -> None:
    """That there is enough to train on and to measure on.

    Raises:
        TrainingError: there is not; with this remedy.
    """
    if not _are_enough(len(examples), len(held_out)):
        measured = f"{len(held_out)} held out whose right answer was found"
        raise _too_few(f"{len(examples)} dialogues", measured, remedy)


def _are_enough(train: int, held_out: int) -> bool:
    return train >= LEAST_EXAMPLES and held_out >= LEAST_HELD_OUT


def _too_few(trained: str, measured: str, remedy: str) -> TrainingError:
    least = f"at least {LEAST_EXAMPLES} and {LEAST_HELD_OUT} are needed."
    return TrainingError(f"There are {trained} to train on and {measured}; {least}", remedy)


def evenly(examples: Sequence[Example], most: int) -> Sequence[Example]:
    """At most so many of some examples, evenly from all.

    >>> list(evenly(range(7), 4))
    [0, 2, 4, 6]
    """
    return examples[:: max(1, -(-len(examples) // most))]


def examples_from(
    cases: Iterable[Case], source: Source, planter: Planter | None = None, teacher: Ranker | None = None
) -> list[Example]:
    """Training examples of those cases whose right answer was served.

    Args:
        cases: any number.
        source: token states of their candidates, and of those that are planted.
        planter: plants candidates among them, where given.
        teacher: ranks the candidates as well, where given, for distillation.
    """
    made = []
    for case in cases:
        found = planter.planted(case.context, case.candidates) if planter else case.candidates
        example = _example(case, found, source, teacher)
        if example is not None:
            made.append(example)
    return made


def _example(case: Case, found: Sequence[Candidate], source: Source, teacher: Ranker | None) -> Example | None:
    """An example from a case's candidates; None where none is right or none is wrong.

    Args:
        case: with the dialogue's token states.
        found: as served, best first, with what was planted.
        source: token states of the candidates.
        teacher: ranks the candidates as well, for distillation.
    """
    rejected = case.rejected - case.right
    is_answered = bool(case.right) or not rejected
    right = case.right if is_answered else {one.answer_id for one in case.candidates} - rejected
    kept = [one for one in found if one.answer_id not in case.near or one.answer_id in right | rejected]
    is_right = np.array([one.answer_id in right for one in kept], dtype=bool)
    is_rejected = np.array([one.answer_id in rejected for one in kept], dtype=bool)
    if case.context.states is None or not is_right.any() or is_right.all():
        return None
    if not is_answered and not is_rejected.any():
        # What was turned down is not served any more; that a planted echo is wrong says nothing of the question.
        return None
    values, scales = quantize(case.context.states)
    taught = None
    if teacher is not None:
        scores = {entry.candidate.answer_id: entry.score for entry in teacher.rank(case.context, found)}
        taught = np.array([scores[one.answer_id] for one in kept], dtype=np.float32)
    return Example(
        group=case.group,
        values=values,
        scales=scales,
        turns=case.context.tokens.turns,
        agents=case.context.tokens.agents,
        answer_ids=[one.answer_id for one in kept],
        question_ids=[one.question_id for one in kept],
        signals=np.array([one.signals for one in kept], dtype=np.float32),
        right=is_right,
        source=source,
        teacher=taught,
        rejected=is_rejected if is_rejected.any() else None,
        is_answered=is_answered,
    )


def sample_rows(
    example: Example, size: int, generator: random.Random, order: Sequence[int] | None = None
) -> list[int]:
    """Rows for one training step: right ones, what people turned down, and negatives, half the hardest and half from
    anywhere.

    Args:
        example: its candidates stand in retrieval's order.
        size: rows in all.
        generator: draws the others.
        order: all rows, hardest first; by default retrieval's order.
    """
    right = np.flatnonzero(example.right).tolist()[:4]
    rejected = [] if example.rejected is None else np.flatnonzero(example.rejected).tolist()
    taken = {*rejected, *np.flatnonzero(example.right).tolist()}
    wrong = [row for row in (order or range(len(example.right))) if row not in taken]
    room = max(size - len(right) - len(rejected), 0 if rejected else 1)
    hardest = wrong[: room // 2]
    rest = wrong[room // 2 :]
    return right + rejected + hardest + generator.sample(rest, min(room - len(hardest), len(rest)))


def unpack(
    examples: Sequence[Example],
    rows: Sequence[Sequence[int]] | None,
    reranker: Reranker,
    device: str,
    dtype: torch.dtype,
) -> tuple[DialogueStates, CandidateStates, Tensor]:
    """The tensors of some examples on the device.

    Args:
        examples: all from one source.
        rows: per example the candidates to take; None for all.
        reranker: says how many tokens it reads.
        device: where to.
        dtype: of the unpacked states.

    Returns:
        Dialogues, candidates, and (candidates,) bool which of these are right.
    """
    chosen = [range(len(example.answer_ids)) for example in examples] if rows is None else rows
    picked = [(example, row) for example, own in zip(examples, chosen, strict=True) for row in own]
    source = examples[0].source
    candidates = candidate_states(
        reranker,
        source.answers,
        source.questions,
        [example.answer_ids[row] for example, row in picked],
        [example.question_ids[row] for example, row in picked],
        torch.from_numpy(np.stack([example.signals[row] for example, row in picked])),
        device,
        dtype,
        [place for place, own in enumerate(chosen) for _ in own],
    )
    right = torch.tensor([bool(example.right[row]) for example, row in picked], device=device)
    return _dialogues(examples, device, dtype), candidates, right


def digest_of_examples(examples: Sequence[Example]) -> str:
    """Of all that is learned from them; the candidates' own token states are told by encoder and ids."""
    told = (
        part
        for one in examples
        for part in (
            (one.group, one.turns, one.agents, one.answer_ids, one.question_ids),
            *(array.numpy().tobytes() for array in (one.values, one.scales)),
            *(array.tobytes() for array in (one.signals, one.right)),
            *(None if array is None else array.tobytes() for array in (one.teacher, one.rejected)),
        )
    )
    return digest(told)


def _dialogues(examples: Sequence[Example], device: str, dtype: torch.dtype) -> DialogueStates:
    states, mask = stacked([one.values.to(dtype) * one.scales.to(dtype)[:, None] for one in examples])
    turns, _ = stacked([torch.tensor(one.turns) for one in examples])
    agents, _ = stacked([torch.tensor(one.agents) for one in examples])
    return DialogueStates(states.to(device), turns.to(device), agents.to(device), mask.to(device))
