"""Stored replays: what would have been answered at each agent turn of some logs, one row a turn.

Decisions:
- A file of its own beside the desk's: a replay of many logs is larger than the desk that it asks, may be thrown away,
  and must not hold up an import.
- Texts are de-identified as the desk's are. What would have been answered is kept as the id of the desk's answer, and
  read from the desk: what is forgotten there is gone here. The turns of a forgotten customer are deleted.
- Figures are computed from pages of numbers, so that the memory does not grow with the texts.
- Logs may hold a turn more than once, as daily exports of a conversation that goes on do: figures are of the first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, fields
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from conversations.database import DeskFile, OnFile, Row
from conversations.errors import DeskError
from conversations.model import Json
from conversations.replay_tables import COLUMNS, ONCE, REPLAYS, Breakdown, ReplayedTurn, ReplayRun
from conversations.store_reading import in_pages, marks
from conversations.text import safe_text

PAGE = 10_000
"""Rows read at a time."""


class Replays(OnFile):
    """The stored replays of one desk."""

    def __init__(self, path: Path) -> None:
        """Opens the file, makes it if it is not there, and brings it up to date.

        Raises:
            DeskError: The file is damaged, is another program's, or was made by a newer version.
        """
        self._file = DeskFile(path, REPLAYS)

    def transaction(self) -> AbstractContextManager[None]:
        """All that is written inside is kept together, or not at all."""
        return self._file.atomic()

    # Runs

    def begin(
        self,
        key: str,
        started: str,
        ranker: str,
        threshold: float,
        logs: Sequence[str],
        desk: dict[str, int],
        settings: dict[str, Json],
        name: str | None = None,
    ) -> ReplayRun:
        """A new run, or the one of this key that was not finished; the arguments are the fields of `ReplayRun`."""
        ordinal = self.unfinished(key)
        if ordinal is not None:
            self._file.run("UPDATE runs SET name = coalesce(?, name) WHERE id = ?", (name, ordinal))
        else:
            ordinal = self._file.run(
                "INSERT INTO runs (key, name, started, ranker, threshold, logs, desk, settings)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (key, name, started, ranker, threshold, json.dumps(logs), json.dumps(desk), json.dumps(settings)),
            )
        return self._run("id = ?", (ordinal,))[0]

    def unfinished(self, key: str) -> int | None:
        """The id of the newest run of a key that has turns and was not finished."""
        found = self._file.rows(
            "SELECT id FROM runs WHERE key = ? AND finished IS NULL"
            " AND EXISTS (SELECT 1 FROM turns WHERE run = runs.id) ORDER BY id DESC LIMIT 1",
            (key,),
        )
        return int(found[0][0]) if found else None

    def add(self, run: int, turns: Sequence[ReplayedTurn], seconds: float, entry: int, entry_turns: int) -> None:
        """Keeps turns and how far the run has come, together or not at all."""
        with self._file.atomic():
            self._file.run_many(
                f"INSERT INTO turns (run, {', '.join(COLUMNS)}) VALUES (?, {marks(COLUMNS)})",
                [(run, *astuple(turn)) for turn in turns],
            )
            self._file.run(
                "UPDATE runs SET seconds = seconds + ?, entry = ?, entry_turns = ? WHERE id = ?",
                (seconds, entry, entry_turns, run),
            )

    def set_wait(self, run: int, position: int, milliseconds: float) -> None:
        """Keeps how long a turn takes when it is asked alone."""
        self._file.run("UPDATE turns SET wait = ? WHERE run = ? AND position = ?", (milliseconds, run, position))

    def set_rejected(self, run: int, rejected: int, problems: Sequence[str]) -> None:
        """Keeps what of the logs could not be read; the arguments are the fields of `ReplayRun`."""
        self._file.run(
            "UPDATE runs SET rejected = ?, problems = ? WHERE id = ?", (rejected, json.dumps(problems), run)
        )

    def finish(self, run: int, at: str) -> ReplayRun:
        """Says that a run is complete."""
        self._file.run("UPDATE runs SET finished = ? WHERE id = ?", (at, run))
        return self.run(str(run))

    def runs(self) -> list[ReplayRun]:
        """All runs, oldest first."""
        return self._run("1", ())

    def run(self, name: str) -> ReplayRun:
        """A run by its id, its name (the newest of that name), or `latest`, `latest~1` and so on.

        Of the latter only finished ones are counted.

        Raises:
            DeskError: there is no such run; says which there are.
        """
        found = self._named(name)
        if found is None:
            there = ", ".join(f"{run.id} ({run.name})" if run.name else str(run.id) for run in self.runs()[-8:])
            raise DeskError(
                f"There is no replay {safe_text(name, keep_newlines=False)!r}."
                + (f" There are: {there}." if there else " Nothing was replayed on this desk yet."),
                "List them with: attendant runs.",
            )
        return found

    def finished_run(self, name: str) -> ReplayRun:
        """A run by what it is called, as for `run`; of several of one name the newest that is finished.

        Raises:
            DeskError: there is no such run, it is not finished, or all its turns were forgotten.
        """
        run = self._named(name, "AND finished IS NOT NULL") or self.run(name)
        if run.finished is None:
            raise DeskError(f"Replay {run.id} is not finished.", "Give the same attendant replay command again.")
        if not self.count(run.id):
            raise DeskError(
                f"Replay {run.id} has no turns left: those it held were forgotten.",
                "Replay other logs: attendant replay LOGS.",
            )
        return run

    def newer_unfinished(self, run: ReplayRun) -> ReplayRun | None:
        """The newest run of the same name, where it is newer than this one and not finished."""
        newer = "name = ? AND id > ? AND finished IS NULL ORDER BY id DESC LIMIT 1"
        return next(iter(self._run(newer, (run.name, run.id))), None)

    def _named(self, name: str, further: str = "") -> ReplayRun | None:
        """A run by what it is called; `further` narrows down which of those of one name."""
        base, tilde, back = name.partition("~")
        if base == "latest" and (back.isdecimal() or not tilde):
            newest = "finished IS NOT NULL ORDER BY finished DESC, id DESC LIMIT 1 OFFSET ?"
            return next(iter(self._run(newest, (min(int(back or 0), 10**9),))), None)
        if name.isdecimal() and len(name) < 18:
            return next(iter(self._run("id = ?", (int(name),))), None)
        return next(iter(self._run(f"name = ? {further} ORDER BY id DESC LIMIT 1", (name,))), None)

    def _run(self, condition: str, parameters: Sequence[object]) -> list[ReplayRun]:
        columns = [field.name for field in fields(ReplayRun)]
        found = []
        for row in self._file.rows(f"SELECT {', '.join(columns)} FROM runs WHERE {condition}", parameters):
            values = dict(zip(columns, row, strict=True))
            values |= {name: json.loads(values[name]) for name in ("logs", "desk", "settings", "problems")}
            values |= {name: tuple(values[name]) for name in ("logs", "problems")}
            found.append(ReplayRun(**values))
        return found

    def delete(self, run: int) -> None:
        """Removes a run with its turns."""
        with self._file.atomic():
            self._file.run("DELETE FROM runs WHERE id = ?", (run,))

    def forget(self, customers: Sequence[str], is_theirs: Callable[[str], bool]) -> int:
        """Deletes from all runs the turns of some customers, as they are stored, and of conversations that are theirs
        by their ids; gives the number of turns.
        """
        before = self._count("1", ())
        with self._file.atomic():
            self._file.run(f"DELETE FROM turns WHERE customer IN ({marks(customers)})", list(customers))
            names = self._file.rows("SELECT DISTINCT conversation FROM turns")
            for page in in_pages(name for (name,) in names if is_theirs(name)):
                self._file.run(f"DELETE FROM turns WHERE conversation IN ({marks(page)})", page)
        self._file.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        return before - self._count("1", ())

    # Turns

    def _count(self, condition: str, parameters: Sequence[object]) -> int:
        return int(self._file.rows(f"SELECT count(*) FROM turns WHERE {condition}", parameters)[0][0])

    def next_position(self, run: int) -> int:
        """The position that the run's next turn will have."""
        return int(self._file.rows("SELECT coalesce(max(position) + 1, 0) FROM turns WHERE run = ?", (run,))[0][0])

    def count(self, run: int) -> int:
        """How many turns a run has, each counted once."""
        return self._count(ONCE, (run,))

    def repeats(self, run: int) -> int:
        """How often its logs hold a turn once more."""
        return self._count("run = ?", (run,)) - self.count(run)

    def conversations(self, run: int) -> list[tuple[str, int, int]]:
        """The conversations of a run, each with the number of its turns and of its copies in the desk then."""
        rows = self._file.rows(
            f"SELECT conversation, count(*), coalesce(max(copies), 0) FROM turns WHERE {ONCE} GROUP BY conversation",
            (run,),
        )
        return [(str(conversation), int(count), int(copies)) for conversation, count, copies in rows]

    def numbers(self, run: int, columns: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Columns of a run's turns, each (turns,), by their names; an SQL expression may stand for a column.

        What is missing is not a number.
        """
        found = np.empty((self.count(run), len(columns)))
        done = 0
        for page in self._pages(run, ", ".join(columns)):
            found[done : done + len(page)] = np.array([row[:-1] for row in page], dtype=np.float64)
            done += len(page)
        return dict(zip(columns, found[:done].T, strict=True))

    def turns(self, run: int, positions: Iterable[int]) -> list[ReplayedTurn]:
        """Some turns of a run, in the order in which they are named."""
        wanted = list(positions)
        rows = [
            row
            for page in in_pages(wanted)
            for row in self._file.rows(
                f"SELECT {', '.join(COLUMNS)} FROM turns WHERE run = ? AND position IN ({marks(page)})", (run, *page)
            )
        ]
        found = {row[0]: _turn(row) for row in rows}
        return [found[position] for position in wanted if position in found]

    def most_confident_misses(self, run: int, most: int) -> list[ReplayedTurn]:
        """The turns where what stood first was wrong, the most confident first."""
        rows = self._file.rows(
            f"SELECT {', '.join(COLUMNS)} FROM turns WHERE {ONCE} AND NOT is_right AND said IS NOT NULL"
            " ORDER BY confidence DESC, position LIMIT ?",
            (run, most),
        )
        return [_turn(row) for row in rows]

    def answers(self, run: int, most: int, is_right: bool) -> list[tuple[int, int, int]]:
        """The answers that stood first most often when that was right, or wrong: id, how often, and of how many."""
        rows = self._file.rows(
            f"SELECT said, sum(is_right = ?) AS often, count(*) FROM turns WHERE {ONCE} AND said IS NOT NULL"
            " GROUP BY said HAVING often > 0 ORDER BY often DESC, said LIMIT ?",
            (is_right, run, most),
        )
        return [(int(said), int(often), int(count)) for said, often, count in rows]

    def breakdown(self, run: int, by: Breakdown) -> list[Row]:
        """Sums for each value of a column: value, turns, known, first, among five, answered, answered rightly."""
        return self._file.rows(
            f"""SELECT {by}, count(*), sum(is_known), sum(rank = 1), sum(rank BETWEEN 1 AND 5),
                sum(decision = 'answer'), sum(decision = 'answer' AND is_right)
                FROM turns WHERE {ONCE} GROUP BY {by} ORDER BY {by}""",
            (run,),
        )

    def groups(self, run: int) -> NDArray[np.int64]:
        """Per turn of a run, as in `numbers`, which conversation it is of, in whatever file and place it stands."""
        return self.labels(run, "conversation")[0]

    def labels(self, run: int, column: Breakdown | Literal["conversation"]) -> tuple[NDArray[np.int64], list[str]]:
        """A column of words: per turn the number of its word, and the words; the empty one where there is none."""
        numbers: dict[str, int] = {}
        found = np.empty(self.count(run), np.int64)
        done = 0
        for page in self._pages(run, f"coalesce({column}, '')"):
            for place, (word, _) in enumerate(page, done):
                found[place] = numbers.setdefault(str(word), len(numbers))
            done += len(page)
        return found[:done], list(numbers)

    def _pages(self, run: int, columns: str) -> Iterator[list[Row]]:
        """Columns of a run's turns and, last, their positions."""
        last = -1
        while page := self._file.rows(
            f"SELECT {columns}, position FROM turns WHERE {ONCE} AND position > ? ORDER BY position LIMIT {PAGE}",
            (run, last),
        ):
            yield page
            last = page[-1][-1]


def _turn(row: Row) -> ReplayedTurn:
    values = dict(zip(COLUMNS, row, strict=True))
    values |= {name: bool(values[name]) for name in ("is_known", "is_right")}
    values["is_placed"] = None if values["is_placed"] is None else bool(values["is_placed"])
    return ReplayedTurn(**values)
