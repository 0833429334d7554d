"""A growing log of one running conversation. What the file repeats, cut or replaced, is not said twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bot.dialogue import LONGEST_MESSAGE, read_message
from bot.growing_log import GrowingLog, Trouble
from conversations.model import Json, Turn
from conversations.readers.rows import listed_turns, short, turn_of

EVERY = 0.1
"""Seconds between two looks at a followed log."""


@dataclass(frozen=True, slots=True)
class Said:
    """A turn of the present conversation."""

    turn: Turn
    is_typing: bool = False
    """Whether it is still being written."""


@dataclass(frozen=True, slots=True)
class Began:
    """Another conversation begins."""


@dataclass(frozen=True, slots=True)
class Met:
    """The present conversation says whose it is."""

    customer: str


Event = Said | Began | Met | Trouble


class FollowedLog:
    """What the log says of the present conversation."""

    def __init__(self, path: Path) -> None:
        """Begins at the file's beginning, once there is a file."""
        self._log = GrowingLog(path, self._events)
        self._restarts = 0
        self._conversation: str | None = None
        self._customer: str | None = None
        self._said: list[Turn] = []
        """Turns of the present conversation."""
        self._repeated = 0
        """How many of them the file has said again since it was cut or replaced."""
        self._is_repeating = False
        self._named: str | None = None
        """The customer whom the file named since it was cut or replaced, or since the conversation began."""
        self.has_named_customer = False
        """Whether it said so far whose any of its conversations is."""

    def poll(self) -> list[Event]:
        """What is new, a limited part of it at a time."""
        return self._log.poll()

    def close(self) -> None:
        """Closes the file."""
        self._log.close()

    def _events(self, row: dict[str, Json]) -> Iterator[Event]:
        if self._restarts != self._log.restarts:
            self._restarts = self._log.restarts
            self._repeated, self._is_repeating, self._named = 0, True, None
        listed = listed_turns(row)
        name = short(row.get("conversation") if listed is None else row.get("id"))
        customer = short(row.get("customer"))
        self._named = customer or self._named
        is_first = self._conversation is None and not self._said
        is_other = not is_first and name is not None and name != self._conversation
        is_new_customer = customer is not None and customer != self._customer
        if is_other or (is_new_customer and (is_first or self._customer)):
            yield from self._begin(customer)
        elif is_new_customer:
            yield from self._meet(customer)
        self._conversation = name or self._conversation
        if listed is not None:
            self._repeated, self._is_repeating = 0, bool(self._said)
            for turn in listed:
                yield from self._say(turn, is_same=False)
            self._is_repeating = False
            return
        turn = turn_of(row)
        if row.get("typing") is True and turn is not None:
            yield Said(_cut(turn), is_typing=True)
        else:
            yield from self._say(turn, is_same=name is not None and not is_other)

    def _begin(self, customer: str | None) -> Iterator[Event]:
        self._said, self._repeated, self._is_repeating = [], 0, False
        self._customer = self._named = None
        yield Began()
        yield from self._meet(customer)

    def _meet(self, customer: str | None) -> Iterator[Event]:
        if customer is not None:
            self._customer = self._named = customer
            self.has_named_customer = True
            yield Met(customer)

    def _say(self, turn: Turn | None, is_same: bool) -> Iterator[Event]:
        """Says a turn, unless the file only repeats it.

        Args:
            turn: if anybody said anything.
            is_same: whether it is known to belong to the present conversation, whatever it says.
        """
        if turn is None:
            return
        is_cut, turn = len(turn.text) > LONGEST_MESSAGE, _cut(turn)
        if self._is_repeating and self._repeated < len(self._said):
            if turn == self._said[self._repeated]:
                self._repeated += 1
                return
            if not is_same:
                # Not the same conversation after all: what looked like its repetition was the new one's beginning.
                same = self._said[: self._repeated]
                yield from self._begin(self._named)
                for one in same:
                    yield from self._say(one, is_same=True)
        self._is_repeating = False
        self._said.append(turn)
        if is_cut:
            yield Trouble(f"Only the first {LONGEST_MESSAGE:,} characters of this message are read.")
        yield Said(turn)


def _cut(turn: Turn) -> Turn:
    """A turn as long as a typed one may be."""
    return turn if len(turn.text) <= LONGEST_MESSAGE else replace(turn, text=read_message(turn.text)[0])
