"""Readers of logs: what a file holds is told by its content, never by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from conversations.errors import LogError
from conversations.model import Conversation
from conversations.readers.json_log import read_json_array, read_json_lines
from conversations.readers.log_file import LogFile
from conversations.readers.rejected import Rejected
from conversations.readers.table_log import find_layout, read_table
from conversations.text import safe_text

__all__ = ["Rejected", "log_files", "read_log", "read_logs"]


def read_logs(
    paths: Iterable[Path | str], on_progress: Callable[[int], None] | None = None
) -> Iterator[Conversation | Rejected]:
    """The conversations of several files and directories, and what could not be read of them.

    Args:
        paths: Files, or directories that are walked whole, sorted by name.
        on_progress: Told the number of bytes read of all files so far; :func:`log_files` gives what there is
        to read.

    A file in a directory that cannot be read at all is rejected as a whole, at line 0.

    Raises:
        LogError: A named file cannot be read at all: missing, empty, binary, or of no known layout.
    """
    paths = list(paths)
    files = log_files(paths)
    named = {Path(path) for path in paths}
    for path in files:
        if path in named:
            read_log(path)  # before anything is read: a wrong name should not stop an import half-way
    done = 0
    for path in files:
        before, size = done, path.stat().st_size if path.exists() else 0

        def advance(position: int, before: int = before) -> None:
            nonlocal done
            done = before + position
            if on_progress is not None:
                on_progress(done)

        try:
            yield from read_log(path, advance)
        except LogError as error:
            if path in named:
                raise
            yield Rejected(safe_text(str(path), keep_newlines=False), 0, str(error), "")
        advance(size)


def read_log(path: Path | str, on_progress: Callable[[int], None] | None = None) -> Iterator[Conversation | Rejected]:
    """The conversations of one file, streamed, and what could not be read of it.

    Read are: JSON Lines of conversations or of questions with answers, tables (CSV, TSV) of either, and the
    layout "Customer Support on Twitter"; each also compressed by gzip.

    Raises:
        LogError: The file cannot be read at all.
    """
    log = LogFile(Path(path), on_progress)
    opening = log.opening_lines()
    layout = next((found for line in opening[:1] if (found := find_layout(line)) is not None), None)
    if layout is not None:
        return read_table(log, layout)
    starts = [line.lstrip()[:1] for line in opening]
    if starts[0] == "[" or (starts[0] == "{" and len(opening) > 1 and opening[0].strip() == "{"):
        return read_json_array(log)
    if "{" in starts:
        return read_json_lines(log)
    raise LogError(
        f"{log.name} is neither JSON Lines nor a table with known columns; it begins: "
        f"{safe_text(opening[0], keep_newlines=False)[:60]!r}.",
        "A table needs a header: question,answer or conversation_id,role,text. "
        'JSON Lines need rows such as {"id": "1", "turns": [{"role": "customer", "text": "..."}]}.',
    )


def log_files(paths: Iterable[Path | str]) -> list[Path]:
    """The files that :func:`read_logs` will read: hidden ones inside directories are left out.

    Raises:
        LogError: A path does not exist, or a directory holds no file.
    """
    files: list[Path] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            inside = sorted(
                entry
                for entry in path.rglob("*")
                if entry.is_file() and not any(part.startswith(".") for part in entry.relative_to(path).parts)
            )
            if not inside:
                raise LogError(f"{safe_text(str(path))} holds no files.", "Name a log file, or a directory of them.")
            files.extend(inside)
        elif path.exists():
            files.append(path)
        else:
            raise LogError(f"{safe_text(str(path))} does not exist.", "Check the path of the log.")
    return files
