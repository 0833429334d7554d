"""Training lists as a desk without past questions would serve them: bare answers.

A model that has only seen answers with the questions they were given to trusts these, and is lost where an FAQ or a
reply bank has none.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from index.candidates import SIGNALS, Candidate
from index.fusion import fuse
from training.examples import Case

BARE_SHARE = 0.3
"""Share of a desk's training lists."""
_LEFT = {"answer", "words"}
"""Signals that need no past question."""


def some_bare(cases: Iterable[Case], weights: Sequence[float], seed: int) -> Iterator[Case]:
    """The cases, a share of them with bare answers.

    Args:
        cases: as a desk's retriever serves them.
        weights: of the signals in the retrieval score.
        seed: decides which.
    """
    generator = random.Random(seed)
    for case in cases:
        if generator.random() < BARE_SHARE:
            case.candidates = bare(case.candidates, weights)
        yield case


def bare(candidates: Sequence[Candidate], weights: Sequence[float]) -> list[Candidate]:
    """The answers alone, best first by the signals that are left."""
    stripped = []
    for candidate in candidates:
        signals = tuple(
            value if name in _LEFT else 0.0 for name, value in zip(SIGNALS, candidate.signals, strict=True)
        )
        score = float(fuse(np.array([signals], np.float32), weights)[0])
        stripped.append(replace(candidate, signals=signals, retrieval_score=score, question_id=-1, question=""))
    return sorted(stripped, key=lambda candidate: -candidate.retrieval_score)
