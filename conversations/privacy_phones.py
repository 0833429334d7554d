"""Phone numbers, as the numbering plans of the world have them.

What else is written in digits beside a number, a date or a second number, does not hide it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import phonenumbers

from conversations.privacy_patterns import Span

_REGIONS = ("GB", "US", "IE", "AU", "IN", "DE", "FR", "CN")
"""Where a number without a country code may be from, besides those that begin with +."""
_FEWEST_DIGITS, _MOST_DIGITS, _MOST_CHARACTERS = 7, 15, 26
_FEWEST_DIGITS_INTERNATIONAL = 10
"""With which a number that begins with + is one if its country has such long ones, whether it is given out or not."""
_DATE = r"(?:(?:19|20)\d\d[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d)"
_DATED = re.compile(_DATE)
_BREAK = re.compile(rf"(?<!\d)(?<!\d[./-]){_DATE}(?![./-]?\d)|\s*/\s*|\n")
"""What may stand in a run of digits between a number and the next."""
_GROUP = re.compile(r"[+(]{0,2}\d+")
_DIGITS = re.compile(r"\d+")
_BEGIN = re.compile(r"(?<![^\s/])(?:[+(]{0,2}0\d|[+(]|[2-9]\d\d[ .-]\d{3}[ .-]\d{4}(?!\d))")
"""How a number begins that stands among others: so long a row of digits holds a valid number by chance."""
_RUN = re.compile(
    r"(?:(?<![\w.,:/#£$€¥-])|(?<=[.,:])(?<!\d[.,:])(?=\(?\+|\(?0|\(?[2-9]\d\d\)?[ .-]?\d{3}[ .-]?\d{4}(?!\d)))"
    r"[+(]{0,2}\d(?:[\s()./+-]*\d)*"
)
"""What stands right behind a colon has to begin like a number: there are more numbers than those of phones."""
_NO_END = re.compile(r"[\w£$€¥%]|[.,]\d(?!\d{4})")


def phone_spans(text: str) -> Iterator[Span]:
    """Phone numbers, from left to right."""
    for run in _RUN.finditer(text):
        yield from _in_run(text, *run.span())


def _in_run(text: str, start: int, end: int) -> Iterator[Span]:
    """Those in a run of digits: it is one, or its pieces are, or they hold some."""
    if _is_phone_at(text, start, end):
        yield Span(start, end, "<PHONE>")
        return
    for left, right in _pieces(text, start, end):
        if _is_phone_at(text, left, right):
            yield Span(left, right, "<PHONE>")
        else:
            yield from _in_groups(text, [group.span() for group in _GROUP.finditer(text, left, right)])


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for gap in _BREAK.finditer(text, start, end):
        yield _stripped(text, start, gap.start())
        start = gap.end()
    yield _stripped(text, start, end)


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip(" \t)./-"))
    return start, max(start, start + len(piece.strip(" \t)./-")))


def _in_groups(text: str, groups: list[tuple[int, int]]) -> Iterator[Span]:
    """Numbers made of some of the groups of digits that stand in a row, the longest first."""
    first = 0
    while first < len(groups):
        start = groups[first][0]
        last = first - 1
        if _BEGIN.match(text, start):
            within = first
            while within < len(groups) and groups[within][1] - start <= _MOST_CHARACTERS:
                within += 1
            last = next(
                (at for at in range(within - 1, first - 1, -1) if _is_phone_at(text, start, groups[at][1])), last
            )
        if last >= first:
            yield Span(start, groups[last][1], "<PHONE>")
        first = max(first, last) + 1


def _is_phone_at(text: str, start: int, end: int) -> bool:
    return (
        _FEWEST_DIGITS <= end - start <= _MOST_CHARACTERS
        and _NO_END.match(text, end) is None
        and _is_phone(text[start:end])
    )


def is_grouped(text: str) -> bool:
    """Whether the digits of a phone number stand in several groups, as its country writes them.

    Args:
        text: one of the `phone_spans`.

    >>> is_grouped("07911 123456"), is_grouped("0791-1123-456"), is_grouped("07911123456")
    (True, False, False)
    """
    groups = _DIGITS.findall(text.removeprefix("00"))
    forms = phonenumbers.PhoneNumberFormat.NATIONAL, phonenumbers.PhoneNumberFormat.INTERNATIONAL
    usual = [_DIGITS.findall(phonenumbers.format_number(one, form)) for one in _numbers(text) for form in forms]
    if text.startswith("("):  # behind an area code in brackets everyone writes as they please
        return groups[:1] in [one[:1] for one in usual]
    return len(groups) > 1 and groups in usual


@lru_cache(maxsize=4096)
def _is_phone(text: str) -> bool:
    digits = sum(character.isdigit() for character in text)
    if not _FEWEST_DIGITS <= digits <= _MOST_DIGITS or _DATED.match(text) or len(set(text)) < 3:
        return False
    return any(True for _ in _numbers(text))


def _numbers(text: str) -> Iterator[phonenumbers.PhoneNumber]:
    """What the digits are as a number of each region where there is such a one."""
    is_international = text.startswith("+") and sum(map(str.isdigit, text)) >= _FEWEST_DIGITS_INTERNATIONAL
    for region in (None,) if text.startswith(("+", "00")) else _REGIONS:
        try:
            number = phonenumbers.parse(
                text.replace("00", "+", 1) if region is None and text.startswith("00") else text, region
            )
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number) or (is_international and phonenumbers.is_possible_number(number)):
            yield number
