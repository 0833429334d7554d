"""Desks as earlier versions left them."""

from __future__ import annotations

from dataclasses import replace

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
