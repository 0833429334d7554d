"""What people say about answers, kept in the desk's store without personal data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from conversations.errors import DeskError
from conversations.model import Feedback
from conversations.store import Store


class FeedbackBook:
    """Writes feedback of one source, such as the chat, into a desk's store."""

    def __init__(self, store: Store, source: str, customer: str | None = None) -> None:
        """Opens the book.

        Args:
            store: of the desk.
            source: where the judgements are made.
            customer: whose dialogue it is, as the desk stores customers; None where that is unknown.
        """
        self._store = store
        self._source = source
        self._customer = customer

    def add(self, conversation_key: str, question: str, answer_id: int, verdict: Literal["good", "bad"]) -> None:
        """Keeps one judgement; the question is de-identified first, as everything in the desk is.

        Raises:
            DeskError: the answer is gone, or the store cannot be written.
        """
        if next(self._store.answers([answer_id]), None) is None:
            raise DeskError("This answer was removed from the desk meanwhile.", "Leave the chat and begin it again.")
        if self._store.setting("redact", True):
            # Loaded at the first judgement, since most chats have none.
            from conversations.privacy import Redactor

            question, _ = Redactor(self._store.setting("salt", "")).redact(question)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._store.add_feedback(
            Feedback(now, conversation_key, question, answer_id, verdict, self._source, self._customer)
        )
