"""Moments as logs name them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

from conversations.model import Turn


def this_moment() -> str:
    """Now, as logs name it: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_moment(text: str | None, zone: tzinfo = UTC) -> datetime | None:
    """A time in ISO 8601, in UTC; None where it cannot be read.

    Args:
        text: the time.
        zone: whose time it is where it names no zone.

    >>> read_moment("2026-09-02T08:31:00+02:00").isoformat(), read_moment("yesterday")
    ('2026-09-02T06:31:00+00:00', None)
    """
    try:
        read = datetime.fromisoformat(text or "")
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):  # year 1 and year 9999 have moments that no UTC time can say
        return None


def names_no_zone(text: str | None) -> bool:
    """Whether a time in ISO 8601 has an hour, but no zone.

    >>> [names_no_zone(text) for text in ("2026-09-02T08:31:00", "2026-09-02T08:31:00Z", "2026-09-02", "soon")]
    [True, False, False, False]
    """
    try:
        read = datetime.fromisoformat(text or "")
    except ValueError:
        return False
    return read.tzinfo is None and len(text or "") > len("2026-09-02")


def first_moment(turns: Iterable[Turn]) -> str | None:
    """When turns began, as the first of them that names a readable time has it; None where none does."""
    return next((turn.at for turn in turns if read_moment(turn.at)), None)
