"""Whether one ranker is better than another on the same queries, or was only lucky."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
ROUNDS = 10_000


def paired_p_value(
    first: Sequence[float] | Floats, second: Sequence[float] | Floats, groups: Sequence[str], seed: int = 13
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
    for begin in range(0, ROUNDS, 1_000):
        rounds = min(1_000, ROUNDS - begin)
        signs = generator.integers(0, 2, size=(rounds, len(of_group)), dtype=np.int8) * 2 - 1
        # A hair's breadth for rounding: an exchange that changes nothing is as extreme as what was seen.
        extreme += int((np.abs(signs @ of_group) >= observed - 1e-9).sum())
    return (extreme + 1) / (ROUNDS + 1)
