"""The files of a replay, which are to stay what they were when it began.

A log that grows, is cut or is replaced while it is read, and read anew for what is timed, would give a replay that is
neither of what it was nor of what it is, and under a key that is of neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from conversations.errors import LogError
from conversations.readers import log_files
from conversations.text import safe_text
from index.manifest import sha256_of


class _Content(NamedTuple):
    """What a file holds."""

    stamp: tuple[int, int, int]
    """Tells cheaply that nothing wrote to it."""
    digest: str


class UnchangedLogs:
    """The content of some logs, to be compared with what they hold later."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Reads all files.

        Raises:
            LogError: a log is not there.
        """
        self._paths = paths
        self._contents = {path: _Content(_stamp(path), sha256_of(path)) for path in log_files(paths)}

    @property
    def digests(self) -> list[bytes]:
        """SHA-256 of each file, in the order in which they are read."""
        return [bytes.fromhex(content.digest) for content in self._contents.values()]

    def change(self) -> LogError | None:
        """What there is to say of the first file that holds something else now, or is new or gone; None of none."""
        for path in [*self._contents, *self._files_now()]:
            if not self._is_same(path):
                name = safe_text(str(path), keep_newlines=False)
                return LogError(
                    f"{name} changed while it was replayed, and this replay of what it was is not kept.",
                    "Wait until nothing writes to it, or replay a copy of it.",
                )
        return None

    def _files_now(self) -> list[Path]:
        try:
            return log_files(self._paths)
        except LogError:
            return []  # one that is gone was told of

    def _is_same(self, path: Path) -> bool:
        known = self._contents.get(path)
        try:
            if known is None or known.stamp == (stamp := _stamp(path)):
                return known is not None
            self._contents[path] = known._replace(stamp=stamp)
            return sha256_of(path) == known.digest
        except OSError:
            return False


def _stamp(path: Path) -> tuple[int, int, int]:
    there = path.stat()
    return there.st_ino, there.st_size, there.st_mtime_ns
