"""Whether one ranker is better than another on the same queries, or was only lucky."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
SIGNIFICANT = 0.05
"""Below this p-value a difference counts."""
ROUNDS = 10_000
DRAWS = 2_000
"""Samples drawn for an interval."""
LEAST_CONVERSATIONS = 20
"""Fewer than this show nothing: drawn anew, so few vary less than others like them would."""


def paired_p_value(
    first: Sequence[float] | Floats,
    second: Sequence[float] | Floats,
    groups: Sequence[str] | npt.NDArray[np.generic],
    seed: int = 13,
) -> float:
    """Two-sided p-value of a paired randomisation test on the mean difference.

    Under the null hypothesis it is chance which of the two rankers got which of a query's two figures (Smucker et al.
    2007, "A Comparison of Statistical Significance Tests for Information Retrieval Evaluation"). Queries of one
    conversation are exchanged together: they are not independent.

    Args:
        first: a figure per query, such as 1 for a hit or the reciprocal rank.
        second: of the other ranker, in the same order.
        groups: per query its conversation.
        seed: of the exchanges.

    >>> better = paired_p_value([1.0] * 30, [0.0] * 30, [str(n) for n in range(30)])
    >>> same = paired_p_value([0.0, 1.0] * 15, [1.0, 0.0] * 15, [str(n) for n in range(30)])
    >>> better < 0.001, same
    (True, 1.0)
    """
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    of_group = np.bincount(group, weights=np.asarray(first, np.float64) - np.asarray(second, np.float64))
    observed = abs(of_group.sum())
    generator = np.random.default_rng(seed)
    extreme = 0
    # As many exchanges at a time as fit into some tens of megabytes.
    at_once = min(1_000, max(1, 5_000_000 // max(1, len(of_group))))
    for begin in range(0, ROUNDS, at_once):
        rounds = min(at_once, ROUNDS - begin)
        signs = generator.integers(0, 2, size=(rounds, len(of_group)), dtype=np.int8) * 2 - 1
        # A hair's breadth for rounding: an exchange that changes nothing is as extreme as what was seen.
        extreme += int((np.abs(signs @ of_group) >= observed - 1e-9).sum())
    return (extreme + 1) / (ROUNDS + 1)


def paired_f1_p_value(first: Sequence[str], second: Sequence[str], right: Sequence[str], seed: int = 13) -> float:
    """Two-sided p-value of a paired randomisation test on the difference in macro-F1 of two classifiers.

    As in `paired_p_value`, it is chance under the null hypothesis which of the two named which of a message's two
    classes (Yeh 2000, "More accurate tests for the statistical significance of result differences").

    Args:
        first: per message the class that one of them named.
        second: the other's, in the same order.
        right: per message its class.
        seed: of the exchanges.

    >>> right = ["a", "b"] * 30
    >>> paired_f1_p_value(right, ["a"] * 60, right) < 0.001, paired_f1_p_value(right, right, right)
    (True, 1.0)
    """
    classes = np.unique(np.asarray(right))
    truth = np.asarray(right)[:, None] == classes
    # (messages, classes): what each classifier named, for counting hits and namings after every exchange.
    one, other = (np.asarray(names)[:, None] == classes for names in (first, second))

    def macro_f1(hits: Floats, named: Floats) -> Floats:
        return np.asarray((2 * hits / (named + truth.sum(axis=0))).mean(axis=-1))

    def difference(kept: Floats) -> Floats:
        hits = [kept @ (a & truth) + (1 - kept) @ (b & truth) for a, b in ((one, other), (other, one))]
        named = [kept @ a + (1 - kept) @ b for a, b in ((one, other), (other, one))]
        return np.asarray(macro_f1(hits[0], named[0]) - macro_f1(hits[1], named[1]))

    observed = abs(float(difference(np.ones((1, len(right))))[0]))
    generator = np.random.default_rng(seed)
    extreme = 0
    for _ in range(0, ROUNDS, 1_000):
        kept = generator.integers(0, 2, size=(1_000, len(right))).astype(np.float64)
        extreme += int((np.abs(difference(kept)) >= observed - 1e-9).sum())
    return (extreme + 1) / (ROUNDS + 1)


def bootstrap_intervals(
    differences: Floats, groups: Sequence[str] | npt.NDArray[np.generic], level: float = 0.95, seed: int = 13
) -> Floats:
    """Confidence intervals of mean differences: the percentile bootstrap over conversations.

    Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13. Whole conversations are drawn,
    since the queries of one are not independent.

    Args:
        differences: (queries, figures): what one ranker got beyond the other.
        groups: per query its conversation.
        level: that the intervals hold the truth with.
        seed: of the draws.

    Returns:
        (figures, 2): lower and upper bounds; infinite where all queries are of one conversation.

    >>> low, high = bootstrap_intervals(np.array([[1.0], [0.0]] * 50), np.arange(100))[0]
    >>> bool(0.35 < low < 0.45 and 0.55 < high < 0.65)
    True
    """
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    sizes = np.bincount(group).astype(np.float64)
    if len(sizes) == 1:
        return np.tile([-np.inf, np.inf], (differences.shape[1], 1))
    sums = np.stack([np.bincount(group, weights=column) for column in differences.T], axis=1)
    generator = np.random.default_rng(seed)
    means = np.empty((DRAWS, differences.shape[1]))
    for draw in range(DRAWS):
        times = np.bincount(generator.integers(0, len(sizes), len(sizes)), minlength=len(sizes))
        means[draw] = times @ sums / (times @ sizes)
    tail = 100 * (1 - level) / 2
    return np.asarray(np.percentile(means, [tail, 100 - tail], axis=0).T)
