"""The same conversation under another id, told by how it opens, and all that one must not find when it is asked.

Where a log has no ids a conversation is named after all that was said in it, so one that has gone on since it was
imported has another name; and two exports may number the same conversations differently.

Decisions:
- Two are the same where their first turns are, as many as both have, by their words in their order.
- Two that began more than a day apart, by the times that both name, are not: what many ask in the same words is
  answered in the same words.
- What de-identification replaces in a turn depends on the turns after it (a name may be said only later): one turn in
  four may differ where a placeholder stands.
- Where more than `MOST_COPIES` open like one, they are others: many who ask one thing in the same words, undated.
- A greeting and its reply prove nothing: the customer must have said some words in the turns that are alike. Of the
  610 conversations of STAR's dev set, all of them strangers to the 4,848 of its training set, two are taken for one
  of these; without this condition it would be 44.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from conversations.merging import words_said
from conversations.model import Conversation, Turn
from conversations.moments import first_moment
from conversations.privacy_patterns import PLACEHOLDER
from conversations.readers.rows import is_earlier_state
from conversations.store import Store
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


class Twins:
    """How the conversations of a desk open."""

    def __init__(self, openings: Iterable[tuple[str, Sequence[Turn]]]) -> None:
        """Takes the ids of conversations with their first turns, `OPENING` at most."""
        self._ids: list[str] = []
        began = []
        rows = []
        for name, turns in openings:
            self._ids.append(name)
            began.append(_began(turns))
            rows.append([(_digest(turn), _has_placeholder(turn)) for turn in turns[:OPENING]])
        self._turns: Rows = np.zeros((len(rows), OPENING), np.int64)
        self._has_placeholder: Masks = np.zeros((len(rows), OPENING), bool)
        self._began = np.array(began, np.float64)
        self._lengths = np.array([len(row) for row in rows], np.int64)
        for place, row in enumerate(rows):
            self._turns[place, : len(row)] = [digest for digest, _ in row]
            self._has_placeholder[place, : len(row)] = [has_placeholder for _, has_placeholder in row]

    @classmethod
    def of_store(cls, store: Store) -> Self:
        """Reads the openings of all conversations of a desk."""
        return cls(store.openings(OPENING))

    def of(self, conversation: Conversation) -> tuple[str, ...]:
        """The desk's conversations that are this one under other ids.

        Args:
            conversation: de-identified as the desk's are.
        """
        turns = conversation.turns[:OPENING]
        count = len(turns)
        shared = np.minimum(self._lengths, count)
        alike = self._turns[:, :count] == np.array([_digest(turn) for turn in turns], np.int64)
        near = np.flatnonzero(alike.sum(axis=1) >= shared - shared // MAY_DIFFER)
        alike, beyond = alike[near], np.arange(count) >= shared[near, None]
        has_placeholder = np.array([_has_placeholder(turn) for turn in turns], bool)
        may_differ = beyond | has_placeholder | self._has_placeholder[near, :count]
        is_agent = np.array([turn.role == "agent" for turn in turns], bool)
        said = np.array([0 if turn.role == "agent" else _words(turn) for turn in turns], np.int64)
        same = (alike | may_differ).all(axis=1) & (alike & is_agent).any(axis=1) & (alike @ said >= LEAST_WORDS)
        same &= ~(np.abs(self._began[near] - _began(turns)) > DAY)
        copies = tuple(name for place in near[same] if (name := self._ids[place]) != conversation.id)
        return copies if len(copies) <= MOST_COPIES else ()


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


def _has_placeholder(turn: Turn) -> bool:
    return PLACEHOLDER.search(turn.text) is not None


def _began(turns: Sequence[Turn]) -> float:
    moment = moment_of(first_moment(turns))
    return np.nan if moment is None else moment


def _digest(turn: Turn) -> int:
    return hash((turn.role, " ".join(turn.text.casefold().split())))


def _words(turn: Turn) -> int:
    return sum(word[0] not in "<[" for word in words_said(turn.text))
