"""Desks as earlier versions left them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace

from conversations.pairs import extract_pairs
from conversations.privacy import redactor_of
from conversations.store import Store


def keep_as_logged(store: Store, name: str) -> None:
    """Stores a conversation under the id that its log has, as earlier versions did."""
    pseudonym = redactor_of(store).stored_id(name)
    before = replace(store.conversation(pseudonym), id=name)
    digest = store.conversation_digest(pseudonym)
    with store.transaction():
        store.delete_conversation(pseudonym)
        store.add_conversation(before, digest, extract_pairs(before))


def keep_as_learned_from(store: Store, name: str) -> None:
    """Stores a conversation with the bot, which is not de-identified, as earlier versions did: with pairs."""
    before = store.conversation(name)
    content = json.dumps([asdict(before), None], sort_keys=True).encode()
    whole = hashlib.blake2b(content, key=store.setting("salt").encode(), digest_size=16).hexdigest()
    digest = whole + store.conversation_digest(name)[len(whole) :]
    store.add_conversation(before, digest, extract_pairs(replace(before, source=None)))
