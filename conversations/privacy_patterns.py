"""Personal data that a pattern and a checksum can tell: addresses of mail, cards, accounts, ids,
streets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """A piece of a text that is to be replaced."""

    start: int
    end: int
    replacement: str


PLACEHOLDER = re.compile(r"<[^\W\d][\w-]{0,38}>|\[(?!(?:at|dot)\])[^\[\]\n]{1,20}\]")
"""What logs hold in the place of personal data already: ``<account_id>``, ``[电话x]``. Never touched, unless
personal data stand in the brackets.
"""

_EMAIL = re.compile(
    r"[^\s@<>()\[\]{},;:\"'，。；：（）]{1,64}@[^\W_](?:[\w-]{0,62}\.){1,6}[^\W\d_]{2,24}(?![\w-])"
    r"|\b[A-Za-z0-9._-]{1,40}\s?[\[(]?\bat\b[\])]?\s?[A-Za-z0-9-]{2,30}\s?[\[(]?\bdot\b[\])]?\s?(?:com|org|net|edu|co|io|ie|uk|de)\b"
)
_URL = re.compile(
    r"(?:\b(?:https?|ftp|wss?)://|(?<![\w.@/-])(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,24}[/?])[^\s<>\"'，。]{1,2000}",
    re.IGNORECASE,
)
_SECRET_IN_URL = re.compile(
    r"//[^/\s@]+@|[?&#](?:[\w-]*(?:token|key|secret|sig|signature|password|passwd|pwd|auth|session|sid|email|code))="
    r"|/[\w-]{0,30}(?:reset|recover|verify|confirm|activat|invit|unsubscribe|magic|token|auth|log-?in|sign-?in)[\w-]{0,30}"
    r"/(?=[^\W\d]{0,40}\d)\w{6,}(?![\w-])"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE,
)
_RANDOM = re.compile(r"[A-Za-z0-9]{16,}")
_SECRET = re.compile(
    r"\b(?:sk-[\w-]{20,200}|AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,80}|eyJ[\w-]{10,2000}\.[\w-]{10,2000}\.[\w-]{5,2000})"
)
_CARD = re.compile(r"(?<![\w.])(?=(\d(?:[ -]?\d){12,18}))")
_CARD_SHAPE = re.compile(r"[2-6]\d{3,18}(?:[ -]\d{3,6})*")
_IBAN = re.compile(r"(?<!\w)(?=([A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?))", re.IGNORECASE)
_SORT_CODE = re.compile(r"(?<=sort code)(?:\s*(?:is|:|number))?\s*(\d\d[- ]?\d\d[- ]?\d\d)(?!\d)", re.IGNORECASE)
_IP = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]\d)")
_MAC = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:])")
_ID = re.compile(
    r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"  # US social security
    r"|(?<!\w)[A-CEGHJ-PR-TW-Z]{2} ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)"  # UK national insurance
    r"|(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"  # Chinese resident
    r"\d{3}[\dXx](?!\d)"
)
_NAMED_ID = re.compile(
    r"\b(?:passport|driving licen[cs]e|driver'?s licen[cs]e|national insurance|social security|ssn|tax id)"
    r"(?:\s+(?:number|no\.?|id))?(?:\s+is)?\s*[:#]?\s*((?=[A-Za-z-]{0,12}\d)[A-Za-z0-9-]{6,20})\b"
    r"|(?:护照号?码?|身份证号?码?)(?:是|为)?[:：]?\s*([A-Za-z0-9]{7,18})",
    re.IGNORECASE,
)
_BIRTH = re.compile(
    r"\b(?:born(?:\s+on)?|date of birth|birth\s?da(?:y|te)|d\.?o\.?b\.?)(?:\s+is)?\s*[:,]?\s*(?:the\s+)?"
    r"(\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?[A-Za-z]{3,9},?\s+\d{2,4}|[A-Za-z]{3,9}\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{2,4})",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"(?<![\w-])(?:"
    r"(?:[A-PR-UWYZ][A-HK-Y]?\d[A-HJKPS-UW\d]? ?(?!(?:1st|2nd|3rd|\dth|\d(?:[GTP]B|HZ))\b)\d[ABD-HJLNP-UW-Z]{2}"  # UK
    r"|[AC-FHKNPRTV-Y]\d[0-9W] (?=[A-Z]{0,3}\d)[0-9AC-FHKNPRTV-Y]{4}))(?!\w)",  # Ireland
    re.IGNORECASE,
)
_ZIP = re.compile(
    r"\b(?:A[LKZR]|C[AOT]|DE|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|W[AVIY]|DC)"
    r",? (\d{5}(?:-\d{4})?)(?![\w-])"
    r"|\b(?:zip|postal) ?code(?:\s+is)?\s*:?\s*(\d{5}(?:-\d{4})?)(?![\w-])"
    r"|邮编(?:是|为)?[:：]?\s*(\d{6})(?!\d)"
)
_STREET_WORD = (
    r"(?!(?:of|on|the|to|a|an|and|in|by|for|from|or|hours?|days?|weeks?|minutes?|months?|years?|per|at|my|your|this|that|is|it|x|times?|more|off|working)\b)"
    r"(?!(?i:[kmgtp]b|[kmg]?hz|[mg]bps|[cm]m|k[gmw]|ml|ft|inch|px|mp|mah|rpm|hard|external|portable|flash|usb|thumb|disk)\b)"
    r"[A-Za-z][A-Za-z'’.-]{1,20}"
)
_STREET = re.compile(
    r"\b(?:(?:flat|apartment|apt|unit|suite)\.? \d{1,4}[A-Za-z]?,? )?"
    rf"\d{{1,5}}[A-Za-z]?,? (?:{_STREET_WORD} ){{1,3}}"
    r"(?:street|road|avenue|lane|crescent|boulevard|gardens|terrace|parkway|rd|ave|blvd"
    r"|St|Rd|Ave|Ln|Dr|Drive|Close|Court|Ct|Place|Way|Square|Grove|Hill|Park|Mews|Row|Walk|Street|Road|Avenue|Lane"
    r"|Crescent|Boulevard|Gardens|Terrace|Parkway|Highway)\b",
)
_PHONE_ZH = re.compile(
    r"(?<!\d)(?:(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}|0\d{2,3}[- ]?\d{7,8}|400[- ]?\d{3}[- ]?\d{4})(?!\d)"
)
_ACCOUNT_ZH = re.compile(r"(?:QQ|qq|微信|微信号|wechat|WeChat)(?:号|号码)?(?:是|为)?[:：]?\s*([A-Za-z0-9_-]{5,20})")


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 and len(set(digits)) > 1


def _is_card(text: str) -> bool:
    digits = re.sub(r"\D", "", text)
    return 13 <= len(digits) <= 19 and digits.isascii() and _luhn(digits)


def _is_iban(text: str) -> bool:
    compact = text.replace(" ", "").upper()
    if not (15 <= len(compact) <= 34 and compact.isascii()):
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def _cards(text: str) -> Iterator[tuple[int, int]]:
    """Where a card's digits are, whatever digits stand before or after them."""
    for match in _CARD.finditer(text):
        start = match.start()
        alone = re.search(r"\d[ -]?$", text[max(0, start - 2) : start]) is None
        for end in _ends(text, *match.span(1)):
            found = text[start:end]
            whole = alone and re.match(r"[ -]?\d", text[end : end + 2]) is None
            if (whole or _CARD_SHAPE.fullmatch(found)) and _is_card(found):
                yield start, end
                break


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    """Where an IBAN is; the words after it may look like more of it."""
    for match in _IBAN.finditer(text):
        start = match.start()
        for end in _ends(text, *match.span(1)):
            if _is_iban(text[start:end]):
                yield start, end
                break


def _ends(text: str, start: int, end: int) -> Iterator[int]:
    """Where what begins at ``start`` may end: after the groups up to ``end``, the last first."""
    for at in range(end, start, -1):
        if text[at - 1].isalnum() and not (at < len(text) and (text[at].isalnum() or text[at] == "_")):
            yield at


def _secret_urls(text: str) -> Iterator[tuple[int, int]]:
    for match in _URL.finditer(text):
        address = match.group().rstrip(".,;:!?)]}")
        if _SECRET_IN_URL.search(address) or any(map(_is_random, _RANDOM.findall(address))):
            yield match.start(), match.start() + len(address)


def _is_random(word: str) -> bool:
    """Whether a word in an address was drawn by lot, as a key to something is: letters and digits in no order."""
    if word.isalpha() or word.isdigit():
        return False
    if re.fullmatch(r"[0-9a-fA-F]+", word):
        return True
    mixed = word.upper() != word != word.lower()
    return len(re.findall(r"\d+", word)) >= (2 if mixed else 4)


def _spans_of(pattern: re.Pattern[str]) -> Callable[[str], Iterator[tuple[int, int]]]:
    """Where a pattern's group is, or the whole of it where it has none."""

    def found(text: str) -> Iterator[tuple[int, int]]:
        for match in pattern.finditer(text):
            yield match.span(match.lastindex or 0)

    return found


class _Rule(NamedTuple):
    find: Callable[[str], Iterator[tuple[int, int]]]
    placeholder: str
    needs: str
    """A text without any of these characters (or any digit, for "0") cannot match, and is passed over."""


_RULES = (
    _Rule(_secret_urls, "<URL>", "/?"),
    _Rule(_spans_of(_SECRET), "<SECRET>", "0"),
    _Rule(_spans_of(_EMAIL), "<EMAIL>", "@a"),
    _Rule(_ibans, "<IBAN>", "0"),
    _Rule(_cards, "<CARD>", "0"),
    _Rule(_spans_of(_SORT_CODE), "<ACCOUNT>", "0"),
    _Rule(_spans_of(_ID), "<ID>", "0"),
    _Rule(_spans_of(_NAMED_ID), "<ID>", "0"),
    _Rule(_spans_of(_BIRTH), "<BIRTHDATE>", "0"),
    _Rule(_spans_of(_MAC), "<ID>", "0"),
    _Rule(_spans_of(_IP), "<IP>", "0"),
    _Rule(_spans_of(_STREET), "<ADDRESS>", "0"),
    _Rule(_spans_of(_POSTCODE), "<POSTCODE>", "0"),
    _Rule(_spans_of(_ZIP), "<POSTCODE>", "0"),
    _Rule(_spans_of(_PHONE_ZH), "<PHONE>", "0"),
    _Rule(_spans_of(_ACCOUNT_ZH), "<ACCOUNT>", "0"),
)
_DIGIT = re.compile(r"\d")


def pattern_spans(text: str) -> Iterator[Span]:
    """Personal data that a pattern finds, the surest kind first."""
    has_digit = _DIGIT.search(text) is not None
    for find, placeholder, needs in _RULES:
        if needs == "0" and not has_digit:
            continue
        if needs == "/?" and "/" not in text and "?" not in text:
            continue
        if needs == "@a" and "@" not in text and "dot" not in text:
            continue
        for start, end in find(text):
            yield Span(start, end, placeholder)
