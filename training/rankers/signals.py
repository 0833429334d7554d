"""Rankers that read one of retrieval's own signals: the baselines, and what serves where no model fits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.candidates import SIGNALS, Candidate, ReadDialogue
from training.rankers.base import Floats, Ranked, in_order
from training.reranker import SIGNAL_SCALE


class SignalRanker:
    """Ranks by the largest of some signals, or by the fused retrieval score."""

    states_below = 0

    def __init__(self, name: str, signals: Sequence[str] = ()) -> None:
        """Names the ranker; without signals it ranks by the retrieval score."""
        self.name = name
        self._columns = [SIGNALS.index(signal) for signal in signals]

    def rank(self, context: ReadDialogue, candidates: Sequence[Candidate]) -> list[Ranked]:
        """All candidates, best first."""
        del context
        return in_order(candidates, SIGNAL_SCALE * self.scores(candidates))

    def scores(self, candidates: Sequence[Candidate]) -> Floats:
        """One score per candidate."""
        if not self._columns:
            return np.array([candidate.retrieval_score for candidate in candidates])
        return np.array([max(candidate.signals[c] for c in self._columns) for candidate in candidates])


def bm25_ranker() -> SignalRanker:
    """Words only: BM25 of the question against past questions and answers."""
    return SignalRanker("bm25", ("words",))


def cosine_ranker() -> SignalRanker:
    """Sentence vectors only: the nearest past question or the nearest answer, whichever is nearer."""
    return SignalRanker("cosine", ("question", "answer"))


def retrieval_ranker() -> SignalRanker:
    """The fused retrieval score."""
    return SignalRanker("retrieval")
