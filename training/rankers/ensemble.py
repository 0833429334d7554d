"""Several rankers as one: the mean of the probabilities that each gives to every candidate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from index.candidates import Candidate, ReadDialogue
from training.rankers.base import Ranked, Ranker, in_order


class EnsembleRanker(Ranker):
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
        return _mean(candidates, [ranker.rank(context, candidates) for ranker in self._rankers])

    def rank_many(self, contexts: Sequence[ReadDialogue], lists: Sequence[Sequence[Candidate]]) -> list[list[Ranked]]:
        """As `rank` for each, every ranker in its own way."""
        of_each = zip(*(ranker.rank_many(contexts, lists) for ranker in self._rankers), strict=True)
        return [_mean(candidates, rankings) for candidates, rankings in zip(lists, of_each, strict=True)]


def _mean(candidates: Sequence[Candidate], rankings: Sequence[list[Ranked]]) -> list[Ranked]:
    """The candidates by the mean of the weights that they have in some rankings."""
    place = {candidate.answer_id: row for row, candidate in enumerate(candidates)}
    weights = np.zeros(len(candidates))
    for ranked in rankings:
        for entry in ranked:
            weights[place[entry.candidate.answer_id]] += entry.weight / len(rankings)
    return in_order(candidates, np.log(np.maximum(weights, 1e-30)))
