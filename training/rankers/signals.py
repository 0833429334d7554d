"""Rankers that read one of retrieval's own signals: the baselines, and what serves where no model fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from index.candidates import SIGNALS, Candidate, ReadDialogue
from training.rankers.base import Ranked, Ranker, in_order
from training.reranker import SIGNAL_SCALE

_ANSWER, _QUESTION, _WORDS = (SIGNALS.index(name) for name in ("answer", "question", "words"))


class SignalRanker(Ranker):
    """Ranks by a number that retrieval gave each candidate."""

    states_below = 0

    def __init__(self, name: str, score: Callable[[Candidate], float]) -> None:
        """Names the ranker and its score, a cosine or a fused score."""
        self.name = name
        self._score = score

    def rank(self, context: ReadDialogue, candidates: Sequence[Candidate]) -> list[Ranked]:
        """All candidates, best first."""
        del context
        return in_order(candidates, SIGNAL_SCALE * np.array([self._score(candidate) for candidate in candidates]))


def bm25_ranker() -> SignalRanker:
    """Words only: BM25 of the question against past questions and answers."""
    return SignalRanker("bm25", lambda candidate: candidate.signals[_WORDS])


def cosine_ranker() -> SignalRanker:
    """Sentence vectors only: the nearest past question, or the answer itself where it has no past question."""
    return SignalRanker("cosine", lambda one: one.signals[_QUESTION if one.question_id >= 0 else _ANSWER])


def retrieval_ranker() -> SignalRanker:
    """The fused retrieval score."""
    return SignalRanker("retrieval", lambda candidate: candidate.retrieval_score)
