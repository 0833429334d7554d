"""The one seam of all ranking: every ranker takes a dialogue and its candidates and returns them in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from index.candidates import Candidate, ReadDialogue

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with what the ranker thinks of it."""

    candidate: Candidate
    score: float
    """Comparable only within one list."""
    weight: float
    """Its share of one softmax over the list: the weights sum to 1."""


class Ranker(Protocol):
    """Orders the candidates of a dialogue."""

    name: str
    states_below: int
    """Token states it needs of the dialogue, as for `Embedder.encode_tokens`; 0 for none."""

    def rank(self, context: ReadDialogue, candidates: Sequence[Candidate]) -> list[Ranked]:
        """All candidates, best first. The order in which they are given does not matter."""
        ...

    def rank_many(self, contexts: Sequence[ReadDialogue], lists: Sequence[Sequence[Candidate]]) -> list[list[Ranked]]:
        """Those of each of many dialogues: one after the other, unless a ranker gains by doing it at once."""
        return [self.rank(context, candidates) for context, candidates in zip(contexts, lists, strict=True)]


def in_order(candidates: Sequence[Candidate], scores: Floats) -> list[Ranked]:
    """Candidates by falling score with softmax weights; equal scores stand by answer id, so that order is stable."""
    if len(candidates) == 0:
        return []
    raised = np.exp(np.asarray(scores, dtype=np.float64) - np.max(scores))
    weights = raised / raised.sum()
    order = sorted(range(len(candidates)), key=lambda row: (-float(scores[row]), candidates[row].answer_id))
    return [Ranked(candidates[row], float(scores[row]), float(weights[row])) for row in order]
