"""The tables of stored replays, and their rows; see `conversations.replays`."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any, Literal

from sqlite_utils import Database

from conversations.database import Row
from conversations.migrations import Schema


@dataclass(frozen=True, slots=True)
class ReplayedTurn:
    """One agent turn of a log and what would have been answered; the fields are the columns."""

    position: int
    """In the run, from 0."""
    entry: int
    """Which conversation of the logs, from 0."""
    conversation: str
    turn: int
    """Position of the agent's turn in its conversation, from 0."""
    number: int
    """Which question of its conversation, from 1."""
    key: int
    """The same for the same turn of the same log in every run: 52 bits, which a floating-point number keeps."""
    customer: str | None
    """As the desk stores it."""
    language: str | None
    source: str | None
    topic: str | None
    at: str | None
    week: str | None
    """ISO year and week, such as 2026-W36."""
    action: str | None
    """The label of the canned reply that the agent picked."""
    question: str
    agent_answer: str
    said: int | None
    """Id of the desk's answer that stood first, whether or not it would have been shown; None where none did."""
    rank: int
    """Of the best answer that says what the agent said, from 1, ties counted against it; 0 where none was ranked."""
    is_known: bool
    """Whether the desk knows such an answer outside what was hidden."""
    is_right: bool
    """Whether what stood first says what the agent said."""
    decision: str
    """"answer", "ask" or "handoff"."""
    confidence: float
    milliseconds: float
    """Its share of its batch."""
    wait: float | None
    """Milliseconds when it is asked alone, which is measured for some."""
    in_two: float | None
    """How likely one of the best two was right, where these were close; None where they were not."""
    copies: int | None
    """How many conversations of the desk are its own, by the id or by how they open, and were hidden; None in runs of
    versions that did not count them."""
    twins: int | None
    """Those of them under other ids."""
    is_placed: bool | None
    """Replayed as of its day: whether it is known of all that it may have seen that it came before."""
    other_figures: bool | None
    """Whether what stood first names a figure, such as a price or a day, that the agent's answer does not; None where
    nothing did, and in runs of versions that did not look for it."""


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """One replay; the fields are the columns."""

    id: int
    key: str
    """Digest of all that its figures depend on: logs, desk, model, settings."""
    name: str | None
    """As the person called it."""
    started: str
    finished: str | None
    """When, ISO 8601; None while it is not."""
    ranker: str
    threshold: float
    logs: tuple[str, ...]
    desk: dict[str, int]
    """Numbers of what the desk held."""
    settings: dict[str, Any]
    rejected: int
    """Lines that could not be read."""
    problems: tuple[str, ...]
    """Where and why, of the first of them and of those after which a file ends early."""
    seconds: float
    """Spent on answering."""
    entry: int
    """Which conversation of the logs it stands in, and how many of its turns are done."""
    entry_turns: int

    @property
    def command(self) -> tuple[object, ...]:
        """What tells it from replays by other commands. The model and the desk are not of it: they change."""
        given = [self.settings.get(name) for name in ("batch_size", "limit", "as_of")]
        return self.logs, self.ranker.partition(":")[0], *given

    @property
    def decides(self) -> bool:
        """Whether its ranker is one that a desk answers with: that of its model, or retrieval where it has none.

        The confidence of others was never fitted to them: what follows from it says nothing of them.
        """
        return ":" in self.ranker or (self.ranker == "retrieval" and self.settings.get("model") is None)


COLUMNS = tuple(field.name for field in fields(ReplayedTurn))
"""Of a turn, in the order of the fields."""
RUN_COLUMNS = tuple(field.name for field in fields(ReplayRun))
ONCE = """run = ? AND NOT EXISTS (SELECT 1 FROM turns AS earlier WHERE earlier.run = turns.run
    AND earlier.key = turns.key AND earlier.position < turns.position)"""
"""The turns of a run, those that its logs hold more than once only the first time."""

Breakdown = Literal["topic", "number", "language", "week", "source"]
"""What quality is broken down by."""


def turn_of(row: Row) -> ReplayedTurn:
    """A turn from its `COLUMNS`."""
    values = dict(zip(COLUMNS, row, strict=True))
    flags = ("is_known", "is_right", "is_placed", "other_figures")
    values |= {name: bool(values[name]) for name in flags if values[name] is not None}
    return ReplayedTurn(**values)


def run_of(row: Row) -> ReplayRun:
    """A run from its `RUN_COLUMNS`."""
    values = dict(zip(RUN_COLUMNS, row, strict=True))
    values |= {name: json.loads(values[name]) for name in ("logs", "desk", "settings", "problems")}
    values |= {name: tuple(values[name]) for name in ("logs", "problems")}
    return ReplayRun(**values)


def _001_tables(database: Database) -> None:
    for statement in (
        """CREATE TABLE runs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL, name TEXT, started TEXT NOT NULL, finished TEXT,
            ranker TEXT NOT NULL, threshold REAL NOT NULL,
            logs TEXT NOT NULL, desk TEXT NOT NULL, settings TEXT NOT NULL,
            rejected INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL DEFAULT 0,
            entry INTEGER NOT NULL DEFAULT 0, entry_turns INTEGER NOT NULL DEFAULT 0)""",
        """CREATE TABLE turns (
            run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
            position INTEGER NOT NULL, entry INTEGER NOT NULL,
            conversation TEXT NOT NULL, turn INTEGER NOT NULL, number INTEGER NOT NULL, key INTEGER NOT NULL,
            customer TEXT, language TEXT, source TEXT, topic TEXT, at TEXT, week TEXT, action TEXT,
            question TEXT NOT NULL, agent_answer TEXT NOT NULL,
            said INTEGER, rank INTEGER NOT NULL, is_known INTEGER NOT NULL, is_right INTEGER NOT NULL,
            decision TEXT NOT NULL CHECK (decision IN ('answer', 'ask', 'handoff')),
            confidence REAL NOT NULL, milliseconds REAL NOT NULL, wait REAL,
            PRIMARY KEY (run, position)) WITHOUT ROWID""",
        "CREATE INDEX turns_by_key ON turns (run, key)",
        "CREATE INDEX turns_of_customer ON turns (customer) WHERE customer IS NOT NULL",
        "CREATE INDEX turns_of_conversation ON turns (conversation)",
        "PRAGMA application_id = 0x41545450",
    ):
        database.execute(statement)


def _002_confidence_in_two(database: Database) -> None:
    database.execute("ALTER TABLE turns ADD COLUMN in_two REAL")


def _003_own_conversations(database: Database) -> None:
    for column in ("copies", "twins", "is_placed"):
        database.execute(f"ALTER TABLE turns ADD COLUMN {column} INTEGER")


def _004_problems(database: Database) -> None:
    database.execute("ALTER TABLE runs ADD COLUMN problems TEXT NOT NULL DEFAULT '[]'")


def _005_other_figures(database: Database) -> None:
    database.execute("ALTER TABLE turns ADD COLUMN other_figures INTEGER")


REPLAYS = Schema(
    "attendant replays",
    0x41545450,
    {
        "001_tables": _001_tables,
        "002_confidence_in_two": _002_confidence_in_two,
        "003_own_conversations": _003_own_conversations,
        "004_problems": _004_problems,
        "005_other_figures": _005_other_figures,
    },
    "Delete the file and replay the logs again.",
)
