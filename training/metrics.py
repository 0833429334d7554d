"""Ranking and calibration metrics, each with its formula.

Ranks count from 1; 0 stands for "not ranked at all" (no right answer among the candidates, or a score that is no
number) and counts as a miss in every figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Ranks = Sequence[int] | Floats
"""Ranks from 1, 0 for a miss."""
BINS = 15
DRAWS = 400
"""Outcomes drawn to tell how much of a calibration error is chance."""
SCOPE_COST = 0.01
"""In-scope accuracy given up for telling out-of-scope requests apart."""


def rank_of_right(scores: Floats, right: Sequence[bool] | npt.NDArray[np.bool_]) -> int:
    """Rank of the best right candidate, ties counted against it: 1 + how many wrong ones score at least as high.

    A ranker one of whose scores is no finite number has ranked nothing.

    >>> rank_of_right(np.array([0.9, 0.9, 0.1]), [True, False, False])
    2
    >>> rank_of_right(np.array([0.9, 0.1]), [False, False])
    0
    >>> rank_of_right(np.array([0.9, np.nan]), [True, False])
    0
    """
    is_right = np.asarray(right, dtype=bool)
    if not is_right.any() or not np.isfinite(scores).all():
        return 0
    best = scores[is_right].max()
    return 1 + int((scores[~is_right] >= best).sum())


def recall_at(ranks: Ranks, k: int) -> float:
    """Share of the queries whose right answer stands among the first k.

    >>> recall_at([1, 3, 0, 2], 2)
    0.5
    """
    found = np.asarray(ranks)
    return float(((found > 0) & (found <= k)).mean()) if len(found) else 0.0


def reciprocal_ranks(ranks: Ranks) -> list[float]:
    """1 / rank of each, 0 for a miss.

    >>> reciprocal_ranks([2, 0])
    [0.5, 0.0]
    """
    found = np.asarray(ranks, np.float64)
    return [float(one) for one in np.divide(1.0, found, out=np.zeros(len(found)), where=found > 0)]


def mean_reciprocal_rank(ranks: Ranks) -> float:
    """Mean of 1 / rank, 0 for a miss.

    >>> mean_reciprocal_rank([1, 2, 0, 4])
    0.4375
    """
    return float(np.mean(reciprocal_ranks(ranks))) if len(ranks) else 0.0


def expected_calibration_error(confidence: Floats, right: npt.NDArray[np.bool_], bins: int = BINS) -> float:
    """ECE over bins of equal mass: sum over bins of (share of cases) * |accuracy - mean confidence|.

    Naeini et al. 2015; equal-mass bins as in Nguyen and O'Connor 2015.

    >>> expected_calibration_error(np.array([1.0, 1.0, 0.0, 0.0]), np.array([True, True, False, False]))
    0.0
    """
    if len(confidence) == 0:
        return 0.0
    order, begins, sizes = _equal_mass(confidence, bins)
    rising = confidence[order]
    return _mean_gap(rising, _shared(rising)(right[order]), begins, sizes)


def _equal_mass(
    confidence: Floats, bins: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The cases by rising confidence, where each bin of them begins, and how many it holds."""
    order = np.argsort(confidence, kind="stable")
    sizes = np.array([len(part) for part in np.array_split(order, min(bins, len(order)))])
    return order, np.cumsum(sizes) - sizes, sizes


def _mean_gap(
    confidence: Floats, right: Floats, begins: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
) -> float:
    gaps = np.add.reduceat(right, begins) - np.add.reduceat(confidence, begins)
    return float(np.abs(gaps).sum() / sizes.sum())


def _shared(rising: Floats) -> Callable[[npt.NDArray[np.bool_]], Floats]:
    """What gives to cases of one confidence the mean of their outcomes: in which bin each falls is then no matter.

    >>> _shared(np.array([0.1, 0.5, 0.5]))(np.array([True, True, False])).tolist()
    [1.0, 0.5, 0.5]
    """
    _, begins, group, counts = np.unique(rising, return_index=True, return_inverse=True, return_counts=True)
    return lambda right: (np.add.reduceat(right.astype(np.float64), begins) / counts)[group]


def reliability(confidence: Floats, right: npt.NDArray[np.bool_], bins: int = BINS) -> list[tuple[float, float, int]]:
    """Per bin of equal mass, by rising confidence: mean confidence, share that was right, cases.

    The same bins as those of the ECE, which is the mean distance of the two over the cases.

    >>> reliability(np.array([0.2, 0.2, 0.9, 0.9]), np.array([False, False, True, False]), bins=2)
    [(0.2, 0.0, 2), (0.9, 0.5, 2)]
    """
    if len(confidence) == 0:
        return []
    order, begins, sizes = _equal_mass(confidence, bins)
    rising = confidence[order]
    means = np.add.reduceat(rising, begins) / sizes
    shares = np.add.reduceat(_shared(rising)(right[order]), begins) / sizes
    return list(zip(means.tolist(), shares.tolist(), sizes.tolist(), strict=True))


def risk_coverage(confidence: Floats, right: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Coverage and risk as the threshold falls: the share that is answered, and the share of that which is wrong.

    El-Yaniv and Wiener 2010, "On the Foundations of Noise-free Selective Classification". Cases of one confidence
    are answered together.

    >>> coverage, risk = risk_coverage(np.array([0.9, 0.5, 0.5]), np.array([True, True, False]))
    >>> coverage.round(2).tolist(), risk.round(2).tolist()
    ([0.33, 1.0], [0.0, 0.33])
    """
    order = np.argsort(-confidence, kind="stable")
    count = np.arange(1, len(order) + 1)
    last = ends_of_ties(confidence[order])
    wrong = np.cumsum(~right[order])
    return (count / max(len(order), 1))[last], (wrong / count)[last]


def ends_of_ties(ordered: Floats) -> npt.NDArray[np.bool_]:
    """True for the last of each run of equal numbers: where a threshold can be put.

    >>> ends_of_ties(np.array([0.9, 0.5, 0.5])).tolist()
    [True, False, True]
    """
    return np.append(np.diff(ordered) != 0, True) if len(ordered) else np.zeros(0, bool)


def aurc(confidence: Floats, right: npt.NDArray[np.bool_]) -> float:
    """Area under the risk-coverage curve: the mean risk over all coverages; 0 is best.

    Geifman, Uziel and El-Yaniv 2019, "Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers".

    >>> aurc(np.array([0.9, 0.5, 0.5]), np.array([True, True, False])).__round__(3)
    0.222
    """
    coverage, risk = risk_coverage(confidence, right)
    return float(np.sum(np.diff(coverage, prepend=0.0) * risk))


@dataclass(frozen=True)
class Calibration:
    """An ECE, and how much of it is more than chance."""

    ece: float
    noise: float
    """The ECE that a perfect confidence would show on as many cases, in the mean."""
    p: float
    """How likely a perfect confidence shows at least this ECE; 1 where there are no cases."""

    @property
    def excess(self) -> float:
        """What the ECE is beyond that noise, never below 0."""
        return max(0.0, self.ece - self.noise)

    def as_json(self) -> dict[str, float]:
        """Under the names that scripts rely on."""
        return {"ece": self.ece, "ece_noise": self.noise, "ece_excess": self.excess, "ece_p": self.p}

    def __str__(self) -> str:
        return f"{self.ece:.3f}, {self.excess:.3f} of it beyond chance (p {self.p:.3f})"


def calibration(confidence: Floats, right: npt.NDArray[np.bool_], draws: int = DRAWS) -> Calibration:
    """The ECE, read against what as many cases show if each is right exactly as often as its confidence says.

    With few cases the accuracy in a bin differs from the confidence by chance alone: consistency resampling, Broecker
    and Smith 2007, "Increasing the Reliability of Reliability Diagrams". The cases drawn are independent: where those
    of one conversation go wrong together, chance does more than is said here, and p is somewhat too small.

    Args:
        confidence: (cases,), between 0 and 1.
        right: (cases,)
        draws: outcomes are drawn so many times, seeded.

    >>> half = np.arange(400) % 2 == 0
    >>> calibration(np.full(400, 0.5), half).p > 0.9, calibration(np.full(400, 0.8), half).p < 0.01
    (True, True)
    >>> print(calibration(np.full(400, 0.8), half))
    0.300, 0.283 of it beyond chance (p 0.002)
    """
    if len(confidence) == 0:
        return Calibration(0.0, 0.0, 1.0)
    generator = np.random.default_rng(13)
    order, begins, sizes = _equal_mass(confidence, BINS)
    rising = confidence[order]
    shared = _shared(rising)
    ece = _mean_gap(rising, shared(right[order]), begins, sizes)
    outcomes = (shared(generator.random(len(rising)) < rising) for _ in range(draws))
    drawn = np.array([_mean_gap(rising, one, begins, sizes) for one in outcomes])
    at_least = int((drawn >= ece - 1e-12).sum())
    return Calibration(ece, float(drawn.mean()), (1 + at_least) / (1 + draws))


SURE = 0.8
"""The confidence that `sure_figures` looks at."""


def sure_figures(confidence: Floats, right: npt.NDArray[np.bool_]) -> tuple[float, float | None]:
    """The share of the cases with a confidence of `SURE` or more, and how many of these are right; None of none.

    >>> sure_figures(np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False]))
    (0.5, 0.5)
    """
    is_sure = confidence >= SURE
    return float(is_sure.mean()) if len(confidence) else 0.0, float(right[is_sure].mean()) if is_sure.any() else None


def scope_figures(
    confidence: Floats, hit: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_]
) -> tuple[float | None, float | None]:
    """The in-scope accuracy and the largest out-of-scope recall that a threshold gives for `SCOPE_COST`.

    Args:
        confidence: (queries,)
        hit: (queries,): the first was right.
        known: (queries,): in scope.
    """
    if known.all():
        return None, None
    least = float(hit[known].mean()) - SCOPE_COST
    best = (least, 0.0)
    for threshold in np.unique(confidence):
        told = confidence >= threshold
        accuracy, recall = float((hit & told)[known].mean()), float((~told)[~known].mean())
        if accuracy >= least:
            best = (accuracy, recall)
    return best


def brier_score(confidence: Floats, right: npt.NDArray[np.bool_]) -> float:
    """Mean squared difference between confidence and outcome (Brier 1950).

    >>> brier_score(np.array([1.0, 0.5]), np.array([True, False]))
    0.125
    """
    return float(np.mean((confidence - right.astype(float)) ** 2)) if len(confidence) else 0.0


def f1_scores(found: Sequence[str], right: Sequence[str]) -> dict[str, float]:
    """F1 of each class that is ever right, 2 TP / (2 TP + FP + FN); their mean is the macro-F1.

    >>> f1_scores(["a", "a", "b", "c"], ["a", "b", "b", "b"])
    {'a': 0.6666666666666666, 'b': 0.5}
    """
    scores = {}
    for name in sorted(set(right)):
        hits = sum(one == other == name for one, other in zip(found, right, strict=True))
        scores[name] = 2 * hits / (list(found).count(name) + list(right).count(name))
    return scores


def percentile(values: Sequence[float] | Floats, q: float) -> float:
    """The q-th percentile, 0 for no values.

    >>> percentile([1.0, 2.0, 3.0], 50)
    2.0
    """
    return float(np.percentile(values, q)) if len(values) else 0.0
