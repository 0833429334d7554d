"""The threshold at which the share of wrong answers is kept, not only on the cases seen but very likely on others.

Selective classification with guaranteed risk: an exact binomial bound (Clopper and Pearson 1934) on the error among
the answered cases, as in Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural Networks". Thresholds
are tested one after the other from the highest down, until the first that cannot be kept (fixed-sequence testing,
Angelopoulos et al. 2021, "Learn then Test"), so that testing many costs nothing. The first is not the very highest,
since among a handful of cases a single wrong one ends the search.

The promise is about conversations like these at large: with a chance of nine in ten no more than the risk is wrong
among all that would be answered, not on each single day. Turns of one conversation go wrong together, so they count
as fewer cases than they are: as many as leave the same doubt if they are independent (Korn and Graubard 1998,
"Confidence Intervals for Proportions with Small Expected Number of Positive Counts Estimated from Survey Data").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, t

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
    conversations: int
    """That the answered cases are of."""
    bound: float
    """Above the true share of wrong answers, but for a chance of `DOUBT`."""

    @property
    def risk(self) -> float:
        """Share of wrong answers among those given."""
        return self.wrong / self.answered


def least_cases(risk: float) -> int:
    """Answered cases, all of them right, that it takes at least to promise a risk: no two of one conversation.

    >>> least_cases(0.05), least_cases(0.2)
    (45, 11)
    """
    return math.ceil(math.log(DOUBT) / math.log(1.0 - risk))


def independent_cases(wrong: npt.NDArray[np.bool_], conversations: npt.NDArray[np.generic]) -> float:
    """How many independent cases would leave as much doubt about the share of wrong ones.

    Args:
        wrong: (cases,)
        conversations: (cases,): of each case its conversation.

    Returns:
        As many as there are where each conversation has one; none where all are of one conversation.

    >>> round(independent_cases(np.arange(40) < 4, np.arange(40)), 6)
    40.0
    >>> bool(8 < independent_cases(np.arange(40) < 4, np.arange(40) // 4) < 9)
    True
    """
    _, group = np.unique(conversations, return_inverse=True)
    count, groups, share = len(wrong), int(group.max()) + 1, float(wrong.mean())
    if groups == 1:
        return 0.0
    off = np.bincount(group, weights=wrong - share)
    spread = groups / (groups - 1) * float((off**2).sum())
    alone = count / (count - 1) * count * share * (1.0 - share)
    return float(_best_cases(count, groups)) / max(1.0, spread / alone if alone else 1.0)


def _best_cases(counts: npt.NDArray[np.int64] | int, groups: npt.NDArray[np.int64] | int) -> Floats:
    """How many independent cases tell as much as these at best: the fewer conversations, the less sure the spread."""
    few = np.maximum(np.asarray(groups) - 1, 1)
    ratio = t.ppf(1.0 - DOUBT, np.maximum(np.asarray(counts) - 1, 1)) / t.ppf(1.0 - DOUBT, few)
    return np.asarray(np.where(np.asarray(groups) > 1, counts * ratio**2, 0.0))


def upper_bound(wrong: float, cases: float) -> float:
    """The largest true share of wrong answers that so few among so many leave possible, but for `DOUBT`.

    >>> upper_bound(0, 45) <= 0.05 < upper_bound(0, 44)
    True
    """
    return 1.0 if wrong >= cases else float(beta.ppf(1.0 - DOUBT, wrong + 1, cases - wrong))


def trades(
    confidence: Floats, right: npt.NDArray[np.bool_], conversations: npt.NDArray[np.generic], risk: float
) -> list[Trade]:
    """What thresholds give from the highest down, beginning with one that answers enough cases to tell.

    Args:
        confidence: (cases,)
        right: (cases,): whether what stands first is right.
        conversations: (cases,): of each case its conversation.
        risk: share of wrong answers that is wished.
    """
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    first = _first_step(conversations[order], risk)
    if first is None:
        return []
    found: list[Trade] = []
    for count in np.unique(np.linspace(first, len(falling), STEPS).astype(int)):
        threshold = float(falling[count - 1])
        if found and threshold >= found[-1].threshold:
            continue
        told = confidence >= threshold
        wrong, groups = ~right[told], conversations[told]
        cases = independent_cases(wrong, groups)
        found.append(
            Trade(
                threshold=threshold,
                coverage=len(wrong) / len(falling),
                answered=len(wrong),
                wrong=int(wrong.sum()),
                conversations=len(np.unique(groups)),
                bound=upper_bound(float(wrong.mean()) * cases, cases),
            )
        )
    return found


def _first_step(conversations: npt.NDArray[np.generic], risk: float) -> int | None:
    """How many cases the first threshold answers: so many that all of them right would keep the risk.

    Args:
        conversations: (cases,): those of the cases, the most confident first.
        risk: that is wished.
    """
    counts = np.arange(1, len(conversations) + 1)
    is_new = np.zeros(len(conversations), np.int64)
    is_new[np.unique(conversations, return_index=True)[1]] = 1
    enough = counts[_best_cases(counts, is_new.cumsum()) >= least_cases(risk)]
    return max(int(enough[0]), len(conversations) // STEPS) if len(enough) else None


def kept(tested: list[Trade], risk: float) -> Trade | None:
    """The lowest threshold whose risk is kept, and that of all higher ones; None where not even the highest does.

    >>> some = trades(np.linspace(1, 0.5, 200), np.arange(200) < 150, np.arange(200), 0.1)
    >>> kept(some, 0.1).answered < 170, kept(some[-2:], 0.1)
    (True, None)
    """
    best = None
    for trade in tested:
        if trade.bound > risk:
            break
        best = trade
    return best
