"""Under which ids a desk has the conversations of logs.

One whose id holds personal data is stored under a pseudonym. What a desk has it keeps under the id that it has, for
that tells the side of the split: an earlier version, or a desk that does not de-identify, stored the id of the log. A
conversation is found by both.
"""

from __future__ import annotations

from conversations.privacy import redactor_of
from conversations.store import Store


class KnownIds:
    """The ids of one desk's conversations."""

    def __init__(self, store: Store, redact: bool | None = None) -> None:
        """Reads how the desk stores ids.

        Args:
            store: of the desk, with its salt.
            redact: whether it de-identifies from now on; None where that is as it was.
        """
        self._store = store
        self._redactor = redactor_of(store)
        self._redact = bool(store.setting("redact", True)) if redact is None else redact

    def new(self, logged: str) -> str:
        """The id under which a conversation of a log is stored where the desk does not have it yet."""
        return self._redactor.stored_id(logged) if self._redact else logged

    def both(self, logged: str) -> tuple[str, str]:
        """All ids under which the desk may have a conversation, whatever counts as personal now: that of the log, and
        its pseudonym.
        """
        return logged, self._redactor.private_id(logged)

    def find(self, logged: str) -> str | None:
        """The id under which the desk has a conversation; None where it does not.

        Args:
            logged: its id as a log has it; or the pseudonym, where that is what the desk stores.
        """
        return next((one for one in self.both(logged) if self._store.conversation_digest(one) is not None), None)

    def of(self, logged: str) -> str:
        """The id under which the desk has a conversation, or would have it."""
        return self.find(logged) or self.new(logged)
