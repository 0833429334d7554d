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
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple
from pathlib import Path

from conversations.database import DeskFile
from conversations.errors import DeskError
from conversations.model import Json
from conversations.replay_tables import COLUMNS, REPLAYS, RUN_COLUMNS, ReplayedTurn, ReplayRun, run_of
from conversations.replayed_turns import ReplayedTurns
from conversations.store_reading import in_pages, marks
from conversations.text import safe_text


class Replays(ReplayedTurns):
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
            later = self.overtaking(run)
            if later is not None:
                raise DeskError(
                    f"Replay {run.id} was never finished: the desk, its model or the logs changed, and replay "
                    f"{later.id} by the same command began anew.",
                    f"Use that one, and delete this one: attendant runs --delete {run.id}.",
                )
            raise DeskError(f"Replay {run.id} is not finished.", "Give the same attendant replay command again.")
        if not self.count(run.id):
            raise DeskError(
                f"Replay {run.id} has no turns left: those it held were forgotten.",
                "Replay other logs: attendant replay LOGS.",
            )
        return run

    def overtaking(self, run: ReplayRun) -> ReplayRun | None:
        """The newest finished run by the same command as one that was not finished, where it is newer.

        It would have gone on with that one, had desk, model and logs been the same.
        """
        if run.finished is not None:
            return None
        later = self._run("id > ? AND finished IS NOT NULL ORDER BY id DESC", (run.id,))
        return next((one for one in later if one.command == run.command), None)

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
        rows = self._file.rows(f"SELECT {', '.join(RUN_COLUMNS)} FROM runs WHERE {condition}", parameters)
        return [run_of(row) for row in rows]

    def delete(self, run: int) -> None:
        """Removes a run with its turns."""
        with self._file.atomic():
            self._file.run("DELETE FROM runs WHERE id = ?", (run,))

    def forget(self, customers: Sequence[str], is_theirs: Callable[[str], bool]) -> int:
        """Deletes from all runs the turns of some customers, as they are stored, and of conversations that are theirs
        by their ids; gives the number of turns. Their words are gone for good once `write_out` says so.
        """
        before = self._count("1", ())
        with self._file.atomic():
            self._file.run(f"DELETE FROM turns WHERE customer IN ({marks(customers)})", list(customers))
            names = self._file.rows("SELECT DISTINCT conversation FROM turns")
            for page in in_pages(name for (name,) in names if is_theirs(name)):
                self._file.run(f"DELETE FROM turns WHERE conversation IN ({marks(page)})", page)
        return before - self._count("1", ())
