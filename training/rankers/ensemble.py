"""Several rankers as one: the mean of the probabilities that each gives to every candidate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.candidates import Candidate, ReadDialogue
from training.rankers.base import Ranked, Ranker, in_order


class EnsembleRanker:
    """Averages softmax weights (Lakshminarayanan et al. 2017, "Deep Ensembles"); costs as much as all of them.

    The score is the logarithm of the mean weight, so a calibration fitted to one softmax fits in kind.
    """

    name = "ensemble"

    def __init__(self, rankers: Sequence[Ranker]) -> None:
        """Joins rankers; they must need the same token states of the dialogue, or none.

        Raises:
            ValueError: there is no ranker, or they need different states.
        """
        needed = {ranker.states_below for ranker in rankers if ranker.states_below}
        if not rankers or len(needed) > 1:
            raise ValueError("An ensemble takes rankers that read the same token states.")
        self._rankers = list(rankers)
        self.states_below = max(needed, default=0)

    def rank(self, context: ReadDialogue, candidates: Sequence[Candidate]) -> list[Ranked]:
        """All candidates, best first."""
        place = {candidate.answer_id: row for row, candidate in enumerate(candidates)}
        weights = np.zeros(len(candidates))
        for ranker in self._rankers:
            for entry in ranker.rank(context, candidates):
                weights[place[entry.candidate.answer_id]] += entry.weight / len(self._rankers)
        return in_order(candidates, np.log(np.maximum(weights, 1e-30)))
