"""Whether a logged conversation is what a desk holds already, a beginning of it, has grown, or is another one.

Told by digests of the conversation as it was logged, salted, for they come from personal data.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Literal

from conversations.model import Conversation
from conversations.privacy import PRIVACY_VERSION

Relation = Literal["new", "same", "beginning", "grown", "another"]

_WHOLE = 32
"""Hexadecimal digits for the whole of a conversation and how it is de-identified; after these come eight for the
first turn, eight for the first two, and so on. Desks from before hold the whole alone.
"""
_BEGINNING = 8


def state_of(conversation: Conversation, salt: str, redact: bool) -> str:
    """The digest of a conversation, as it was logged.

    Args:
        conversation: before it is de-identified.
        salt: of the desk.
        redact: whether it is de-identified.
    """
    # Desks from before learned from what the bot said: such a conversation is another state now, and read again.
    taught = ["teaches nothing"] if conversation.is_with_bot else []
    content = json.dumps([asdict(conversation), PRIVACY_VERSION if redact else None, *taught], sort_keys=True)
    key = salt.encode("ascii")
    whole = hashlib.blake2b(content.encode("utf-8"), key=key, digest_size=_WHOLE // 2).hexdigest()
    said = hashlib.blake2b(key=key)
    beginnings = []
    for turn in conversation.turns:
        said.update(json.dumps(asdict(turn), sort_keys=True).encode("utf-8"))
        beginnings.append(said.hexdigest()[:_BEGINNING])
    return whole + "".join(beginnings)


def relation(state: str, stored: str | None) -> Relation:
    """What a conversation is to that which a desk holds under its id; "grown" also where only more is told of it.

    Args:
        state: of the conversation, from :func:`state_of`.
        stored: that of the one in the desk; None where there is none.
    """
    if stored is None:
        return "new"
    if state[:_WHOLE] == stored[:_WHOLE]:
        return "same"
    own, theirs = state[_WHOLE:], stored[_WHOLE:]
    if own.startswith(theirs):
        return "grown"
    return "beginning" if theirs.startswith(own) else "another"
