"""The threshold at which the share of wrong answers is kept, not only on the cases seen but very likely on others.

Selective classification with guaranteed risk: an exact binomial bound (Clopper and Pearson 1934) on the error among
the answered cases, as in Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural Networks". Thresholds
are tested one after the other from the highest down, until the first that cannot be kept (fixed-sequence testing,
Angelopoulos et al. 2021, "Learn then Test"), so that testing many costs nothing. The first is not the very highest,
since among a handful of cases a single wrong one ends the search. Cases are taken as independent: where those of one
conversation go wrong together, the bound is somewhat too small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

Floats = npt.NDArray[np.floating]

DOUBT = 0.1
"""How likely the risk is larger than what was stated, at most."""
STEPS = 20
"""Thresholds tested, at even steps of coverage; the first answers one step of the cases."""


@dataclass(frozen=True)
class Trade:
    """What one threshold gives on the cases seen."""

    threshold: float
    coverage: float
    """Share of the cases that are answered."""
    answered: int
    wrong: int
    bound: float
    """Above the true share of wrong answers, but for a chance of `DOUBT`."""

    @property
    def risk(self) -> float:
        """Share of wrong answers among those given."""
        return self.wrong / self.answered


def least_cases(risk: float) -> int:
    """Answered cases, all of them right, that it takes at least to promise a risk.

    >>> least_cases(0.05), least_cases(0.2)
    (45, 11)
    """
    return math.ceil(math.log(DOUBT) / math.log(1.0 - risk))


def upper_bound(wrong: int, cases: int) -> float:
    """The largest true share of wrong answers that so few among so many leave possible, but for `DOUBT`.

    >>> upper_bound(0, 45) <= 0.05 < upper_bound(0, 44)
    True
    """
    return 1.0 if wrong >= cases else float(beta.ppf(1.0 - DOUBT, wrong + 1, cases - wrong))


def trades(confidence: Floats, right: npt.NDArray[np.bool_], risk: float) -> list[Trade]:
    """What thresholds give from the highest down, beginning with one that answers enough cases to tell.

    Args:
        confidence: (cases,)
        right: (cases,): whether what stands first is right.
        risk: share of wrong answers that is wished.
    """
    falling = np.sort(confidence)[::-1]
    found: list[Trade] = []
    if len(falling) < least_cases(risk):
        return found
    first = max(least_cases(risk), len(falling) // STEPS)
    for count in np.unique(np.linspace(first, len(falling), STEPS).astype(int)):
        threshold = float(falling[count - 1])
        told = confidence >= threshold
        answered, wrong = int(told.sum()), int((told & ~right).sum())
        if not found or threshold < found[-1].threshold:
            found.append(Trade(threshold, answered / len(falling), answered, wrong, upper_bound(wrong, answered)))
    return found


def kept(tested: list[Trade], risk: float) -> Trade | None:
    """The lowest threshold whose risk is kept, and that of all higher ones; None where not even the highest does.

    >>> some = trades(np.linspace(1, 0.5, 200), np.arange(200) < 150, 0.1)
    >>> kept(some, 0.1).answered < 170, kept(some[-2:], 0.1)
    (True, None)
    """
    best = None
    for trade in tested:
        if trade.bound > risk:
            break
        best = trade
    return best
