"""A replay as one HTML page: pictures, tables and examples, for people who decide whether Attendant may answer.

Decisions:
- One file without scripts, fonts or addresses of other places; its own policy forbids the browser to load anything.
- All text comes from customers and agents: it is made safe (`conversations.text`) and escaped without exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bot.replay_figures import ReplayReport
from bot.replay_pictures import pictures, share_words
from conversations.database import Row
from conversations.desk import Desk
from conversations.errors import DeskError
from conversations.replay_tables import Breakdown, ReplayedTurn, ReplayRun
from conversations.replays import Replays
from conversations.store import Store
from conversations.text import safe_text
from index.named_figures import other_figures

MISSES = 25
ANSWERS = 15
MOST_ROWS = 30
"""Rows of one table; the rest is counted."""
LATE = 10
"""From the question after this one on, those of a conversation stand in one row."""

_BREAKDOWNS: tuple[tuple[Breakdown, str], ...] = (
    ("topic", "Topic"),
    ("number", "Question of the conversation"),
    ("language", "Language"),
    ("week", "Week"),
)


@dataclass(frozen=True)
class Group:
    """Quality of a part of the turns."""

    name: str
    turns: int
    known: float
    recall_at_1: float
    recall_at_5: float
    coverage: float | None
    """None of a ranker that decides nothing, as the two below."""
    answered_right: float | None
    """Of all turns."""
    accuracy: float | None
    """Of what was answered; None where nothing was."""


def prepare_directory(directory: Path) -> None:
    """Makes a directory for pages where it is not there, and tries whether a file can be written into it.

    Raises:
        DeskError: it cannot.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=directory, prefix="replay-", suffix=".tmp") as file:
            file.write(b"a page")
            file.flush()
    except OSError as error:
        raise DeskError(
            f"{directory} takes no pages: {error.strerror}.", "Name another directory with --report DIR."
        ) from error


def write_page(directory: Path, desk: Desk, report: ReplayReport) -> Path:
    """Writes the page of a stored run into a directory, and gives its path.

    Args:
        directory: that is there.
        desk: that holds the run.
        report: of the run.

    Raises:
        DeskError: it could not be written; an older page of the run is left as it was.
    """
    with desk.replays() as replays, desk.store() as store:
        page = page_of(replays, store, desk.name, replays.run(str(report.run)), report)
    path = directory / f"replay-{desk.name}-{report.run}.html"
    beside = path.with_name(path.name + ".tmp")
    try:
        beside.write_text(page, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise DeskError(
            f"{path} could not be written: {error.strerror}.",
            f"The run is stored; write its page later: attendant runs {report.run} --report {directory} "
            f"--desk {desk.name}",
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    return path


def page_of(replays: Replays, store: Store, desk_name: str, run: ReplayRun, report: ReplayReport) -> str:
    """The page of a stored run as HTML."""
    misses = replays.most_confident(run.id, MISSES, "misses")
    otherwise = replays.most_confident(run.id, MISSES, "other figures")
    often_right, often_wrong = (replays.answers(run.id, ANSWERS, is_right) for is_right in (True, False))
    named = {one[0] for one in (*often_right, *often_wrong)}
    named |= {turn.said for turn in (*misses, *otherwise) if turn.said is not None}
    texts = {answer.id: answer.text for answer in store.answers(named)}
    environment = Environment(
        loader=PackageLoader("bot"), autoescape=True, undefined=StrictUndefined, finalize=_safe, trim_blocks=True
    )
    environment.filters["share"] = share_words
    return environment.get_template("replay.html").render(
        desk=desk_name,
        run=run,
        report=report,
        pictures=pictures(replays, run, report),
        breakdowns=list(_breakdowns(replays, run)),
        otherwise=[(turn, said := _text(texts, turn), _others(turn, said)) for turn in otherwise],
        misses=[(miss, _text(texts, miss)) for miss in misses],
        often=[
            ("Most often right", True, _answers(often_right, texts)),
            ("Most often wrong", False, _answers(often_wrong, texts)),
        ],
    )


def _safe(value: object) -> object:
    """Text from data without control characters; what was made here stays as it is."""
    return safe_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _breakdowns(replays: Replays, run: ReplayRun) -> Iterator[tuple[str, list[Group], int]]:
    """Title, groups, and how many more there are; only of what the log tells at all."""
    for by, title in _BREAKDOWNS:
        rows = replays.breakdown(run.id, by)
        if any(row[0] is not None for row in rows):
            yield title, *_groups(rows, by, run.decides)


def _groups(rows: list[Row], by: Breakdown, decides: bool) -> tuple[list[Group], int]:
    """The groups to show, and how many more there are."""
    merged: dict[str, list[int]] = {}
    for value, *sums in rows:
        name = _group_name(value, by)
        merged[name] = [old + new for old, new in zip(merged.get(name, [0] * len(sums)), sums, strict=True)]
    groups = [_group(name, sums, decides) for name, sums in merged.items()]
    order: Callable[[Group], Any] = (lambda group: -group.turns) if by in ("topic", "language") else (lambda _: 0)
    shown = sorted(groups, key=order)
    kept = shown[-MOST_ROWS:] if by == "week" else shown[:MOST_ROWS]
    return kept, len(groups) - len(kept)


def _group_name(value: object, by: Breakdown) -> str:
    if by == "number" and isinstance(value, int):
        return str(value) if value <= LATE else f"{LATE + 1} and later"
    return "(unknown)" if value is None else str(value)


def _group(name: str, sums: Iterable[int], decides: bool) -> Group:
    turns, known, first, five, answered, rightly = sums
    return Group(
        name=name,
        turns=turns,
        known=known / turns,
        recall_at_1=first / turns,
        recall_at_5=five / turns,
        coverage=answered / turns if decides else None,
        answered_right=rightly / turns if decides else None,
        accuracy=rightly / answered if decides and answered else None,
    )


def _text(texts: dict[int, str], turn: ReplayedTurn) -> str:
    return texts.get(turn.said, "(no longer in the desk)") if turn.said is not None else "(nothing)"


def _others(turn: ReplayedTurn, said: str) -> str:
    """The figures of an answer that the agent did not name."""
    return ", ".join(sorted(other_figures(said, turn.agent_answer)))


def _answers(found: list[Row], texts: dict[int, str]) -> list[Row]:
    return [(answer, texts.get(answer, "(no longer in the desk)"), *counts) for answer, *counts in found]
