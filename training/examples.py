"""Training examples: a dialogue, the candidates that retrieval would serve, and which of them are right.

An example is kept only where a right answer is among the candidates: trained on others, a ranker learns to prefer
whatever retrieval ranks low.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from index.candidates import Candidate, ReadDialogue
from index.states import TokenStates, quantize
from training.rankers.cross_attention import candidate_states
from training.reranker import CandidateStates, DialogueStates, Reranker


@dataclass(frozen=True, slots=True)
class Source:
    """Where an example's candidates have their token states."""

    answers: TokenStates
    questions: TokenStates | None


@dataclass(slots=True)
class Example:
    """One dialogue with its candidates; states are kept in int8."""

    group: str
    """The conversation it comes from."""
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


def make_example(
    context: ReadDialogue,
    candidates: Sequence[Candidate],
    right: Sequence[bool],
    group: str,
    source: Source,
    drop: Sequence[bool] | None = None,
) -> Example | None:
    """An example from served candidates; None where none is right or none is wrong.

    Args:
        context: the dialogue with its token states.
        candidates: as served, best first.
        right: per candidate.
        group: the conversation.
        source: token states of the candidates.
        drop: candidates to leave out (near-duplicates of the right answer).
    """
    kept = [row for row in range(len(candidates)) if right[row] or not (drop and drop[row])]
    is_right = np.array([right[row] for row in kept], dtype=bool)
    if context.states is None or not is_right.any() or is_right.all():
        return None
    values, scales = quantize(context.states)
    return Example(
        group=group,
        values=values,
        scales=scales,
        turns=context.tokens.turns,
        agents=context.tokens.agents,
        answer_ids=[candidates[row].answer_id for row in kept],
        question_ids=[candidates[row].question_id for row in kept],
        signals=np.array([candidates[row].signals for row in kept], dtype=np.float32),
        right=is_right,
        source=source,
    )


def sample_rows(example: Example, size: int, generator: random.Random) -> list[int]:
    """Rows for one training step: the right ones, and negatives, half the hardest and half from anywhere."""
    right = np.flatnonzero(example.right).tolist()[:4]
    wrong = np.flatnonzero(~example.right).tolist()
    room = max(size - len(right), 1)
    hardest = wrong[: room // 2]
    rest = wrong[room // 2 :]
    return right + hardest + generator.sample(rest, min(room - len(hardest), len(rest)))


def unpack(
    example: Example, rows: Sequence[int] | None, reranker: Reranker, device: str, dtype: torch.dtype
) -> tuple[DialogueStates, CandidateStates, Tensor]:
    """The tensors of an example on the device: dialogue, candidates (all, or some rows) and which are right."""
    chosen = list(range(len(example.answer_ids))) if rows is None else list(rows)
    states = example.values.to(device).to(dtype) * example.scales.to(device).to(dtype)[:, None]
    dialogue = DialogueStates(
        states, torch.tensor(example.turns, device=device), torch.tensor(example.agents, device=device)
    )
    candidates = candidate_states(
        reranker,
        example.source.answers,
        example.source.questions,
        [example.answer_ids[row] for row in chosen],
        [example.question_ids[row] for row in chosen],
        torch.from_numpy(example.signals[chosen]),
        device,
        dtype,
    )
    return dialogue, candidates, torch.from_numpy(example.right[chosen]).to(device)
