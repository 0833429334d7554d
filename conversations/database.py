"""One SQLite file: opened, checked, migrated; every failure said in plain words with a remedy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from conversations.errors import DeskError
from conversations.migrations import APPLICATION_ID, MIGRATIONS, unknown_migrations

Row = tuple[Any, ...]

_REPAIR = (
    "Put back a copy of the file, or delete the desk's directory and import the logs again: "
    "the index and the models are rebuilt from it."
)


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into a :class:`DeskError` that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        said = str(error)
        if "full" in said or "disk I/O" in said:
            raise DeskError(
                f"There is no room left on the disk of {path}: the last batch was not written.",
                "Make room, then run the same command again: what is already there is not repeated.",
            ) from error
        if "locked" in said or "busy" in said:
            raise DeskError(f"Another command is writing to {path}.", "Wait until it is done.") from error
        if "readonly" in said or "unable to open" in said:
            raise DeskError(f"{path} cannot be opened for writing ({said}).", "Check its permissions.") from error
        if "not a database" in said or "malformed" in said or "no such table" in said:
            raise DeskError(f"{path} is damaged or is not a desk ({said}).", _REPAIR) from error
        raise DeskError(f"{path} cannot be used: {said}.", _REPAIR) from error


class DeskFile:
    """A connection to a desk's SQLite file that speaks in rows."""

    def __init__(self, path: Path) -> None:
        """Opens the file, makes it if it is not there, and brings its tables up to date.

        Raises:
            DeskError: The file is damaged, is not a desk, or was made by a newer version.
        """
        self.path = path
        with plain_errors(path):
            # A chat asks from a worker thread; SQLite itself serialises the calls.
            connection = sqlite3.connect(path, timeout=10.0, check_same_thread=False)
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
        if tables and application != APPLICATION_ID:
            raise DeskError(f"{self.path} is an SQLite file of another program.", "Choose another desk name.")
        if newer := unknown_migrations(database):
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
        if MIGRATIONS.pending(database):
            with database.atomic():
                MIGRATIONS.apply(database)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """All rows of a query."""
        with plain_errors(self.path):
            rows: list[Row] = self._database.conn.execute(sql, parameters).fetchall()
            return rows

    def run(self, sql: str, parameters: Sequence[object] = ()) -> int:
        """Runs one statement and gives the id of the row it inserted. Outside a transaction it commits at
        once.
        """
        with plain_errors(self.path):
            return int(self._database.execute(sql, tuple(parameters)).lastrowid or 0)

    def run_many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Runs one statement for each row. To be called inside :meth:`atomic`."""
        with plain_errors(self.path):
            self._database.conn.executemany(sql, rows)

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """A transaction: all of it is written, or nothing. Blocks may be nested."""
        with plain_errors(self.path), self._database.atomic():
            yield

    def version(self) -> int:
        """A number that changes when another connection has written to the file."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Closes the file."""
        self._database.close()
