"""Which past pairs a dialogue may see: all, all but one conversation, or only what was said before a moment.

A replayed conversation must not find itself, and one that is replayed as of its day must not find what came later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from conversations.moments import read_moment

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

OPENINGS = 10
"""Nearest past questions of which is counted how many began their conversations."""
FEW_PAIRS = 100
"""On a desk of fewer pairs the nearest questions are not near, and nothing is counted."""
EVIDENCE_TRIED = 4
"""Past pairs looked at for an answer that no pair search found."""


class Links:
    """Past pairs, which answer each was given, and in which conversation; or the visible part of them."""

    def __init__(self, pairs: Ids, answers: Ids, ordinals: Ids, by_answer: Ids | None = None) -> None:
        """Takes pairs by rising id.

        Args:
            pairs: (pairs,) ids.
            answers: (pairs,) ids of their answers.
            ordinals: (pairs,) of their conversations, in the order of import.
            by_answer: (pairs,) rows in the order of their answers' ids, where they are known.
        """
        self.pairs, self.answers, self.ordinals = pairs, answers, ordinals
        self._by_answer = np.argsort(answers, kind="stable") if by_answer is None else by_answer
        self._sorted = answers[self._by_answer]

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.pairs)

    @property
    def different_answers(self) -> int:
        """Number of answers that were given."""
        return int(np.count_nonzero(np.diff(self._sorted))) + bool(len(self._sorted))

    def without(self, hidden: Mask) -> Links:
        """Those that are not hidden; `hidden` is (pairs,)."""
        if not hidden.any():
            return self
        shown = ~hidden
        place = np.cumsum(shown) - 1
        by_answer = place[self._by_answer[shown[self._by_answer]]]
        return Links(self.pairs[shown], self.answers[shown], self.ordinals[shown], by_answer)

    def sees(self, pairs: Ids) -> Mask:
        """Which of these pairs are here, (len(pairs),)."""
        return _among(pairs, self.pairs)

    def sees_answers(self, answers: Ids) -> Mask:
        """Which of these answers were given in any pair that is here, (len(answers),)."""
        return _among(answers, self._sorted)

    def answers_of(self, pairs: Ids) -> Ids:
        """The answers of pairs that are here."""
        return np.asarray(self.answers[np.searchsorted(self.pairs, pairs)], dtype=np.int64)

    def given(self, answers: Ids) -> Ids:
        """How often each answer was given."""
        return np.searchsorted(self._sorted, answers, "right") - np.searchsorted(self._sorted, answers)

    def openings_among(self, nearest: Ids) -> float:
        """Share of the first `OPENINGS` of these pairs that began their conversations; 0 where that tells nothing."""
        if len(self.pairs) < FEW_PAIRS or not len(nearest):
            return 0.0
        return float(_among(nearest[:OPENINGS], self._openings).mean())

    @cached_property
    def _openings(self) -> Ids:
        """The first pair of each conversation, by rising id."""
        return np.sort(self.pairs[np.unique(self.ordinals, return_index=True)[1]])

    def evidence(self, answers: Ids) -> Ids:
        """A few pairs of each of these answers."""
        if not len(self.pairs):
            return self.pairs
        begins = np.searchsorted(self._sorted, answers)
        places = begins[:, None] + np.arange(EVIDENCE_TRIED)[None, :]
        places = np.minimum(places, len(self._sorted) - 1)
        own = self._sorted[places] == answers[:, None]
        return np.asarray(self.pairs[self._by_answer[places[own]]], dtype=np.int64)


class Times:
    """When each of some pairs was said, as far as that is known."""

    def __init__(self, links: Links, times: Mapping[int, str]) -> None:
        """Takes the pairs with the times of those that have one, in ISO 8601."""
        self._ordinals = links.ordinals
        said = [moment_of(times.get(pair)) for pair in links.pairs.tolist()]
        self._said = np.array([np.nan if moment is None else moment for moment in said], np.float64)
        self._is_dated = ~np.isnan(self._said)
        order = np.lexsort((links.pairs, links.ordinals))
        known = np.where(self._is_dated, self._said, -np.inf)
        known[order] = np.maximum.accumulate(known[order])
        self._at_least = known
        self._undated_seen_from = float(known[~self._is_dated].min(initial=np.inf))

    def came_later(self, own: Sequence[int], since: float | None) -> Mask:
        """Which pairs a conversation must not see as of its day, (pairs,).

        Those with a time, where the conversation has one, are hidden by it. Others are hidden by the order of
        import: what came into the desk after the conversation itself. Where that is not in the desk, a pair without
        a time counts as said when the latest one imported before it was, since it is seldom older.

        Args:
            own: ordinals of the conversation and its copies in the desk, rising.
            since: when it began, in seconds.
        """
        by_order = self._ordinals >= own[0] if own else np.zeros(len(self._said), bool)
        if since is None:
            return by_order
        return np.where(self._is_dated, self._said >= since, by_order if own else self._at_least >= since)

    def is_placed(self, own: Sequence[int], since: float | None) -> bool:
        """Whether it is known of all that the conversation may see that it came before; arguments as above."""
        return bool(own) or (since is not None and self._undated_seen_from >= since)


def moment_of(time: str | None) -> float | None:
    """Seconds since 1970 of a time in ISO 8601, by UTC where it names no zone; None where it cannot be read."""
    read = read_moment(time)
    return read.timestamp() if read else None


def _among(wanted: Ids, held: Ids) -> Mask:
    if not len(held):
        return np.zeros(len(wanted), dtype=bool)
    places = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
    return np.asarray(held[places] == wanted)
