"""Which figures a text names: numbers, amounts, times, dates, weekdays, months and codes.

Two answers that count as the same (`index.equality`) may differ in one of them: the day, the price, the hour. Who
decides whether Attendant may answer is told how often.

Words are those of English, weekdays and months those of German, French, Spanish and Chinese too. What may as well be
another word names nothing: Mon, Sat and Sun, "today" in a greeting, "one" but before a span of time, "may" but beside
a number. Nor do placeholders, links and masked digits, which say nothing of a fact.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from conversations.privacy_patterns import PLACEHOLDER
from conversations.text import word_set

REMEMBERED = 2_048
"""Texts whose figures are kept: a desk's answer comes again with many turns."""

_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_MORE = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_SMALL = {word: number for number, word in enumerate(_ONES + _MORE, 1)}
_TENTHS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TENS = {word: 10 * number for number, word in enumerate(_TENTHS, 2)}
_DAYS = word_set(
    """
    monday tuesday wednesday thursday friday saturday sunday weekend tomorrow yesterday
    january february march april june july august september october november december
    montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag
    januar februar märz mai juni juli oktober dezember
    lundi mardi mercredi jeudi vendredi samedi dimanche
    janvier février mars avril juin juillet août septembre octobre novembre décembre
    lunes martes miércoles jueves viernes sábado domingo
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
    """
)
_SHORT = {
    "tuesday": "tue tues", "wednesday": "wed", "thursday": "thu thur thurs", "friday": "fri",
    "january": "jan", "february": "feb", "april": "apr", "june": "jun", "july": "jul", "august": "aug",
    "september": "sep sept", "october": "oct", "november": "nov", "december": "dec",
    "12:00": "noon", "0:00": "midnight",
    "$": "dollar usd buck", "£": "pound gbp quid", "€": "euro eur", "¥": "yen 元 块", "₹": "rupee inr",
    "%": "percent pct",
}  # fmt: skip
_NAMED = (
    {figure: figure for figure in [*_DAYS, *"$£€¥₹%"]}
    | {word: str(number) for word, number in (_SMALL | _TENS).items() if word != "one"}
    | {word: figure for figure, words in _SHORT.items() for word in words.split()}
)
_FIGURE = re.compile(
    rf"(?:{PLACEHOLDER.pattern})|https?://\S+|www\.\S+"
    r"|(?<!\d)(?P<date>\d{1,4}(?P<mark>[/.-])\d{1,2}(?P=mark)\d{1,4})(?!\d)"
    r"|(?<!\d)-?(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?\s?(?P<half>[ap])\.?\s?m\b"
    r"|(?<!\d)-?(?P<clock>\d{1,2}:\d\d)(?!\d)"
    r"|(?<![^\W_])(?P<code>[a-z]+[-#]?\d[a-z\d]*(?:-[a-z\d]+)*)"
    r"|(?P<number>(?:(?<!\S)-)?\d+(?:[.,]\d+)*)"
    rf"|\b(?P<tens>{'|'.join(_TENS)})[ -](?P<ones>{'|'.join(_ONES)})\b"
    r"|\b(?P<one>one)[ -](?=(?:more |full |working |business )?(?:minute|hour|day|night|week|month|year)\b)"
    r"|(?P<may>\bmay(?=\s\d)|(?<=\b(?:in|of|by)\s)may\b|(?<=\d(?:st|nd|rd|th)\s)may\b)"
    r"|(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天末])|(?P<next>明天|后天|昨天)"
    r"|(?P<word>[$£€¥₹%]|(?<=\d)[元块]|[^\W\d_\u3040-\u9fff\uac00-\ud7af]+)"
)

_ZEROS = re.compile(r"^(-?)0+(?=\d)")


def other_figures(answer: str, own: str) -> frozenset[str]:
    """The figures that an answer names and another one, the agent's own, does not.

    >>> other_figures("It opens at 7pm and costs $20.", "It costs 20 dollars and opens at 7:00 p.m.")
    frozenset()
    >>> other_figures("It takes five days.", "It takes 3 days.")
    frozenset({'5'})
    >>> other_figures("It takes a few days.", "It takes 3 days.")
    frozenset()
    """
    return figures_in(answer) - figures_in(own)


@lru_cache(maxsize=REMEMBERED)
def figures_in(text: str) -> frozenset[str]:
    """The figures that a text names, each in one form however it is written.

    >>> sorted(figures_in("Tue, 3rd of March, 9am to 17:30: twenty-five at £1,250.00 each, LW-4411, <ORDER_2>"))
    ['1250', '17:30', '25', '3', '9:00', 'lw4411', 'march', 'tuesday', '£']
    >>> sorted(figures_in("-5 degrees, 9 am -5:30 pm")), figures_in("9am-5.30pm") == figures_in("09:00-17:30")
    (['-5', '17:30', '9:00'], True)
    >>> sorted(figures_in("You may pay in one week, by 2026-09-03 or in May; your order is LW-0000000"))
    ['1', '2026/9/3', 'may']
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return frozenset(filter(None, map(_figure, _FIGURE.finditer(folded))))


def _figure(match: re.Match[str]) -> str:
    """A figure in its one form; empty where none is named."""
    kind = match.lastgroup
    if kind is None:
        return ""
    found = str(match[kind])
    digits = re.sub(r"\D", "", found)
    if kind in ("date", "code", "number") and len(digits) > 1 and not digits.strip("0"):
        return ""
    return _FORMS[kind](match, found) if kind in _FORMS else found


def _hour(match: re.Match[str], _: str) -> str:
    hour = int(match["hour"])
    return f"{hour % 12 + 12 * (match['half'] == 'p') if hour <= 12 else hour}:{match['minute'] or '00'}"


def _number(_: re.Match[str], text: str) -> str:
    """In figures without separators of thousands; a comma before other than three digits is a decimal one."""
    whole, mark, rest = text.replace(",", ".").rpartition(".")
    if not mark or len(rest) == 3:
        whole, rest = whole + rest, ""
    rest = rest.rstrip("0")
    return _ZEROS.sub(r"\1", whole.replace(".", "")) + (f".{rest}" if rest else "")


_FORMS: dict[str, Callable[[re.Match[str], str], str]] = {
    "date": lambda _, date: "/".join(str(int(part)) for part in re.split(r"\D", date)),
    "half": _hour,
    "clock": lambda _, clock: clock.removeprefix("0"),
    "code": lambda _, code: re.sub("[-#]", "", code),
    "number": _number,
    "ones": lambda match, ones: str(_TENS[match["tens"]] + _SMALL[ones]),
    "one": lambda *_: "1",
    "word": lambda _, word: _NAMED.get(word, _NAMED.get(word.removesuffix("s"), "")),
}
