"""Rows of a data set's files, each value checked when it is taken: what is wrong is said with its file and line."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conversations.errors import TrainingError

_KINDS = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}


class Row:
    """A JSON object and where it stands."""

    def __init__(self, place: str, values: dict[str, Any]) -> None:
        """Takes what was read, and how its place is called."""
        self.place = place
        self._values = values

    def text(self, key: str) -> str:
        """A text that must be there.

        Raises:
            TrainingError: it is not there, or is something else; so with all that are taken.
        """
        return str(self._taken(key, self._values.get(key), str))

    def name(self, key: str, default: str | None = None) -> str:
        """A text or whole number by which something is called.

        Args:
            key: where it stands.
            default: what it is called if nothing stands there; None where something must.
        """
        value = self._values.get(key)
        return default if value is None and default is not None else str(self._taken(key, value, str, int))

    def names(self, key: str, default: list[str] | None = None) -> list[str]:
        """A list of names; arguments as for `name`."""
        value = self._values.get(key)
        if value is None and default is not None:
            return default
        return [str(self._taken(f"{key}[{place}]", one, str, int)) for place, one in enumerate(self._list(key))]

    def row(self, key: str) -> Row:
        """An object inside; where nothing stands there, an empty one."""
        value = self._values.get(key)
        return Row(f"{self.place}, {key}", {} if value is None else self._taken(key, value, dict))

    def rows(self, key: str) -> list[Row]:
        """A list of objects inside."""
        return [
            Row(f"{self.place}, {key}[{place}]", self._taken(f"{key}[{place}]", one, dict))
            for place, one in enumerate(self._list(key))
        ]

    def has(self, key: str) -> bool:
        """Whether something stands there."""
        return self._values.get(key) is not None

    def error(self, problem: str) -> TrainingError:
        """What is wrong with this row."""
        return TrainingError(f"{self.place}: {problem}.", "Mend the line.")

    def _list(self, key: str) -> list[Any]:
        return list(self._taken(key, self._values.get(key), list))

    def _taken(self, key: str, value: Any, *kinds: type) -> Any:  # noqa: ANN401 - of one of the kinds
        if type(value) in kinds:
            return value
        if value is None and key not in self._values:
            raise self.error(f"no {key}")
        raise self.error(f"{key} is {_KINDS.get(type(value), 'null')}, not {_KINDS[kinds[0]]}")


def rows_of(path: Path) -> Iterator[tuple[int, Row]]:
    """The rows of a file of JSON Lines, plain or gzipped, each with the number of its line.

    Raises:
        TrainingError: the file cannot be read, or a line is no JSON object.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, _row(f"{path}, line {number}", line)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise TrainingError(f"{path} cannot be read: {error}.", "Restore the file.") from error


def _row(place: str, line: str) -> Row:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TrainingError(f"{place}: broken JSON ({error}).", "Mend the line.") from error
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise TrainingError(f"{place}: half a character, such as \\ud800.", "Mend the line.") from error
    if not isinstance(values, dict):
        raise TrainingError(f"{place}: not a JSON object.", "Mend the line.")
    return Row(place, values)
