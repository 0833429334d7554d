"""How a ranker does on cases whose right answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.calibration import Decision, fit_decision
from training.metrics import mean_reciprocal_rank, rank_of_right, recall_at
from training.rankers.base import Ranked


@dataclass(frozen=True)
class Figures:
    """A ranker on held-out turns; a turn whose right answer was not served counts as a miss."""

    turns: int
    recall_at_1: float
    recall_at_5: float
    mrr: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Judgement:
    """What a ranker made of held-out turns."""

    figures: Figures
    decision: Decision
    """Calibrated on them."""
    ranks: Sequence[int]
    """Per turn the rank of the right answer; 0 where it was not served."""


def judge(
    ranked_lists: Sequence[Sequence[Ranked]], right: Sequence[frozenset[int]], groups: Sequence[str]
) -> Judgement:
    """Judges ranked lists.

    Args:
        ranked_lists: one per case, best first.
        right: per case the answer ids that count as right.
        groups: per case its conversation.
    """
    ranks = [
        rank_of_right(
            np.array([entry.score for entry in ranked]), [entry.candidate.answer_id in wanted for entry in ranked]
        )
        if ranked
        else 0
        for ranked, wanted in zip(ranked_lists, right, strict=True)
    ]
    figures = Figures(len(ranks), recall_at(ranks, 1), recall_at(ranks, 5), mean_reciprocal_rank(ranks))
    return Judgement(figures, fit_decision(ranked_lists, right, groups), ranks)
