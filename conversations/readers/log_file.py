"""A log as lines of UTF-8: compressed or not, however large, whatever its bytes."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from conversations.errors import LogError
from conversations.readers.rejected import FROM_HERE_ON
from conversations.text import safe_text

LONGEST_LINE = 10_000_000
"""Bytes. A longer line is rejected without being held in memory."""
KEPT_OF_A_LINE = 2_000
STEPS = 200
"""How often it is told at most how far the reading of a file has come."""
GATHERING = 0.1
"""Part of the way that is done once a file has been read whole whose conversations are only then handed over."""

_OPENING = 65_536
_CHUNK = 65_536
_OTHER_FORMATS = {
    b"PK\x03\x04": ("a ZIP archive or a spreadsheet", "Unpack it, or save the sheet as CSV (UTF-8)."),
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "Decompress it with: zstd -d FILE"),
    b"BZh": ("compressed with bzip2", "Decompress it with: bunzip2 FILE"),
    b"\xfd7zXZ": ("compressed with xz", "Decompress it with: xz -d FILE"),
    b"%PDF": ("a PDF document", "Export the conversations as JSON Lines or CSV."),
    b"SQLite format 3": ("an SQLite database", "Export the conversations as JSON Lines or CSV."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log."""

    number: int
    text: str
    """Without the newline; the beginning only, where there is a problem."""
    problem: str = ""
    """Why the line cannot be used; empty when it can."""


class _Utf16AsUtf8(io.RawIOBase):
    """UTF-16 bytes read as UTF-8."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast(bytearray, buffer))
        while not self._ready:
            chunk = self._source.read(_CHUNK)
            self._ready = self._decoder.decode(chunk, final=not chunk).encode("utf-8", "replace")
            if not chunk:
                break
        taken = self._ready[: len(view)]
        view[: len(taken)] = taken
        self._ready = self._ready[len(taken) :]
        return len(taken)


class LogFile:
    """A log file that can be read."""

    def __init__(self, path: Path, on_progress: Callable[[int], None] | None = None) -> None:
        """Looks into a file.

        Args:
            path: The file.
            on_progress: Told the position in the file, in bytes, as what was read is taken.

        Raises:
            LogError: The file is missing, empty, binary or cannot be opened.
        """
        self.path = path
        self.name = safe_text(str(path), keep_newlines=False)
        self._on_progress = on_progress
        self._told = 0
        try:
            self._size = path.stat().st_size
            with self._open() as stream:
                self._opening = stream.read(_OPENING)
        except FileNotFoundError:
            raise LogError(f"{self.name} does not exist.", "Check the path of the log.") from None
        except IsADirectoryError:
            raise LogError(f"{self.name} is a directory.", "Name a file in it.") from None
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise LogError(f"{self.name} is a damaged gzip file ({error}).", "Fetch or export it again.") from error
        except OSError as error:
            raise LogError(
                f"{self.name} cannot be read: {error.strerror or error}.", "Check its permissions."
            ) from error
        self._check_opening()

    def _check_opening(self) -> None:
        if not self.opening_lines():
            raise LogError(f"{self.name} is empty.", "Export the log again, or leave this file out.")
        for magic, (kind, remedy) in _OTHER_FORMATS.items():
            if self._opening.startswith(magic):
                raise LogError(f"{self.name} is {kind}, not a text log.", remedy)
        if b"\x00" in self._opening:
            raise LogError(
                f"{self.name} is binary, not a text log.",
                "Export the conversations as JSON Lines or CSV (UTF-8).",
            )

    def _open(self) -> BinaryIO:
        raw = self.path.open("rb")
        try:
            magic = raw.read(2)
            raw.seek(0)
            self._packed: BinaryIO | None = None
            stream: BinaryIO = raw
            if magic == b"\x1f\x8b":
                self._packed = raw
                stream = cast(BinaryIO, _ClosesBoth(gzip.GzipFile(fileobj=raw), raw))
            stream = cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, stream), _CHUNK))
            mark = cast(io.BufferedReader, stream).peek(3)[:3]
            if mark[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                self._packed = raw
                return cast(BinaryIO, io.BufferedReader(_Utf16AsUtf8(stream), _CHUNK))
            if mark == codecs.BOM_UTF8:
                stream.read(3)
        except BaseException:
            raw.close()
            raise
        return stream

    def opening_lines(self) -> list[str]:
        """The first lines that are not blank, at least one, for telling the layout."""
        lines = self._opening.decode("utf-8", "replace").splitlines()
        return [line for line in lines if line.strip()][:20]

    def read_whole(self, limit: int) -> bytes | None:
        """The whole content, or None where it is longer than ``limit`` bytes."""
        with self._open() as stream:
            content = stream.read(limit + 1)
        return content if len(content) <= limit else None

    def tell(self, position: float) -> None:
        """Tells that so many bytes of the file are done with, where that is worth telling."""
        if self._on_progress is not None and position - self._told >= self._size / STEPS:
            self._told = int(position)
            self._on_progress(self._told)

    def tell_gathered(self, done: int, count: int) -> None:
        """Tells how many of the conversations that the whole file holds are done with."""
        self.tell(self._size * (GATHERING + (1 - GATHERING) * min(done / max(count, 1), 1.0)))

    def lines(self, share: float = 1.0, with_blank: bool = False) -> Iterator[Line]:
        """All lines, each either with its text or with what is wrong with it.

        Args:
            with_blank: whether blank ones are among them.
            share: of the way through the file that is done with the last of them.
        """
        number = done = 0
        with self._open() as stream:
            while True:
                number += 1
                # What a packed file was read of at least; of another, what was taken.
                self.tell(share * (self._packed.tell() if self._packed else done))
                try:
                    raw = stream.readline(LONGEST_LINE + 1)
                    too_long = len(raw) > LONGEST_LINE and not raw.endswith(b"\n")
                    rest = raw
                    while too_long and rest and not rest.endswith(b"\n"):
                        rest = stream.readline(_CHUNK)
                        done += len(rest)
                except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                    problem = f"the compressed file is {FROM_HERE_ON} ({error}); fetch or export it again"
                    yield Line(number, "", problem)
                    return
                if not raw:
                    return
                done += len(raw)
                line = _as_line(number, raw, too_long)
                if with_blank or line.problem or line.text.strip():
                    yield line


class _ClosesBoth(io.RawIOBase):
    """A gzip stream that closes its file with it."""

    def __init__(self, stream: gzip.GzipFile, raw: BinaryIO) -> None:
        self._stream, self._raw = stream, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        return self._stream.readinto(cast(bytearray, buffer))

    def close(self) -> None:
        self._stream.close()
        self._raw.close()
        super().close()


def _as_line(number: int, raw: bytes, too_long: bool) -> Line:
    if too_long:
        kept = raw[:KEPT_OF_A_LINE].decode("utf-8", "replace")
        return Line(number, kept, f"the line is longer than {LONGEST_LINE:,} bytes; split it into conversations")
    try:
        return Line(number, raw.decode("utf-8").rstrip("\r\n"))
    except UnicodeDecodeError as error:
        kept = raw[:KEPT_OF_A_LINE].decode("utf-8", "replace").rstrip("\r\n")
        byte = raw[error.start]
        return Line(number, kept, f"byte 0x{byte:02x} at {error.start + 1} is not UTF-8; save the log as UTF-8")
