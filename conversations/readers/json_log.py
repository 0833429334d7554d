"""JSON Lines, and small JSON documents that should have been."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from conversations.errors import LogError
from conversations.model import Conversation, Json
from conversations.moments import day_comes_first
from conversations.readers.log_file import KEPT_OF_A_LINE, LogFile
from conversations.readers.rejected import Rejected, RowError
from conversations.readers.rows import TIME_NAMES, conversation_from, timed

_LARGEST_DOCUMENT = 64 * 1024 * 1024
_DATE_OF_A_TURN = re.compile(rf'"(?:{"|".join(TIME_NAMES)})"\s*:\s*"(\d\d?([/-])\d\d?\2\d{{4}})')


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def parse(text: str | bytes) -> Json:
    """JSON, strictly.

    Raises:
        RowError: It is broken, or nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise RowError(
            f"broken JSON: {error.msg} at character {error.pos + 1}; each line must be one whole object"
        ) from None
    except RecursionError:
        raise RowError("broken JSON: nested too deeply") from None
    except ValueError as error:
        raise RowError(f"broken JSON: {error}") from None


def _dates(text: str) -> Iterator[str]:
    """The dates of turns in JSON of which it must be told whether they begin with the day."""
    return (found[1] for found in _DATE_OF_A_TURN.finditer(text))


def read_json_lines(log: LogFile) -> Iterator[Conversation | Rejected]:
    """One conversation, or one question with its answer, a line."""
    # Read beforehand only where times need it.
    is_needed = any(_DATE_OF_A_TURN.search(line) for line in log.opening_lines())
    day_first = day_comes_first(date for line in log.lines() for date in _dates(line.text)) if is_needed else None
    for line in log.lines():
        if line.problem:
            yield Rejected(log.name, line.number, line.problem, line.text)
            continue
        try:
            yield timed(conversation_from(parse(line.text), log.path.name), day_first)
        except RowError as error:
            yield Rejected(log.name, line.number, str(error), line.text[:KEPT_OF_A_LINE])


def _raw(row: Json) -> str:
    """The beginning of a row; empty where it is nested too deeply to be written."""
    try:
        return json.dumps(row, ensure_ascii=False)[:KEPT_OF_A_LINE]
    except RecursionError:
        return ""


def read_json_array(log: LogFile) -> Iterator[Conversation | Rejected]:
    """One JSON document of a list of rows, or of one row; only small ones, for it must be read whole.

    Raises:
        LogError: It is too large, or broken.
    """
    convert = f"Convert it to JSON Lines, one conversation a line: jq -c '.[]' {log.name} > log.jsonl"
    content = log.read_whole(_LARGEST_DOCUMENT)
    if content is None:
        raise LogError(f"{log.name} is one JSON document of more than 64 MB.", convert)
    try:
        document = parse(content)
    except (RowError, UnicodeDecodeError) as error:
        raise LogError(f"{log.name} is one JSON document and cannot be read ({error}).", convert) from None
    rows = document if isinstance(document, list) else [document]
    day_first = day_comes_first(_dates(content.decode("utf-8", "replace")))
    for number, row in enumerate(rows, 1):
        log.tell_gathered(number - 1, len(rows))
        try:
            yield timed(conversation_from(row, log.path.name), day_first)
        except RowError as error:
            yield Rejected(log.name, number, f"item {number} of the list: {error}", _raw(row))
