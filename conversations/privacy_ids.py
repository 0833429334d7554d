"""Ids of conversations that hold personal data, such as a customer's e-mail address or telephone number.

Most ids are numbers, and a number alone may be anything: it counts as a telephone number only where it is written as
one, and never as a card. What is taken for personal by mistake does no harm: a pseudonym is an id as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from conversations.privacy_phones import phone_spans

_ADDRESS = re.compile(r"[^\s@]@[^\s@]")
"""Of mail or of a messenger. A name that begins with @ is none."""
_WRITTEN_AS_PHONE = re.compile(r"[+(]{0,2}0\d|[+(]|[2-9]\d\d[ .-]\d{3}[ .-]\d{4}$|1[3-9]\d{9}$")
"""With a country code, an area code, as in America, or a mobile number in China."""
_PART = re.compile(r"[_/:|]|(?<=[a-z])-(?=[+0])|(?<=\d)-(?=\d{1,4}$)")
"""Where another part of an id begins. A number behind capitals is that of an order."""
_DRAWN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:log|id)-[0-9a-f]{16}", re.IGNORECASE)
"""UUIDs, names after the content and pseudonyms: digits that look like something do so by chance."""
_PERSONAL = ("<EMAIL>", "<NAME>", "<ADDRESS>", "<ID>")


def holds_person(name: str, redact: Callable[[str], tuple[str, int]]) -> bool:
    """Whether the id of a conversation holds personal data.

    Args:
        name: the id, as the log has it.
        redact: puts placeholders into a text, and counts them.
    """
    if _DRAWN.fullmatch(name):
        return False
    if _ADDRESS.search(name) or any(map(_is_phone, (name, *_PART.split(name)))):
        return True
    redacted, _ = redact(name)
    return any(placeholder in redacted and placeholder not in name for placeholder in _PERSONAL)


def _is_phone(text: str) -> bool:
    """Whether some of a text is written as a telephone number."""
    return any(_WRITTEN_AS_PHONE.match(text[span.start : span.end]) for span in phone_spans(text))
