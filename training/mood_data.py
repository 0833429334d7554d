"""Messages whose mood people named: `{"text": ..., "label": "negative" | "neutral" | "positive"}`, one a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from conversations.errors import LogError, TrainingError
from conversations.readers.json_log import parse
from conversations.readers.log_file import LogFile
from conversations.readers.rejected import RowError
from conversations.text import clean_text, safe_text
from training.mood_head import CLASSES
from training.splits import share_of

LEAST = 20
"""Messages below which nothing is learned."""
HELD_OUT_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message and its mood, one of `CLASSES`."""

    text: str
    label: str


def read_labelled(paths: Sequence[Path]) -> list[Labelled]:
    """The labelled messages of several files of JSON Lines, plain or gzipped.

    Args:
        paths: files, or data set directories, of which the train split is read.

    Raises:
        TrainingError: a directory has no train split.
        LogError: a file cannot be read, or a line is not such a row: nothing is trained on half of what was meant.
    """
    found: list[Labelled] = []
    for path in paths:
        log = LogFile(labelled_file(path, "train") if path.is_dir() else path)
        for line in log.lines():
            try:
                if line.problem:
                    raise RowError(line.problem)
                found.append(_labelled(parse(line.text)))
            except RowError as error:
                raise LogError(
                    f"{log.name}, line {line.number}: {error}.",
                    'Each line must be one row such as {"text": "It still fails.", "label": "negative"}.',
                ) from None
    return found


def labelled_file(directory: Path, split: str) -> Path:
    """The file of a split: plain or gzipped.

    Raises:
        TrainingError: there is none.
    """
    for name in (f"{split}.jsonl", f"{split}.jsonl.gz"):
        if (directory / name).is_file():
            return directory / name
    raise TrainingError(f"{directory} has no {split}.jsonl or {split}.jsonl.gz.", "Check the path and --split.")


def base_labelled() -> list[Labelled]:
    """The messages that the base head is trained on, written by hand."""
    return read_labelled([Path(str(resources.files("conversations.sample"))) / "mood.jsonl"])


def split_labelled(rows: Sequence[Labelled]) -> tuple[list[Labelled], list[Labelled]]:
    """The messages to train on and those held out, by a hash of the text: every run splits alike.

    Raises:
        TrainingError: too few messages, or all of one mood.
    """
    train = [row for row in rows if share_of(row.text, "mood") >= HELD_OUT_SHARE]
    counts = Counter(row.label for row in train)
    # A mood that nothing is trained on cannot be told, and would spoil what is measured and fitted on the others.
    held_out = [row for row in rows if share_of(row.text, "mood") < HELD_OUT_SHARE and row.label in counts]
    if len(train) < LEAST or len(counts) < 2 or not held_out:
        raise TrainingError(
            f"There are {len(rows)} labelled messages of {len(counts)} mood(s); at least {LEAST} of two are needed.",
            "Add more labelled messages.",
        )
    return train, held_out


def _labelled(row: object) -> Labelled:
    if not isinstance(row, dict):
        raise RowError(f"the line is a JSON {type(row).__name__}, not an object with text and label")
    text, label = row.get("text"), row.get("label")
    if not isinstance(text, str) or not clean_text(text):
        raise RowError('the row has no "text"')
    if not isinstance(label, str) or label.strip().casefold() not in CLASSES:
        shown = safe_text(str(label), keep_newlines=False)[:40]
        raise RowError(f'its "label" is {shown!r}, not one of {", ".join(CLASSES)}')
    return Labelled(clean_text(text), label.strip().casefold())
