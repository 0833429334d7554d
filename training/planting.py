"""Candidates that repeat the customer's words and answer nothing, planted among the real ones of a training example.

Similarity alone likes nothing better than the question itself: a ranker must have seen such candidates lose.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from index.candidates import SIGNALS, Candidate, ReadDialogue
from index.embedder import Embedder
from index.fusion import fuse
from index.states import ExtraStates
from training.attacks import PLANTED

PLANTED_SHARE = 0.1
"""Share of the training examples that get one."""


class Planter:
    """Plants candidates among those of training examples."""

    def __init__(
        self, embedder: Embedder, states: ExtraStates, states_below: int, weights: Sequence[float], seed: int
    ) -> None:
        """Remembers what planting needs.

        Args:
            embedder: reads what is planted.
            states: gets the token states of it.
            states_below: as for `Embedder.encode_tokens`.
            weights: of the signals in the retrieval score.
            seed: decides where and what.
        """
        self._embedder, self._states, self._states_below = embedder, states, states_below
        self._weights = weights
        self._generator = random.Random(seed)

    def planted(self, context: ReadDialogue, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates, in a share of the calls with one more, which stands where retrieval would put it."""
        if self._generator.random() >= PLANTED_SHARE or not context.question.strip():
            return list(candidates)
        text = self._generator.choice(list(PLANTED.values()))(context.question, self._generator)
        encoded = self._embedder.encode_tokens(self._embedder.tokenize_answers([text]), self._states_below)
        signals = dict.fromkeys(SIGNALS, 0.0)
        signals |= {"answer": float(encoded.vectors[0] @ context.dialogue_vector), "words": 1.0}
        values = np.array([tuple(signals.values())], np.float32)
        trap = Candidate(
            answer_id=self._states.add(encoded.states[0]),
            text=text,
            signals=tuple(signals.values()),
            retrieval_score=float(fuse(values, self._weights)[0]),
        )
        return sorted([*candidates, trap], key=lambda candidate: -candidate.retrieval_score)
