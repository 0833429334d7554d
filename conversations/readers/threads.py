"""Turns gathered into conversations on disk, for logs whose rows are not together.

They lie in a database of SQLite's without a name, so that a log larger than memory can be sorted and nothing of it is
left, even after a kill: its file is deleted as soon as it is open.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from conversations.closing import Closing
from conversations.errors import LogError
from conversations.model import Conversation
from conversations.moments import day_comes_first, read_moment
from conversations.readers.rows import conversation_of, timed, turn_from


class ScratchTurn(NamedTuple):
    """A row of a table of conversations, as it was read."""

    line: int
    role: str
    text: str
    at: str | None
    agent: str | None
    customer: str | None
    language: str | None


class Scratch(Closing):
    """A database that exists while a log is read."""

    def __init__(self, *tables: str) -> None:
        self.database = sqlite3.connect("", isolation_level=None)
        # Nothing here must outlive a crash, so nothing is waited for.
        pragmas = ("PRAGMA temp_store = FILE", "PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF")
        for statement in (*pragmas, *tables, "BEGIN"):
            self.database.execute(statement)

    def run(self, sql: str, parameters: tuple[object, ...] = ()) -> sqlite3.Cursor:
        """Runs a statement.

        Raises:
            LogError: There is no room for the scratch file.
        """
        try:
            return self.database.execute(sql, parameters)
        except sqlite3.Error as error:
            raise LogError(
                f"The scratch file for sorting the log cannot be written ({error}).",
                "Make room in the directory for temporary files, or name another in TMPDIR.",
            ) from error

    def close(self) -> None:
        """Gives the room back."""
        self.database.close()


class Threads(Scratch):
    """Turns by the id of their conversation."""

    def __init__(self) -> None:
        super().__init__(
            "CREATE TABLE threads (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE)",
            """CREATE TABLE turns (thread INTEGER NOT NULL, line INTEGER NOT NULL, role TEXT, text TEXT, at
            TEXT,
               agent TEXT, customer TEXT, language TEXT, PRIMARY KEY (thread, line)) WITHOUT ROWID""",
        )

    def add(self, thread: str, turn: ScratchTurn) -> None:
        """Adds one turn."""
        self.run("INSERT OR IGNORE INTO threads (id) VALUES (?)", (thread,))
        self.run("INSERT INTO turns SELECT number, ?, ?, ?, ?, ?, ?, ? FROM threads WHERE id = ?", (*turn, thread))

    def count(self) -> int:
        """How many conversations there are."""
        return int(self.run("SELECT count(*) FROM threads").fetchone()[0])

    def gathered(self) -> Iterator[tuple[str, list[ScratchTurn]]]:
        """The conversations in the order in which they began, each with its turns in the order of the log."""
        rows = self.run(
            """SELECT id, line, role, text, at, agent, customer, language
               FROM turns JOIN threads ON number = thread ORDER BY thread, line"""
        )
        for thread, group in groupby(rows, key=lambda row: str(row[0])):
            yield thread, [ScratchTurn(*row[1:]) for row in group]

    def day_first(self) -> bool | None:
        """Whether the times name the day before the month; None where they do not tell."""
        return day_comes_first(str(row[0]) for row in self.run("SELECT at FROM turns WHERE at IS NOT NULL"))

    @staticmethod
    def conversation(thread: str, turns: list[ScratchTurn], day_first: bool | None = None) -> Conversation:
        """The conversation that the turns are, in the order of their times where all of these can be read.

        Raises:
            RowError: A role is unknown, or nothing was said.
        """
        said = [turn_from(turn.role, turn.text, turn.at or None, turn.agent or None) for turn in turns]
        customer = next((turn.customer for turn in turns if turn.customer), None)
        language = next((turn.language for turn in turns if turn.language), None)
        return _in_order(timed(conversation_of(thread, said, language=language, customer=customer), day_first))


def _in_order(conversation: Conversation) -> Conversation:
    """Turns of one moment stay as the log has them, which may begin with the newest."""
    turns = conversation.turns
    moments = [moment for turn in turns if (moment := read_moment(turn.at))]
    if len(moments) < len(turns):
        return conversation
    dated = list(zip(moments, turns, strict=True))
    if moments[0] > moments[-1]:
        dated.reverse()
    return replace(conversation, turns=tuple(turn for _, turn in sorted(dated, key=lambda one: one[0])))
