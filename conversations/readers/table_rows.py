"""The rows of a table out of its lines.

A text in quotation marks may go on over several lines. Where the marks make no sense, the line in which they begin is
on its own: what follows is never swallowed. In tables with tabs most programs write no marks around texts: there they
count only where a text begins and ends with one.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from conversations.readers.log_file import KEPT_OF_A_LINE, LONGEST_LINE, Line, LogFile

_MARK = '"'


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row, or what is wrong with it."""

    number: int
    """The line where it begins."""
    raw: str
    """The beginning of that line."""
    cells: list[str] = field(default_factory=list)
    problem: str = ""
    """Why it cannot be used; empty when it can."""


def table_rows(log: LogFile, delimiter: str, width: int, share: float = 1.0) -> Iterator[TableRow]:
    """All rows of a table, the header among them.

    Args:
        log: the table.
        delimiter: between cells.
        width: cells of a row.
        share: as for `LogFile.lines`.
    """
    csv.field_size_limit(LONGEST_LINE)
    lines = _Lines(log.lines(share, with_blank=True))
    while (first := lines.ahead(0)) is not None:
        used, cells, problem = 1, list[str](), first.problem
        if not problem and first.text.strip():
            used, cells, problem = _row(lines, first.text, delimiter, width)
        lines.drop(used)
        if cells or problem:
            yield TableRow(first.number, first.text[:KEPT_OF_A_LINE], cells, problem)


class _Lines:
    """Lines of a log, with a look at those to come."""

    def __init__(self, source: Iterator[Line]) -> None:
        self._source = source
        self._ahead: deque[Line] = deque()

    def ahead(self, count: int) -> Line | None:
        """The line after so many others."""
        while len(self._ahead) <= count:
            line = next(self._source, None)
            if line is None:
                return None
            self._ahead.append(line)
        return self._ahead[count]

    def texts(self) -> Iterator[str]:
        """The texts to come, up to the first that cannot be read, and no more than one line may have."""
        count = length = 0
        while (line := self.ahead(count)) is not None and not line.problem and length <= LONGEST_LINE:
            yield f"{line.text}\n"
            count, length = count + 1, length + len(line.text)

    def drop(self, count: int) -> None:
        """Goes on behind so many lines."""
        for _ in range(count):
            self._ahead.popleft()


def _row(lines: _Lines, text: str, delimiter: str, width: int) -> tuple[int, list[str], str]:
    """The lines, the cells and the problem of the row that begins with the next line."""
    split = text.split("\t")
    is_whole = delimiter == "\t" and len(split) == width
    if is_whole and (not split[-1].startswith(_MARK) or _is_quoted(split[-1])):
        return 1, [_without_marks(cell) for cell in split], ""
    reader = csv.reader(lines.texts(), delimiter=delimiter, strict=True)
    try:
        cells, used, problem = next(reader), reader.line_num, ""
    except (csv.Error, StopIteration) as error:
        cells, used = [], 1
        problem = f"broken table row: {error}; is a quotation mark left open?"
    later = (lines.ahead(count) for count in range(1, used))
    if is_whole and (problem or any(line is not None and line.text.count("\t") == width - 1 for line in later)):
        return 1, [_without_marks(cell) for cell in split], ""
    if problem:
        # Marks within a text do no harm as long as the last one is closed. A carriage return within it does.
        with suppress(csv.Error):
            cells = next(csv.reader([f"{text}\n"], delimiter=delimiter), [])
        return (1, cells, "") if len(cells) == width and not cells[-1].endswith("\n") else (1, [], problem)
    if len(cells) != width:
        problem = f"the row has {len(cells)} columns, the header {width}; quote texts that hold the delimiter"
    return used, cells, problem


def _is_quoted(cell: str) -> bool:
    inner = cell[1:-1].replace(_MARK * 2, "")
    return len(cell) > 1 and cell.startswith(_MARK) and cell.endswith(_MARK) and _MARK not in inner


def _without_marks(cell: str) -> str:
    return cell[1:-1].replace(_MARK * 2, _MARK) if _is_quoted(cell) else cell
