"""Ids of conversations that hold personal data: an address, or a telephone number that is written as one.

Told by their form alone, so that it does not depend on what finds names. What an id is taken for must not change: a
conversation is found by it, and falls on a side of the split by it. Most ids are numbers, and a row of digits may be
anything: it never counts, nor do digits within a longer name.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from conversations.privacy_phones import is_grouped, phone_spans

_ADDRESS = re.compile(r"\S@\S")
"""Of mail or of a messenger. A name that begins with @ is none."""
_WORD = re.compile(r"""[^\s"'<>{}\[\],;]+""")
"""As far as one goes in a row of a log or in what is said of it."""
_NUMBER = re.compile(r"(?<![^\W_])(?:\(?\+[\d ().-]*\d(?![^\W_])|(?<![.-])\(?\d[\d ().-]*\d(?![.-]?[^\W_]))")
"""With a country code, or in groups; a UUID has such groups between others."""


def holds_person(name: str) -> bool:
    """Whether the id of a conversation, as the log has it, holds personal data.

    >>> [holds_person(name) for name in ("sip:jane@host", "%2B14155552671", "212-555-1234", "2125551234", "T-0042")]
    [True, True, True, False, False]
    """
    read = unquote(name)
    return bool(_ADDRESS.search(read)) or any(_is_phone(number.group()) for number in _NUMBER.finditer(read))


def without_addresses(text: str) -> str:
    """A text with a placeholder for all that would be an address in an id.

    >>> without_addresses("conversation 'sip:jane@host': unknown role")
    "conversation '<EMAIL>': unknown role"
    """
    return _WORD.sub(lambda word: "<EMAIL>" if _ADDRESS.search(unquote(word.group())) else word.group(), text)


def _is_phone(text: str) -> bool:
    """Whether digits and what stands between them are written as a telephone number."""
    return any(
        span.start == 0 and ("+" in text or (span.end == len(text) and is_grouped(text)))
        for span in phone_spans(text)
    )
