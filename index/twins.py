"""The same conversation under another id, told by how it opens, and all that one must not find when it is asked.

Where a log has no ids a conversation is named after all that was said in it, so one that has gone on since it was
imported has another name; and two exports may number the same conversations differently.

Decisions:
- Two are the same where their first turns are, as many as both have, by their words in their order: exports differ in
  quotes, punctuation and blanks, and in what an agent or a machine says before the customer does.
- Two that began more than a day apart, by the times that both name, are not: what many ask in the same words is
  answered in the same words.
- What de-identification replaces in a turn depends on the turns after it (a name may be said only later): one turn in
  four may differ where a placeholder stands.
- Where more than `MOST_COPIES` open like one, they are others: many who ask one thing in the same words, undated.
- A greeting and its reply prove nothing: the customer must have said some words in the turns that are alike. Of the
  610 conversations of STAR's dev set, all of them strangers to the 4,848 of its training set, three are taken for one
  of these; without this condition it would be 130.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import dropwhile, islice
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from conversations.merging import words_said
from conversations.model import Conversation, Turn
from conversations.moments import first_moment
from conversations.privacy_patterns import PLACEHOLDER
from conversations.readers.rows import is_earlier_state
from conversations.store import Store
from conversations.text import answer_key
from index.visibility import moment_of

OPENING = 8
"""Turns that are compared."""
LEAST_WORDS = 6
"""Of the customer in the turns that are alike, placeholders not counted."""
MOST_COPIES = 8
"""Other ids that one conversation may have."""
MAY_DIFFER = 4
"""One turn in so many."""
DAY = 24 * 3600.0
"""Seconds between two beginnings within which they may be one: exports name times in zones of their own, or none."""

Rows = npt.NDArray[np.int64]
Masks = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_FACTOR = 6364136223846793005
"""Of the digests of turns that follow each other: that of Knuth's MMIX generator."""


class _Openings(NamedTuple):
    """How some conversations open, one a row; what has a column a turn has `OPENING` of them."""

    digests: Rows
    """(conversations, OPENING); 0 where there is no turn."""
    has_placeholder: Masks
    """(conversations, OPENING)"""
    is_agent: Masks
    """(conversations, OPENING)"""
    words: Rows
    """(conversations, OPENING): how many the customer says."""
    lengths: Rows
    """(conversations,): turns, `OPENING` at most."""
    began: Floats
    """(conversations,): in seconds, NaN where it is not known."""

    @classmethod
    def of(cls, openings: Iterable[Sequence[Turn]]) -> Self:
        began, rows = [], []
        for turns in openings:
            began.append(_began(turns))
            asked = islice(dropwhile(lambda turn: turn.role == "agent", turns), OPENING)
            rows.append([(_digest(turn), _has_placeholder(turn), *_said(turn)) for turn in asked])
        told = np.zeros((len(rows), OPENING, 4), np.int64)
        for place, row in enumerate(rows):
            if row:  # the customer says something
                told[place, : len(row)] = row
        digests, has_placeholder, is_agent, words = np.moveaxis(told, 2, 0)
        lengths = np.array([len(row) for row in rows], np.int64)
        return cls(
            digests.copy(), has_placeholder > 0, is_agent > 0, words.copy(), lengths, np.array(began, np.float64)
        )

    def at(self, places: Rows | slice) -> _Openings:
        """Some of them, in this order."""
        return _Openings._make(column[places] for column in self)

    def same_as(self, one: _Openings) -> Rows:
        """The places of those that are the same conversation as a single one."""
        within = np.arange(OPENING) < np.minimum(self.lengths, one.lengths)[:, None]
        alike = within & (self.digests == one.digests)
        shared = within.sum(axis=1)
        near = np.flatnonzero(alike.sum(axis=1) >= shared - shared // MAY_DIFFER)
        alike = alike[near]
        may_differ = ~within[near] | one.has_placeholder | self.has_placeholder[near]
        same = (alike | may_differ).all(axis=1) & (alike & one.is_agent).any(axis=1)
        same &= (alike @ one.words[0] >= LEAST_WORDS) & ~(np.abs(self.began[near] - one.began) > DAY)
        return np.asarray(near[same], np.int64)


class Twins:
    """Which conversations of a desk are one."""

    def __init__(self, openings: Iterable[tuple[str, Sequence[Turn]]]) -> None:
        """Takes the ids of conversations with their first turns, `OPENING` at most."""
        self._ids: list[str] = []
        self._openings = _Openings.of(self._noting(openings))

    @classmethod
    def of_store(cls, store: Store) -> Self:
        """Reads the openings of all conversations of a desk."""
        return cls(store.openings(OPENING))

    def of(self, conversation: Conversation) -> tuple[str, ...]:
        """The desk's conversations that are this one under other ids.

        Args:
            conversation: de-identified as the desk's are.
        """
        same = self._openings.same_as(_Openings.of([conversation.turns]))
        copies = tuple(name for place in same if (name := self._ids[place]) != conversation.id)
        return copies if len(copies) <= MOST_COPIES else ()

    def firsts(self) -> dict[str, str]:
        """For each conversation that is one with an earlier one of the desk the first that it is one with.

        Each is compared with those that begin as it does, as far as it takes for these to be few: the work grows with
        the desk, not with its square. Copies are missed where other things were replaced in what tells them apart.
        """
        first: dict[int, int] = {}
        for few in self._with_few():
            openings = self._openings.at(few)
            for row, place in enumerate(few.tolist()):
                earlier = openings.at(slice(row)).same_as(openings.at(slice(row, row + 1)))
                if len(earlier):
                    known = int(few[earlier[0]])
                    first[place] = first.get(known, known)
        return {self._ids[place]: self._ids[known] for place, known in first.items()}

    def _with_few(self) -> Iterator[Rows]:
        """The places of conversations that begin alike, as far as it takes for these to be few; rising."""
        openings = self._openings
        beginnings = np.zeros(len(self._ids), np.int64)
        is_left = np.ones(len(self._ids), bool)
        for turn in range(OPENING):
            beginnings = beginnings * _FACTOR + openings.digests[:, turn]
            places = np.flatnonzero(is_left & (turn < openings.lengths))
            places = places[np.argsort(beginnings[places], kind="stable")]
            for alike in np.split(places, np.flatnonzero(np.diff(beginnings[places])) + 1):
                if len(alike) <= MOST_COPIES + 1:
                    is_left[alike] = False
                    if len(alike) > 1:
                        yield alike

    def _noting(self, openings: Iterable[tuple[str, Sequence[Turn]]]) -> Iterator[Sequence[Turn]]:
        """The turns, as their ids are noted."""
        for name, turns in openings:
            self._ids.append(name)
            yield turns


class OwnIds:
    """Under which ids a desk has a conversation that is not to find itself."""

    def __init__(self, store: Store) -> None:
        """Reads the openings of all conversations of the desk."""
        self._store = store
        self._twins = Twins.of_store(store)

    def of(self, conversation: Conversation, earlier_names: Sequence[str]) -> tuple[str, ...]:
        """The ids to hide: its own, which is the first, those of its earlier states and those of its twins.

        Args:
            conversation: de-identified as the desk's are.
            earlier_names: see there; told by the conversation as it was logged.
        """
        named = self._store.conversations(earlier_names) if earlier_names else ()
        states = [one.id for one in named if is_earlier_state(one, conversation)]
        return tuple(dict.fromkeys((conversation.id, *states, *self._twins.of(conversation))))

    def firsts(self) -> dict[str, str]:
        """See `Twins.firsts`."""
        return self._twins.firsts()


def _has_placeholder(turn: Turn) -> bool:
    return PLACEHOLDER.search(turn.text) is not None


def _began(turns: Sequence[Turn]) -> float:
    moment = moment_of(first_moment(turns))
    return np.nan if moment is None else moment


def _digest(turn: Turn) -> int:
    return hash((turn.role, answer_key(turn.text)))


def _said(turn: Turn) -> tuple[bool, int]:
    """Whether it is the agent's, and how many words it has if it is the customer's."""
    is_agent = turn.role == "agent"
    return is_agent, 0 if is_agent else sum(word[0] not in "<[" for word in words_said(turn.text))
