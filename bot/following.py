"""A growing log of running conversations. What the file repeats, cut or replaced, is not said twice.

One conversation is the present one, that of the last thing said. One that comes back goes on where it was left. It is
known by its id, and where the log has none by its customer: what such a customer says later is the same conversation,
for nothing tells that it is another one. A line that names neither belongs to the present one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from bot.dialogue import LONGEST_MESSAGE, read_message
from bot.growing_log import GrowingLog, Trouble
from conversations.model import Json, Turn
from conversations.readers.rows import listed_turns, short, turn_of

EVERY = 0.1
"""Seconds between two looks at a followed log."""
MOST_KEPT = 500
"""Conversations that go on where they were left; of more the one that was silent longest begins anew."""


Name = TypeVar("Name")
Kept = TypeVar("Kept")
KnownBy = tuple[str | None, str | None]
"""What a conversation is known by when it comes back: its id, or without one its customer."""


def known_by(conversation: str | None, customer: str | None) -> KnownBy | None:
    """What a conversation is known by that has this id and this customer; None where it has neither of them."""
    if conversation is not None:
        return conversation, None
    return (None, customer) if customer is not None else None


@dataclass(frozen=True, slots=True)
class Said:
    """A turn of the present conversation."""

    turn: Turn
    is_typing: bool = False
    """Whether it is still being written."""


@dataclass(frozen=True, slots=True)
class Began:
    """Another conversation begins."""

    conversation: str | None = None
    """Its id, where the log has one."""


@dataclass(frozen=True, slots=True)
class WentOn:
    """A conversation that was left for another one is the present one again."""

    known: KnownBy


@dataclass(frozen=True, slots=True)
class Named:
    """The present conversation says its id."""

    conversation: str


@dataclass(frozen=True, slots=True)
class Met:
    """The present conversation says whose it is."""

    customer: str


@dataclass(frozen=True, slots=True)
class LetGo:
    """A conversation that was silent longest: it begins anew if it comes back."""

    known: KnownBy


Event = Said | Began | WentOn | Named | Met | LetGo | Trouble


@dataclass(eq=False, slots=True)
class _Conversation:
    """What the log said of one conversation, and what of that was passed on."""

    name: str | None = None
    customer: str | None = None
    said: list[Turn] = field(default_factory=list)
    repeated: int = 0
    """How many of its turns the file has said again since it was cut or replaced."""
    is_repeating: bool = False
    is_writing: bool = False
    """Whether its customer has begun to write what is not said yet."""
    named: str | None = None
    """The customer whom the file named since it was cut or replaced, or since the conversation began."""
    has_begun: bool = False
    told_name: str | None = None
    told_customer: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the next line that names a conversation may name this one."""
        return self.name is None and not self.said

    @property
    def known_by(self) -> KnownBy | None:
        """What it is known by when it comes back."""
        return known_by(self.name, self.customer)

    @property
    def is_among_repeated(self) -> bool:
        """Whether the file has not said all of it again yet: what is only being written there was so long ago."""
        return self.is_repeating and self.repeated < len(self.said)

    def is_another(self, customer: str | None) -> bool:
        """Whether a line that names this customer belongs to another conversation than one of this customer's."""
        return customer is not None and self.customer is not None and customer != self.customer


class FollowedLog:
    """What the log says of its conversations, of the present one without saying so."""

    def __init__(self, path: Path) -> None:
        """Begins at the file's beginning, once there is a file."""
        self._log = GrowingLog(path, self._events)
        self._restarts = 0
        self._present = self._told = _Conversation(has_begun=True)
        """That of the last line, and that of the last event: what says nothing new makes no other one the present."""
        self._kept: dict[KnownBy, _Conversation] = {}
        """Those that can come back, the one that was silent longest first."""
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
            for one in (self._present, *self._kept.values()):
                one.repeated, one.is_repeating, one.named = 0, True, None
        listed = listed_turns(row)
        name = short(row.get("conversation") if listed is None else row.get("id"))
        customer = short(row.get("customer"))
        yield from self._turn_to(name, customer)
        if self._present is self._told:
            yield from self._introduce()
        if listed is not None:
            self._present.repeated, self._present.is_repeating = 0, bool(self._present.said)
            for turn in listed:
                yield from self._say(turn, name, is_same=False)
            self._present.is_repeating = False
            return
        turn = turn_of(row)
        if row.get("typing") is True:
            yield from self._write(turn)
        else:
            yield from self._say(turn, name, is_same=name is not None)

    def _turn_to(self, name: str | None, customer: str | None) -> Iterator[Event]:
        """Makes the conversation of a line the present one."""
        present = self._present
        if name is not None and name != present.name:
            known = self._kept.get((name, None))
            present = known or (present if present.is_empty else _Conversation(name))
        if present.is_another(customer) or (present.is_empty and customer not in (None, present.customer)):
            # What has this id is another customer's.
            known = self._kept.get((None, customer)) if name is None else None
            present = known or _Conversation(name)
        if name is not None and present.name is None:
            # From now on it is known by its id.
            self._kept.pop((None, present.customer), None)
            present.name = name
        if customer is not None:
            present.customer = present.named = customer
            self.has_named_customer = True
        yield from self._keep(present)

    def _keep(self, present: _Conversation) -> Iterator[Event]:
        self._present = present
        known = present.known_by
        gone = None if known is None else put_last(self._kept, known, present, MOST_KEPT)
        if gone is not None:
            yield LetGo(gone)

    def _introduce(self) -> Iterator[Event]:
        """What must be known of the present conversation before anything is said in it."""
        present = self._present
        if self._told is not present:
            self._told = present
            known = present.known_by
            if present.has_begun and known is not None:
                yield WentOn(known)
            else:
                yield Began(present.name)
                present.has_begun, present.told_name = True, present.name
        if present.name is not None and present.name != present.told_name:
            present.told_name = present.name
            yield Named(present.name)
        if present.customer is not None and present.customer != present.told_customer:
            present.told_customer = present.customer
            yield Met(present.customer)

    def _write(self, draft: Turn | None) -> Iterator[Event]:
        """Says what is being written; an emptied draft only where one stands that is told of."""
        present = self._present
        if present.is_among_repeated:
            return
        if draft is not None:
            present.is_writing = draft.role == "customer"
            yield from self._introduce()
            yield Said(_cut(draft), is_typing=True)
        elif present.is_writing and present is self._told:
            present.is_writing = False
            yield Said(Turn("customer", ""), is_typing=True)

    def _say(self, turn: Turn | None, name: str | None, is_same: bool) -> Iterator[Event]:
        """Says a turn, unless the file only repeats it.

        Args:
            turn: if anybody said anything.
            name: of the conversation, where the line has it.
            is_same: whether it is known to belong to the present conversation, whatever it says.
        """
        if turn is None:
            return
        is_cut, turn = len(turn.text) > LONGEST_MESSAGE, _cut(turn)
        present = self._present
        if present.is_among_repeated:
            if turn == present.said[present.repeated]:
                present.repeated += 1
                return
            if not is_same:
                # Not the same conversation after all: what looked like its repetition was the new one's beginning.
                yield from self._keep(_Conversation(name, present.named, named=present.named))
                for one in present.said[: present.repeated]:
                    yield from self._say(one, name, is_same=True)
        present = self._present
        present.is_repeating = present.is_writing = False
        present.said.append(turn)
        yield from self._introduce()
        yield Said(turn)
        if is_cut:
            yield Trouble(f"Only the first {LONGEST_MESSAGE:,} characters of this message are read.")


def put_last(shelf: dict[Name, Kept], name: Name, what: Kept, most: int | None = None) -> Name | None:
    """Makes something the newest on a shelf.

    Args:
        shelf: the oldest first.
        name: under which it stands there once.
        what: to be put there.
        most: of more than so many the oldest is let go.

    Returns:
        The name of what was let go; None where nothing was.
    """
    shelf.pop(name, None)
    shelf[name] = what
    if most is None or len(shelf) <= most:
        return None
    oldest = next(iter(shelf))
    del shelf[oldest]
    return oldest


def _cut(turn: Turn) -> Turn:
    """A turn as long as a typed one may be."""
    return turn if len(turn.text) <= LONGEST_MESSAGE else replace(turn, text=read_message(turn.text)[0])
