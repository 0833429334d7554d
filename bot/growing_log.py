"""A log that grows, read line by line as it does.

Decisions:
- It is looked at again and again, which works on every file system and for files that do not exist yet.
- A line counts when it ends, or when it is a whole JSON object although its end is missing.
- A file that was cut or replaced is read from its beginning.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from conversations.model import Json
from conversations.readers.json_log import parse
from conversations.readers.rejected import RowError

AT_ONCE = 1 << 16
"""Bytes read in one go."""
LONGEST_LINE = 1 << 20
"""Bytes of a line; a longer one is passed over."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that a person should know."""

    text: str


class GrowingLog(Generic[Item]):
    """The file, opened again whenever it is replaced."""

    def __init__(self, path: Path, read: Callable[[dict[str, Json]], Iterable[Item]]) -> None:
        """Begins at the file's beginning, once there is a file.

        Args:
            path: the log, JSON Lines.
            read: what a line says; raises RowError where that cannot be told.
        """
        self._path = path
        self._read_row = read
        self._file: BinaryIO | None = None
        self._rest = b""
        self._line = 0
        self._is_too_long = False
        self._trouble = ""
        self.is_at_end = True
        """Whether the last look came to the end of what there was."""
        self.rejected = 0
        """Lines passed over since they could not be read."""
        self.restarts = 0
        """How often it was read from its beginning because it was cut or replaced."""

    def poll(self) -> list[Item | Trouble]:
        """What is new, at most `AT_ONCE` bytes of it."""
        self.is_at_end = True
        try:
            return [*self._reopened(), *self._read()]
        except OSError as error:
            return list(self._once(f"{self._path} cannot be read ({error.strerror})."))

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _once(self, trouble: str) -> list[Trouble]:
        """Says a lasting trouble when it begins."""
        is_new, self._trouble = trouble != self._trouble, trouble
        return [Trouble(trouble)] if is_new and trouble else []

    def _reopened(self) -> list[Trouble]:
        """Opens the file where it is new, cut or replaced."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            if self._file is not None:
                return []  # between removal and replacement: the open file may still grow
            return self._once(f"{self._path} does not exist yet: waiting for it.")
        if not stat.S_ISREG(there.st_mode):
            # To open a pipe waits for whoever writes into it, and nothing is said meanwhile.
            raise OSError(errno.ESPIPE, "it is no plain file")
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
        self.restarts += had
        self._once("")
        if not had:
            return []
        half = " Half a line at its end was lost." if lost else ""
        return [Trouble(f"{self._path.name} was cut or replaced: it is read from its beginning.{half}")]

    def _read(self) -> Iterator[Item | Trouble]:
        if self._file is None:
            return
        new = self._file.read(AT_ONCE)
        self.is_at_end = len(new) < AT_ONCE
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            yield from self._take(line)
        if len(self._rest) > LONGEST_LINE:
            self._rest, self._is_too_long = b"", True
        if self._rest.rstrip().endswith(b"}") and _is_whole(self._rest):
            # Its line end, when it comes, makes an empty line, which says nothing and must not be counted.
            yield from self._take(self._rest)
            self._rest, self._line = b"", self._line - 1

    def _take(self, line: bytes) -> Iterator[Item | Trouble]:
        self._line += 1
        if self._is_too_long:
            self._is_too_long = False
            self.rejected += 1
            yield Trouble(
                f"{self._path.name}, line {self._line}: longer than {LONGEST_LINE:,} bytes; it was passed over."
            )
            return
        if not line.strip():
            return
        try:
            row = parse(line.decode("utf-8-sig"))
            if not isinstance(row, dict):
                raise RowError(f"the line is a JSON {type(row).__name__}, not an object")
            yield from self._read_row(row)
        except (RowError, UnicodeDecodeError) as error:
            self.rejected += 1
            reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            yield Trouble(f"{self._path.name}, line {self._line}: {reason}; it was passed over.")


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(parse(line), dict)
    except (RowError, UnicodeDecodeError):
        return False
