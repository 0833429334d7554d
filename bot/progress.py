"""Progress on stderr, only where a person watches: the output for scripts is never mixed with it."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from bot.output import screen
from conversations.text import safe_text


class Meter:
    """One bar at a time, with the time left; silent where stderr is no terminal, or should be written to plainly."""

    def __init__(self, is_plain: bool = False) -> None:
        console = screen(stderr=True, is_plain=is_plain)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TaskProgressColumn("{task.percentage:>3.0f}%", markup=False),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, stage: str, done: int = 0, total: int = 0, note: str = "") -> None:
        """Says how far a stage is; a total of 0 means that nobody knows. A new stage ends the one before it."""
        if stage not in self._tasks:
            for task in self._tasks.values():
                self._progress.remove_task(task)
            self._tasks = {stage: self._progress.add_task(safe_text(stage, keep_newlines=False), total=None, note="")}
        self._progress.update(self._tasks[stage], completed=done, total=total or None, note=note)

    def counter(self, stage: str) -> Callable[[int, int], None]:
        """What to call with (done, total) of one stage."""
        return lambda done, total: self.show(stage, done, total)

    def noter(self, stage: str) -> Callable[[int, int, str], None]:
        """What to call with (done, total, a note) of one stage."""
        return lambda done, total, note: self.show(stage, done, total, note)
