"""Data sets with known right answers, in one shape: answer selection, dialogues with a reply bank, and intents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from conversations.errors import TrainingError
from conversations.model import Turn
from conversations.text import answer_key
from training.data_rows import Row, rows_of


@dataclass(frozen=True, slots=True)
class Query:
    """One dialogue that waits for an answer, and which answers are right."""

    dialogue: tuple[Turn, ...]
    right: frozenset[int]
    """Rows of the right answers in `RankingTask.answers`; empty where none is right."""
    group: str
    """The conversation it comes from: never on both sides of a split."""
    pool: tuple[int, ...] | None = None
    """Rows that may be ranked; None for all answers."""
    rejected: frozenset[int] = frozenset()
    """What people turned down for it; where `right` is empty and this is not, all else is taken to be better."""


@dataclass(frozen=True, slots=True)
class RankingTask:
    """Queries and the answers to rank for them."""

    name: str
    kind: str
    """"answer selection", "reply bank" or "intents"."""
    answers: tuple[str, ...]
    queries: tuple[Query, ...] = field(repr=False)
    log: tuple[str, ...] = field(default=(), repr=False)
    """What customers said in the data set's train split, as a desk's log would hold it."""


def load_task(directory: Path, split: str) -> RankingTask:
    """Reads one split of a data set directory, its kind told by the files in it.

    An answer selection directory holds `answers.jsonl.gz` and `SPLIT.jsonl.gz` with question, right ids and pool; a
    reply bank directory holds `responses.jsonl.gz` and dialogues in `SPLIT.jsonl.gz` whose agent turns carry the
    `action` they picked; a directory with neither holds intents: requests with `text` and `label`, and out-of-scope
    ones, which no label answers, in `oos_SPLIT.jsonl.gz`. Plain `.jsonl` files are read as well.

    Raises:
        TrainingError: files are missing, or a line is not what it should be (file and line are named).
    """
    if not directory.is_dir():
        raise TrainingError(f"There is no data set directory {directory}.", "Check the path.")
    rows = _file(directory, split)
    if rows is None:
        raise TrainingError(
            f"{directory} has no split {split!r}: no {split}.jsonl or {split}.jsonl.gz.",
            f"Splits there: {', '.join(_splits(directory)) or 'none'}.",
        )
    answers, responses = _file(directory, "answers"), _file(directory, "responses")
    if answers is not None:
        task = _answer_selection(directory.name, answers, rows)
    elif responses is not None:
        task = _reply_bank(directory.name, responses, rows)
    else:
        task = _intents(directory, split)
    if not task.answers:
        raise TrainingError(f"{directory} has no answers to rank.", "Use a larger data set.")
    if split == "train":
        return replace(task, log=_said(task))
    return replace(task, log=_said(load_task(directory, "train"))) if _file(directory, "train") else task


def with_twins(queries: Iterable[Query], answers: Sequence[str]) -> list[Query]:
    """The queries with what reads as a right answer right as well: it stands in the data set under several ids.

    Only what is the same but for case, punctuation and blanks: to tell apart what is merely alike is what a data set
    asks for.

    Args:
        queries: whose `right` are rows of the answers.
        answers: all of them.

    >>> with_twins([Query((), frozenset({0}), "a")], ["In stock.", "Not in stock.", "in  stock!"])[0].right
    frozenset({0, 2})
    """
    keys = [answer_key(text) for text in answers]
    rows: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        rows.setdefault(key, []).append(row)
    return [
        replace(query, right=frozenset(twin for row in query.right for twin in rows[keys[row]])) for query in queries
    ]


def _said(task: RankingTask) -> tuple[str, ...]:
    """Every customer turn of a task once."""
    return tuple(dict.fromkeys(t.text for query in task.queries for t in query.dialogue if t.role == "customer"))


def _answer_selection(name: str, answers_file: Path, rows_file: Path) -> RankingTask:
    texts: list[str] = []
    row_of: dict[str, int] = {}
    for _, row in rows_of(answers_file):
        identifier = row.name("id")
        if identifier in row_of:
            raise row.error(f"the answer id {identifier!r} stands there twice")
        row_of[identifier] = len(texts)
        texts.append(row.text("text"))

    def known(row: Row, key: str) -> list[int]:
        names = row.names(key)
        for one in names:
            if one not in row_of:
                raise row.error(f"answer id {one!r} is not in {answers_file.name}")
        return [row_of[one] for one in names]

    queries = [
        Query(
            dialogue=(Turn("customer", row.text("question")),),
            right=frozenset(known(row, "answers")),
            group=row.name("id", str(line)),
            pool=tuple(known(row, "pool")) if row.has("pool") else None,
        )
        for line, row in rows_of(rows_file)
    ]
    return RankingTask(name, "answer selection", tuple(texts), tuple(queries))


def _reply_bank(name: str, responses_file: Path, rows_file: Path) -> RankingTask:
    texts: dict[str, int] = {}
    row_of: dict[tuple[str, str], int] = {}
    rows_of_action: dict[str, set[int]] = {}
    for _, row in rows_of(responses_file):
        task, action, text = row.name("task", ""), row.name("action"), row.text("text")
        if (task, action) in row_of:
            raise row.error(f"the action {action!r} stands there twice")
        row_of[task, action] = texts.setdefault(text, len(texts))
        rows_of_action.setdefault(action, set()).add(row_of[task, action])
    queries = []
    for line, row in rows_of(rows_file):
        tasks = row.row("meta").names("tasks", [])
        group = row.name("id", str(line))
        dialogue: list[Turn] = []
        for turn in row.rows("turns"):
            role, text, action = turn.text("role"), turn.text("text"), turn.name("action", "")
            if role not in ("agent", "customer"):
                raise turn.error(f"role is {role!r}, not customer or agent")
            if role == "agent" and action in rows_of_action and dialogue and dialogue[-1].role == "customer":
                # A label's text can differ between tasks: the conversation's own tasks decide, else all its texts.
                own = {row_of[task, action] for task in tasks if (task, action) in row_of}
                queries.append(Query(tuple(dialogue), frozenset(own or rows_of_action[action]), group))
            dialogue.append(Turn("agent" if role == "agent" else "customer", text))
    return RankingTask(name, "reply bank", tuple(texts), tuple(queries))


def _intents(directory: Path, split: str) -> RankingTask:
    requests: list[tuple[int, str, str, str | None]] = []
    for stem in dict.fromkeys(("train", split, f"oos_{split}")):
        path = _file(directory, stem)
        for line, row in rows_of(path) if path else ():
            label = row.name("label")
            requests.append((line, stem, row.text("text"), None if stem.startswith("oos_") else label))
    labels = {label: row for row, label in enumerate(sorted({one[3] for one in requests if one[3] is not None}))}
    queries = tuple(
        Query(
            dialogue=(Turn("customer", text),),
            right=frozenset() if label is None else frozenset({labels[label]}),
            group=f"{stem}-{line}",
        )
        for line, stem, text, label in requests
        if stem in (split, f"oos_{split}")
    )
    return RankingTask(directory.name, "intents", tuple(label.replace("_", " ") for label in labels), queries)


def _file(directory: Path, stem: str) -> Path | None:
    return next((p for p in (directory / f"{stem}.jsonl.gz", directory / f"{stem}.jsonl") if p.is_file()), None)


def _splits(directory: Path) -> list[str]:
    names = {path.name.split(".")[0] for path in directory.glob("*.jsonl*")}
    return sorted(name for name in names if name not in ("answers", "responses") and not name.startswith("oos_"))
