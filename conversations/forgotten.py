"""Customers whom a desk was told to forget, and whose conversations in logs it therefore leaves alone."""

from __future__ import annotations

from conversations.model import Conversation
from conversations.privacy import redactor_of
from conversations.privacy_ids import holds_person
from conversations.store import Store

LEFT_OUT = "Conversations of forgotten customers that were left out: {:,}."


class Forgotten:
    """The forgotten customers of one desk."""

    def __init__(self, store: Store) -> None:
        """Reads who they are.

        Args:
            store: of the desk, with its salt.
        """
        self._redactor = redactor_of(store)
        self._pseudonyms = store.forgotten()

    def has(self, logged: Conversation) -> bool:
        """Whether a conversation is of one of them, by its id where that is the person's address or number.

        Args:
            logged: as a log has it, not de-identified.
        """
        customer, name = logged.customer, logged.id
        people = (*([customer] if customer else []), *([name] if holds_person(name) else []))
        return any(self._redactor.pseudonym(one) in self._pseudonyms for one in people)
