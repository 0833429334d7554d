"""Data sets with known right answers, in one shape: answer selection, dialogues with a reply bank, and intents."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from conversations.errors import TrainingError
from conversations.model import Turn


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
    if split == "train":
        return replace(task, log=_said(task))
    return replace(task, log=_said(load_task(directory, "train"))) if _file(directory, "train") else task


def _said(task: RankingTask) -> tuple[str, ...]:
    """Every customer turn of a task once."""
    return tuple(dict.fromkeys(t.text for query in task.queries for t in query.dialogue if t.role == "customer"))


def _answer_selection(name: str, answers_file: Path, rows_file: Path) -> RankingTask:
    texts: list[str] = []
    row_of: dict[str, int] = {}
    for line, record in _records(answers_file):
        identifier, text = _take(answers_file, line, record, "id", "text")
        row_of[str(identifier)] = len(texts)
        texts.append(str(text))
    queries = []
    for line, record in _records(rows_file):
        question, right = _take(rows_file, line, record, "question", "answers")
        pool = record.get("pool")
        try:
            queries.append(
                Query(
                    dialogue=(Turn("customer", str(question)),),
                    right=frozenset(row_of[str(key)] for key in right),
                    group=str(record.get("id", line)),
                    pool=tuple(row_of[str(key)] for key in pool) if pool is not None else None,
                )
            )
        except KeyError as error:
            raise TrainingError(
                f"{rows_file}, line {line}: answer id {error} is not in {answers_file.name}.",
                "Mend the file.",
            ) from error
    return RankingTask(name, "answer selection", tuple(texts), tuple(queries))


def _reply_bank(name: str, responses_file: Path, rows_file: Path) -> RankingTask:
    texts: dict[str, int] = {}
    row_of: dict[tuple[str, str], int] = {}
    rows_of_action: dict[str, set[int]] = {}
    for line, record in _records(responses_file):
        action, text = _take(responses_file, line, record, "action", "text")
        row = texts.setdefault(str(text), len(texts))
        row_of[str(record.get("task", "")), str(action)] = row
        rows_of_action.setdefault(str(action), set()).add(row)
    queries = []
    for line, record in _records(rows_file):
        (turns,) = _take(rows_file, line, record, "turns")
        tasks = (record.get("meta") or {}).get("tasks") or []
        dialogue: list[Turn] = []
        for turn in turns:
            role, text, action = turn["role"], turn["text"], turn.get("action")
            if role == "agent" and action in rows_of_action and dialogue and dialogue[-1].role == "customer":
                # A label's text can differ between tasks: the conversation's own tasks decide, else all its texts.
                own = {row_of[task, action] for task in tasks if (task, action) in row_of}
                queries.append(
                    Query(tuple(dialogue), frozenset(own or rows_of_action[action]), str(record.get("id", line)))
                )
            dialogue.append(Turn("agent" if role == "agent" else "customer", str(text)))
    return RankingTask(name, "reply bank", tuple(texts), tuple(queries))


def _intents(directory: Path, split: str) -> RankingTask:
    requests: list[tuple[int, str, str, str | None]] = []
    for stem in dict.fromkeys(("train", split, f"oos_{split}")):
        path = _file(directory, stem)
        if path is None:
            continue
        for line, record in _records(path):
            text, label = _take(path, line, record, "text", "label")
            is_known = not stem.startswith("oos_")
            requests.append((line, stem, str(text), str(label) if is_known else None))
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


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise TrainingError(f"{path}, line {number}: not a JSON object.", "Mend the line.")
                yield number, record
    except json.JSONDecodeError as error:
        raise TrainingError(f"{path}: broken JSON ({error}).", "Mend the file.") from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} cannot be read: {error}.", "Restore the file.") from error


def _take(path: Path, line: int, record: dict[str, Any], *keys: str) -> list[Any]:
    missing = [key for key in keys if key not in record]
    if missing:
        raise TrainingError(f"{path}, line {line}: no {' and no '.join(missing)}.", "Mend the line.")
    return [record[key] for key in keys]
