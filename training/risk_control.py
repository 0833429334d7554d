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
How much they go wrong together cannot be told from turns of which none or few are wrong: that much is read from them
and from one more conversation, of the usual size and wrong from end to end. Where none is wrong each conversation
then counts about once, the most that they can be together (Kish 1965, "Survey Sampling", section 5.4); of many wrong
ones it changes little (as the few cases added by Agresti and Coull 1998, "Approximate Is Better than 'Exact' for
Interval Estimation of Binomial Proportions").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, t

from training.significance import LEAST_CONVERSATIONS

Floats = npt.NDArray[np.floating]

DOUBT = 0.1
"""How likely the risk is larger than what was stated, at most."""
STEPS = 20
"""Thresholds tested at most, at even steps of coverage."""


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
    least: float
    """Below it, but for the same chance."""

    @property
    def risk(self) -> float:
        """Share of wrong answers among those given."""
        return self.wrong / self.answered


def least_cases(risk: float) -> int:
    """Answered cases, all of them right and no two of one conversation, that it takes at least to promise a risk.

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
    >>> wholly, none = (independent_cases(np.arange(80) < wrong, np.arange(80) // 4) for wrong in (16, 0))
    >>> bool(18 < wholly < 20), bool(17 < none < 20)
    (True, True)
    """
    _, group = np.unique(conversations, return_inverse=True)
    sizes, count = np.bincount(group), len(wrong)
    if len(sizes) == 1:
        return 0.0
    # One conversation more, that is wrong from end to end; its size is that of the one that the usual case is of.
    more = float((sizes**2).sum()) / count
    cases, groups = count + more, len(sizes) + 1
    share = (float(wrong.sum()) + more) / cases
    off = np.bincount(group, weights=wrong) - share * sizes
    spread = groups / (groups - 1) * (float((off**2).sum()) + (more * (1.0 - share)) ** 2)
    alone = cases / (cases - 1) * cases * share * (1.0 - share)
    # Of the fewer conversations, the less sure is the spread.
    sure = t.ppf(1.0 - DOUBT, count - 1) / t.ppf(1.0 - DOUBT, len(sizes) - 1)
    return float(count * sure**2) / (max(1.0, spread / alone) if alone else 1.0)


def upper_bound(wrong: float, cases: float) -> float:
    """The largest true share of wrong answers that so few among so many leave possible, but for `DOUBT`.

    >>> upper_bound(0, 45) <= 0.05 < upper_bound(0, 44)
    True
    """
    return 1.0 if wrong >= cases else float(beta.ppf(1.0 - DOUBT, wrong + 1, cases - wrong))


def trades(
    confidence: Floats,
    right: npt.NDArray[np.bool_],
    conversations: npt.NDArray[np.generic],
    risk: float | None = None,
) -> list[Trade]:
    """What thresholds give from the highest down, beginning with one that answers enough cases to tell.

    Args:
        confidence: (cases,)
        right: (cases,): whether what stands first is right.
        conversations: (cases,): of each case its conversation.
        risk: share of wrong answers that is wished; without it also thresholds are told that answer too few cases.
    """
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    found: list[Trade] = []
    for count in np.unique(np.linspace(0, len(falling), STEPS + 1).astype(int)[1:]):
        if not count or (risk is not None and not _can_keep(conversations[order[:count]], risk)):
            continue
        threshold = float(falling[count - 1])
        if found and threshold >= found[-1].threshold:
            continue
        told = confidence >= threshold
        wrong, groups = ~right[told], conversations[told]
        cases = independent_cases(wrong, groups)
        share = float(wrong.mean())
        found.append(
            Trade(
                threshold=threshold,
                coverage=len(wrong) / len(falling),
                answered=len(wrong),
                wrong=int(wrong.sum()),
                conversations=len(np.unique(groups)),
                bound=upper_bound(share * cases, cases),
                least=1.0 - upper_bound((1.0 - share) * cases, cases),
            )
        )
    return found


def _can_keep(conversations: npt.NDArray[np.generic], risk: float) -> bool:
    """Whether a risk could be promised if all these cases were right, by their conversations."""
    if len(np.unique(conversations)) < LEAST_CONVERSATIONS:
        return False
    return independent_cases(np.zeros(len(conversations), bool), conversations) >= least_cases(risk)


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
