"""Moments as logs name them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

from conversations.model import Turn

# Seconds since 1970, of 1973 to 2286, or as many thousandths of one.
_EPOCH = re.compile(r"(?:\d{9,10}|\d{12,13})(?:\.\d+)?")
_LONGEST_SECONDS = 10
_UTC = re.compile(r"\s*(?:UTC|GMT|Z)$", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(\d{4})/(\d\d?)/(\d\d?)(?=\D|$)")
_YEAR_LAST = re.compile(
    r"(\d\d?)([./-])(\d\d?)\2(\d{4})(?:,?\s+(\d\d?):(\d\d)(?::(\d\d))?(?:\.\d+)?\s*([ap]m)?)?", re.IGNORECASE
)
_MONTHS = 12


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


def as_iso(text: str, day_first: bool | None = None) -> str | None:
    """A time as exports write it, in ISO 8601; None where it cannot be read.

    Read are seconds and milliseconds since 1970, ISO 8601 also with UTC behind it, and dates with their year last.

    Args:
        text: the time.
        day_first: whether 02/09/2026 is in September; None where that is not known, and it is not read then. Between
            dots the day stands first anyway.

    >>> as_iso("1788337860"), as_iso("2026-09-02 08:31:00 UTC"), as_iso("02/09/2026", day_first=True)
    ('2026-09-02T08:31:00+00:00', '2026-09-02T08:31:00+00:00', '2026-09-02T00:00:00')
    """
    if _EPOCH.fullmatch(text):
        is_seconds = len(text.partition(".")[0]) <= _LONGEST_SECONDS
        return datetime.fromtimestamp(float(text) / (1 if is_seconds else 1_000), UTC).isoformat()
    if read_moment(text):
        return text
    if found := _YEAR_LAST.fullmatch(text):
        return _year_last(found, day_first)
    tidy = _UTC.sub("+00:00", text)
    tidy = _YEAR_FIRST.sub(lambda date: f"{date[1]}-{int(date[2]):02}-{int(date[3]):02}", tidy)
    return datetime.fromisoformat(tidy).isoformat() if read_moment(tidy) else None


def _year_last(found: re.Match[str], day_first: bool | None) -> str | None:
    first, mark, second, year, hour, minute, seconds, half = found.groups()
    if mark != "." and day_first is None:
        return None
    day, month = (first, second) if mark == "." or day_first else (second, first)
    hours = int(hour or 0)
    if half:
        hours = hours % _MONTHS + (_MONTHS if half.casefold() == "pm" else 0)
    try:
        return datetime(int(year), int(month), int(day), hours, int(minute or 0), int(seconds or 0)).isoformat()
    except ValueError:
        return None


def day_comes_first(texts: Iterable[str]) -> bool | None:
    """Whether times such as 02/09/2026 name the day first, as one told of which a part is no month; None where none
    tells, or they tell different things.
    """
    told: set[bool] = set()
    for text in texts:
        found = _YEAR_LAST.fullmatch(text)
        if found and found[2] != "." and max(int(found[1]), int(found[3])) > _MONTHS:
            told.add(int(found[1]) > _MONTHS)
    return told.pop() if len(told) == 1 else None


def first_moment(turns: Iterable[Turn]) -> str | None:
    """When turns began, as the first of them that names a readable time has it; None where none does."""
    return next((turn.at for turn in turns if read_moment(turn.at)), None)
