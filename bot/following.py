"""A growing log of one running conversation, read as it grows.

Decisions:
- It is looked at again and again, which works on every file system and for files that do not exist yet.
- A line counts when it ends, or when it is a whole JSON object although its end is missing.
- A file that was cut or replaced is read from its beginning; what it repeats is not said twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from conversations.model import Turn
from conversations.readers.json_log import parse
from conversations.readers.rejected import RowError
from conversations.readers.rows import listed_turns, short, turn_of

AT_ONCE = 1 << 16
"""Bytes read in one go."""
LONGEST_LINE = 1 << 20
"""Bytes of a line; a longer one is passed over."""


@dataclass(frozen=True, slots=True)
class Said:
    """A turn of the present conversation."""

    turn: Turn
    is_typing: bool = False
    """Whether it is still being written."""


@dataclass(frozen=True, slots=True)
class Began:
    """Another conversation begins."""

    customer: str | None = None
    """Whose, where the log tells."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that a person should know."""

    text: str


Event = Said | Began | Trouble


class FollowedLog:
    """The log, opened again whenever it is replaced."""

    def __init__(self, path: Path) -> None:
        """Begins at the file's beginning, once there is a file."""
        self._path = path
        self._file: BinaryIO | None = None
        self._rest = b""
        self._line = 0
        self._is_too_long = False
        self._trouble = ""
        self._conversation: str | None = None
        self._customer: str | None = None
        self._said: list[Turn] = []
        """Turns of the present conversation."""
        self._repeated = 0
        """How many of them the file has said again since it was cut or replaced."""
        self._is_repeating = False

    def poll(self) -> list[Event]:
        """What is new, at most `AT_ONCE` bytes of it."""
        try:
            return [*self._reopened(), *self._read()]
        except OSError as error:
            return self._once(f"{self._path} cannot be read ({error.strerror}).")

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _once(self, trouble: str) -> list[Event]:
        """Says a lasting trouble when it begins."""
        is_new, self._trouble = trouble != self._trouble, trouble
        return [Trouble(trouble)] if is_new and trouble else []

    def _reopened(self) -> list[Event]:
        """Opens the file where it is new, cut or replaced."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            if self._file is not None:
                return []  # between removal and replacement: the open file may still grow
            return self._once(f"{self._path} does not exist yet: waiting for it.")
        if self._file is not None:
            own = os.fstat(self._file.fileno())
            is_replaced = (own.st_ino, own.st_dev) != (there.st_ino, there.st_dev)
            if not is_replaced and there.st_size >= self._file.tell():
                return []
            if is_replaced and own.st_size > self._file.tell():
                return []  # first the rest of the old one
        had, lost = self._file is not None, bool(self._rest)
        file = self._path.open("rb")
        self.close()
        self._file = file
        self._rest, self._line, self._is_too_long = b"", 0, False
        self._repeated, self._is_repeating = 0, had
        self._once("")
        if not had:
            return []
        half = " Half a line at its end was lost." if lost else ""
        return [Trouble(f"{self._path.name} was cut or replaced: it is read from its beginning.{half}")]

    def _read(self) -> Iterator[Event]:
        if self._file is None:
            return
        *lines, self._rest = (self._rest + self._file.read(AT_ONCE)).split(b"\n")
        for line in lines:
            yield from self._take(line)
        if len(self._rest) > LONGEST_LINE:
            self._rest, self._is_too_long = b"", True
        if self._rest.rstrip().endswith(b"}") and _is_whole(self._rest):
            # Its line end, when it comes, makes an empty line, which says nothing and must not be counted.
            yield from self._take(self._rest)
            self._rest, self._line = b"", self._line - 1

    def _take(self, line: bytes) -> Iterator[Event]:
        self._line += 1
        if self._is_too_long:
            self._is_too_long = False
            yield Trouble(
                f"{self._path.name}, line {self._line}: longer than {LONGEST_LINE:,} bytes; it was passed over."
            )
            return
        if not line.strip():
            return
        try:
            yield from self._events(parse(line.decode("utf-8-sig")))
        except (RowError, UnicodeDecodeError) as error:
            reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            yield Trouble(f"{self._path.name}, line {self._line}: {reason}; it was passed over.")

    def _events(self, row: object) -> Iterator[Event]:
        if not isinstance(row, dict):
            raise RowError(f"the line is a JSON {type(row).__name__}, not an object with role and text")
        listed = listed_turns(row)
        name = short(row.get("conversation") if listed is None else row.get("id"))
        customer = short(row.get("customer"))
        is_other = name is not None and name != self._conversation
        if (is_other and (self._conversation is not None or self._said)) or (customer and customer != self._customer):
            yield from self._begin(customer)
        self._conversation = name or self._conversation
        if listed is not None:
            self._repeated, self._is_repeating = 0, bool(self._said)
            for turn in listed:
                yield from self._say(turn)
            self._is_repeating = False
            return
        turn = turn_of(row)
        if row.get("typing") is True and turn is not None:
            yield Said(turn, is_typing=True)
        else:
            yield from self._say(turn)

    def _begin(self, customer: str | None) -> Iterator[Event]:
        self._said, self._repeated, self._is_repeating, self._customer = [], 0, False, customer
        yield Began(customer)

    def _say(self, turn: Turn | None) -> Iterator[Event]:
        if turn is None:
            return
        if self._is_repeating and self._repeated < len(self._said):
            if turn == self._said[self._repeated]:
                self._repeated += 1
                return
            # Not the same conversation after all: what looked like its repetition was the new one's beginning.
            same = self._said[: self._repeated]
            yield from self._begin(self._customer)
            for one in same:
                yield from self._say(one)
        self._said.append(turn)
        yield Said(turn)


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(parse(line), dict)
    except (RowError, UnicodeDecodeError):
        return False
