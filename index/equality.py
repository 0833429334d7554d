"""Which answers count as the same answer when a ranking is judged."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from index.vectors import VectorIndex

Floats = npt.NDArray[np.float32]

SAME_ANSWER = 0.85
"""Cosine of two answers from which on they count as equal; of the pairs read by hand above it, all said the same."""


def equal_answers(answers: VectorIndex, vectors: Floats, same: float = SAME_ANSWER) -> list[frozenset[int]]:
    """For each answer vector the ids of the stored answers that say the same.

    Args:
        answers: the index of answers.
        vectors: (n, dimension), unit vectors of the answers really given.
        same: least cosine.
    """
    scores, ids = answers.search(vectors, 20)
    return [
        frozenset(int(identifier) for score, identifier in zip(row, found, strict=True) if score >= same)
        for row, found in zip(scores, ids, strict=True)
    ]
