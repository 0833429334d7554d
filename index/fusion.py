"""Fusing what vectors and words say of a candidate into one retrieval score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

FUSION_WEIGHTS = (0.15, 0.35, 0.10, 0.12, 0.08, 0.20)
"""Weight of each signal of `SIGNALS`; chosen on the sample's past log, each conversation left out in turn."""
BARE_WEIGHTS = (1.0, 0.0, 0.0, 0.05, 0.0, 0.0)
"""The same where answers have no past questions: their cosine, and a little of the words."""
VOTE_SCALE = 20.0
"""Inverse temperature of the votes' softmax over cosines."""


def fuse(signals: Floats, weights: Sequence[float] = FUSION_WEIGHTS) -> Floats:
    """The retrieval score of each candidate: the weighted sum of its signals.

    Args:
        signals: (candidates, len(SIGNALS))
        weights: one per signal.

    >>> fuse(np.ones((2, 6), np.float32)).round(3).tolist()
    [1.0, 1.0]
    """
    return np.asarray(signals @ np.array(weights, np.float32), dtype=np.float32)


def votes(similarities: Floats) -> Floats:
    """Each past dialogue's share of the vote: a softmax over their cosines, (pairs,) summing to 1.

    >>> votes(np.array([0.5, 0.5], np.float32)).tolist()
    [0.5, 0.5]
    """
    if len(similarities) == 0:
        return similarities
    raised = np.exp(VOTE_SCALE * (similarities - similarities.max()))
    return np.asarray(raised / raised.sum(), dtype=np.float32)
