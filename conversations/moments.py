"""Moments as logs name them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from conversations.model import Turn


def this_moment() -> str:
    """Now, as logs name it: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_moment(text: str | None) -> datetime | None:
    """A time in ISO 8601, in UTC; one that names no zone is UTC already. None where it cannot be read.

    >>> read_moment("2026-09-02T08:31:00+02:00").isoformat(), read_moment("yesterday")
    ('2026-09-02T06:31:00+00:00', None)
    """
    try:
        read = datetime.fromisoformat(text or "")
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # year 1 and year 9999 have moments that no UTC time can say
        return None


def first_moment(turns: Iterable[Turn]) -> str | None:
    """When turns began, as the first of them that names a readable time has it; None where none does."""
    return next((turn.at for turn in turns if read_moment(turn.at)), None)
