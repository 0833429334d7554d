"""One SQLite file: opened, checked, migrated; every failure said in plain words with a remedy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from conversations.closing import Closing
from conversations.errors import DeskError
from conversations.migrations import DESK, Schema

Row = tuple[Any, ...]

LONGEST_WAIT = 10.0
"""Seconds that are waited for others who write, or who read what is to leave the file for good."""


@contextmanager
def plain_errors(path: Path, repair: str) -> Iterator[None]:
    """Turns SQLite's errors into a :class:`DeskError` that says what to do."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        # The file is whole: what was to be written does not go with what another command wrote meanwhile.
        raise DeskError(
            f"{path} does not take what was to be written ({error}).",
            "Another command may have changed it meanwhile. Give the same command again.",
        ) from error
    except sqlite3.Error as error:
        said = str(error)
        if "full" in said or "disk I/O" in said:
            raise DeskError(
                f"There is no room left on the disk of {path}: nothing of this step was written.",
                "Make room, then run the same command again.",
            ) from error
        if "locked" in said or "busy" in said:
            raise DeskError(f"Another command is writing to {path}.", "Wait until it is done.") from error
        if "readonly" in said or "unable to open" in said:
            raise DeskError(
                f"{path} cannot be opened for writing ({said}).",
                f"Check its permissions and those of {path.parent}: even to read it, files beside it are written.",
            ) from error
        if "not a database" in said or "malformed" in said or "no such table" in said:
            raise DeskError(f"{path} is damaged or is not one of this program ({said}).", repair) from error
        raise DeskError(f"{path} cannot be used: {said}.", repair) from error


class DeskFile:
    """A connection to a desk's SQLite file, or to one beside it, that speaks in rows."""

    def __init__(self, path: Path, schema: Schema = DESK) -> None:
        """Opens the file, makes it if it is not there, and brings its tables up to date.

        Raises:
            DeskError: The file is damaged, is not a desk, or was made by a newer version.
        """
        self.path = path
        self._schema = schema
        with self._plain_errors():
            # A chat asks from a worker thread; SQLite itself serialises the calls.
            connection = sqlite3.connect(path, timeout=LONGEST_WAIT, check_same_thread=False)
            self._database: Any = Database(connection)
            try:
                self._prepare()
            except BaseException:
                connection.close()
                raise

    def _prepare(self) -> None:
        database = self._database
        tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        (application,) = database.execute("PRAGMA application_id").fetchone()
        if tables and application != self._schema.application_id:
            raise DeskError(f"{self.path} is an SQLite file of another program.", "Choose another desk name.")
        if newer := self._schema.unknown_steps(database):
            raise DeskError(
                f"{self.path} was made by a newer version of Attendant (it has {', '.join(newer)}).",
                "Update Attendant: pip install --upgrade attendant",
            )
        # WAL: readers go on while a writer works. NORMAL: a kill loses nothing, a power cut at most the last
        # batch. secure_delete: what a customer asked to be deleted is overwritten, not merely unlinked.
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            "secure_delete = ON",
        ):
            database.execute(f"PRAGMA {pragma}").fetchall()
        if self._schema.migrations.pending(database):
            with database.atomic():
                self._schema.migrations.apply(database)

    def _plain_errors(self) -> AbstractContextManager[None]:
        return plain_errors(self.path, self._schema.repair)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of a query."""
        with self._plain_errors():
            rows: list[Row] = self._database.conn.execute(sql, parameters).fetchall()
            return rows

    def run(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Runs one statement and gives the id of the row it inserted. Outside a transaction it commits at
        once.
        """
        with self._plain_errors():
            return int(self._database.execute(sql, tuple(parameters)).lastrowid or 0)

    def run_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Runs one statement for each row. To be called inside :meth:`atomic`."""
        with self._plain_errors():
            self._database.conn.executemany(sql, rows)

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """A transaction: all of it is written, or nothing. Blocks may be nested."""
        with self._plain_errors(), self._database.atomic():
            yield

    def is_writing(self) -> bool:
        """Whether a transaction is going on."""
        return bool(self._database.conn.in_transaction)

    def version(self) -> int:
        """A number that changes when another connection has written to the file."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Closes the file."""
        self._database.close()


class OnFile(Closing):
    """What stands on a desk's file and closes it; use as a context manager."""

    _file: DeskFile

    def write_out(self) -> bool:
        """Brings all that was written into the file itself, so that what was deleted stands in none beside it either.

        Returns:
            Whether that is so; another command that reads the file for long keeps it from being done.
        """
        return not self._file.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
