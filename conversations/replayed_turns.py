"""The turns of stored replays, read as rows, as columns of numbers and as sums; see `conversations.replays`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from conversations.database import OnFile, Row
from conversations.replay_tables import COLUMNS, ONCE, Breakdown, ReplayedTurn, turn_of
from conversations.store_reading import in_pages, marks

PAGE = 10_000
"""Rows read at a time."""


class ReplayedTurns(OnFile):
    """The turns of all runs that a file holds."""

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
        found = {row[0]: turn_of(row) for row in rows}
        return [found[position] for position in wanted if position in found]

    def most_confident(self, run: int, most: int, what: Literal["misses", "other figures"]) -> list[ReplayedTurn]:
        """The turns where what stood first was wrong, or right but for another figure; the most confident first."""
        told = {"misses": "NOT is_right AND said IS NOT NULL", "other figures": "is_right AND other_figures"}[what]
        rows = self._file.rows(
            f"SELECT {', '.join(COLUMNS)} FROM turns WHERE {ONCE} AND {told}"
            " ORDER BY confidence DESC, position LIMIT ?",
            (run, most),
        )
        return [turn_of(row) for row in rows]

    def answers(self, run: int, most: int, is_right: bool) -> list[Row]:
        """The answers that stood first most often when that was right, or wrong: id, how often, of how many, and how
        often so with another figure than the agent's; None where that was not looked for.
        """
        return self._file.rows(
            "SELECT said, sum(is_right = ?) AS often, count(*), sum(CASE WHEN is_right = ? THEN other_figures END)"
            f" FROM turns WHERE {ONCE} AND said IS NOT NULL GROUP BY said HAVING often > 0"
            " ORDER BY often DESC, said LIMIT ?",
            (is_right, is_right, run, most),
        )

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
