"""Whether a new model takes over: champion and challenger on the same held-out turns.

The challenger takes over where a paired test says that it ranks better, or where it has fewer parameters and the
interval rules out that it ranks worse by more than `MARGIN`, and only on `LEAST_CONVERSATIONS` or more. Luck on one
held-out set is not enough: of challengers that are no better, about one in forty passes (`SIGNIFICANT`, of which half
is on the losing side).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from training.judging import Judgement
from training.metrics import reciprocal_ranks
from training.significance import LEAST_CONVERSATIONS, SIGNIFICANT, bootstrap_intervals, paired_p_value

MARGIN = 0.01
"""Loss in MRR that a smaller model may have."""


@dataclass(frozen=True)
class Evidence:
    """How the challenger did against the champion."""

    turns: int
    conversations: int
    difference: float
    """The challenger's held-out MRR less the champion's."""
    low: float
    high: float
    """Of the difference, with 95 % confidence."""
    p: float
    """How likely a difference as large is by chance alone."""
    parameters_before: int
    parameters_after: int

    @property
    def is_enough(self) -> bool:
        """Whether there are conversations enough to show anything."""
        return self.conversations >= LEAST_CONVERSATIONS

    @property
    def is_better(self) -> bool:
        """Whether the challenger ranks better, by the paired test, on conversations enough to say so."""
        return self.is_enough and self.difference > 0 and self.p < SIGNIFICANT

    @property
    def is_cheaper_and_as_good(self) -> bool:
        """Whether the challenger is smaller and at most `MARGIN` worse, on conversations enough to say so."""
        return self.is_enough and self.parameters_after < self.parameters_before and self.low > -MARGIN

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.difference:+.3f}, {self.low:+.3f} to {self.high:+.3f} with 95 % confidence, p {self.p:.3g}"


def weigh(
    champion: Judgement, challenger: Judgement, conversations: Sequence[str], parameters: tuple[int, int]
) -> Evidence:
    """Compares two rankers on the same turns.

    Args:
        champion: what the model in use made of the turns.
        challenger: what the new model made of them, in the same order.
        conversations: per turn its conversation; whole conversations are drawn and exchanged.
        parameters: of the champion and of the challenger, encoder and reranker together.
    """
    first, second = (np.array(reciprocal_ranks(one.ranks)) for one in (champion, challenger))
    difference = second - first
    low, high = bootstrap_intervals(difference[:, None], conversations)[0].tolist()
    p = paired_p_value(second, first, conversations)
    return Evidence(len(first), len(set(conversations)), float(difference.mean()), low, high, p, *parameters)
