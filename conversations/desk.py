"""Desks: one team's knowledge is one directory, and desks never mix."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import platformdirs
from filelock import FileLock, Timeout

from conversations.errors import DeskBusy, DeskError
from conversations.replays import Replays
from conversations.store import Store
from conversations.text import safe_text

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
_DATABASE = "desk.sqlite"
_PRIVATE = 0o700
"""What customers wrote is nobody else's business on a machine that people share."""
_PATIENCE = 2.0
"""Seconds that a command waits for another one that is just about to finish."""


def at_home(named: str | Path) -> Path:
    """A path with a leading ~ read as the user's directory; the ~ of a user whom nobody knows stays as it is."""
    return Path(os.path.expanduser(named))  # noqa: PTH111 - that of pathlib raises for such a user


def default_home() -> Path:
    """Where desks are kept: ATTENDANT_HOME, or the platform's directory for a user's data."""
    named = os.environ.get("ATTENDANT_HOME")
    return at_home(named) if named else platformdirs.user_data_path("attendant", appauthor=False)


def list_desks(home: Path) -> list[str]:
    """The names of the desks that exist, sorted."""
    return sorted(
        entry.parent.name for entry in _desks(home).glob(f"*/{_DATABASE}") if _NAME.fullmatch(entry.parent.name)
    )


def _desks(home: Path) -> Path:
    return home / "desks"


class Desk:
    """The directory of one desk and what lies in it."""

    def __init__(self, home: Path, name: str) -> None:
        """Names a desk; nothing is opened or made.

        Raises:
            DeskError: The name could not be a directory's.
        """
        if not _NAME.fullmatch(name):
            raise DeskError(
                f"{safe_text(name, keep_newlines=False)[:80]!r} cannot be the name of a desk.",
                "Use 1 to 64 letters, digits, '-', '_' and '.', not a dot first.",
            )
        self.home = home
        self.name = name
        self.path = _desks(home) / name
        self.database = self.path / _DATABASE
        self.index_path = self.path / "index"
        self.models_path = self.path / "models"
        self.rejects_path = self.path / "rejects"
        self.replays_path = self.path / "replays.sqlite"

    @classmethod
    def open(cls, home: Path, name: str) -> Self:
        """A desk that exists.

        Raises:
            DeskError: There is no such desk; says which there are.
        """
        desk = cls(home, name)
        if not desk.exists():
            others = list_desks(home)
            there = f"There are: {', '.join(others)}." if others else "There is none yet."
            raise DeskError(f"There is no desk {name!r}. {there}", f"Make it: attendant import LOGS --desk {name}")
        return desk

    @classmethod
    def create(cls, home: Path, name: str) -> Self:
        """A desk with its directories made, if they were not there.

        Raises:
            DeskError: The directories cannot be made.
        """
        desk = cls(home, name)
        try:
            for directory in (desk.path, desk.index_path, desk.models_path, desk.rejects_path):
                directory.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        except OSError as error:
            raise DeskError(
                f"{desk.path} cannot be made: {error.strerror}.", "Choose another directory with --home DIR."
            ) from error
        return desk

    def exists(self) -> bool:
        """Whether something was ever imported into it."""
        return self.database.is_file()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keeps other writing commands out while the block runs. Readers are not held up.

        Raises:
            DeskBusy: Another command is writing.
            DeskError: The lock cannot be made.
        """
        lock = FileLock(self.path / "desk.lock", timeout=_PATIENCE)
        try:
            lock.acquire()
        except Timeout:
            raise DeskBusy(
                f"Another command is writing to desk {self.name!r}.", "Wait until it is done, or stop it."
            ) from None
        except OSError as error:
            raise DeskError(
                f"Desk {self.name!r} cannot be written to: {error.strerror}.",
                f"Check the permissions of {self.path}.",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def store(self) -> Store:
        """The desk's store, opened and brought up to date.

        Raises:
            DeskError: It is damaged, or a newer version made it.
        """
        return Store(self.database)

    def replays(self) -> Replays:
        """The desk's stored replays.

        Raises:
            DeskError: The file is damaged, or a newer version made it.
        """
        return Replays(self.replays_path)
