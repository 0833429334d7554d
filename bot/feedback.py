"""What people say about answers and do with them, kept in the desk's store, de-identified as all there is."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from conversations.errors import AttendantError, DeskError
from conversations.model import Feedback, Verdict
from conversations.moments import this_moment

if TYPE_CHECKING:
    from bot.assisted_dialogue import AssistedDialogue
    from bot.customer import Customer
    from bot.dialogue import Dialogue
    from bot.pipeline import Pipeline
    from conversations.privacy import Redactor

Judgements = Sequence[tuple[int | None, Verdict]]
"""Answers, each with what became of it; None in the place of one where the dialogue was handed over."""
Keep = Callable[["AssistedDialogue", Judgements, str], object]
"""Keeps judgements as `keep_or_say` does, and tells why not; where they are kept, it tells the text."""

_NOT_AS_IT_IS: frozenset[Verdict] = frozenset({"bad", "skipped", "edited"})
"""What neither gives an answer in its own words nor speaks for that."""


class FeedbackBook:
    """Writes what is said and done in one place, such as the chat, into a desk's store."""

    def __init__(self, pipeline: Pipeline, source: str, customer: str | None = None) -> None:
        """Opens the book.

        Args:
            pipeline: of the desk; it takes up what is written at once.
            source: where the judgements are made.
            customer: who judges, as the desk stores customers; None where that is somebody else or unknown.
        """
        self._pipeline = pipeline
        self._source = source
        self._customer = customer
        self._of_unknown: set[str] = set()
        """The dialogues of which something was kept before it was known who the customer is."""

    def check(self, answer_id: int | None, verdict: Verdict) -> None:
        """Refuses an answer that is no longer to be given; the arguments are those of `add`.

        Raises:
            DeskError: the answer is gone, or was withdrawn and is to be used as it is.
        """
        store = self._pipeline.store
        if answer_id is not None and next(store.answers([answer_id]), None) is None:
            raise DeskError("This answer was removed from the desk meanwhile.", "Leave the chat and begin it again.")
        if answer_id is not None and verdict not in _NOT_AS_IT_IS and store.service.withdrawn_among([answer_id]):
            raise DeskError("This answer was withdrawn meanwhile: it is no longer to be given.", "Ask again.")

    def add(self, dialogue: Dialogue, answer_id: int | None, verdict: Verdict) -> bool:
        """Keeps one judgement; the question is de-identified first, as everything in the desk is. Nothing is kept of
        a customer who was forgotten, for this dialogue may have begun before.

        Args:
            dialogue: whose last question was answered.
            answer_id: the answer; None where the dialogue was handed over.
            verdict: what became of it.

        Returns:
            Whether it was kept.

        Raises:
            DeskError: as for `check`, or the store cannot be written.
        """
        store = self._pipeline.store
        # Loaded at the first judgement, since most chats have none.
        from conversations.privacy import redactor_of

        redactor = redactor_of(store)
        if self._is_forgotten(dialogue.customer, redactor):
            return False
        self.check(answer_id, verdict)
        question = dialogue.asked[-1].text
        if store.setting("redact", True):
            question, _ = redactor.redact(question)
        vector = self._pipeline.embedder.encode([question])[0].astype(np.float16).tobytes()
        whose = self._customer or (dialogue.customer.key if dialogue.customer else None)
        store.add_feedback(
            Feedback(
                at=this_moment(),
                conversation_key=dialogue.key,
                question=question,
                answer_id=answer_id,
                verdict=verdict,
                source=self._source,
                who=self._customer or redactor.pseudonym(_user()),
                customer=whose,
                shown=tuple(choice.answer_id for choice in dialogue.shown()),
                vector=vector,
                encoder=self._pipeline.embedder.identity,
            )
        )
        if whose is None:
            self._of_unknown.add(dialogue.key)
        self._take_up()
        return True

    def meet(self, dialogue: Dialogue) -> None:
        """Says of what was kept of a dialogue whose it is, now that it is known: who forgets them finds it so. Of a
        customer who was forgotten before nothing stays.

        Args:
            dialogue: with its customer.

        Raises:
            DeskError: the store cannot be written.
        """
        if dialogue.customer is None or dialogue.key not in self._of_unknown:
            return
        store, customer = self._pipeline.store, dialogue.customer
        from conversations.privacy import redactor_of

        with store.transaction():
            store.name_customer(dialogue.key, customer.key)
            if self._is_forgotten(customer, redactor_of(store)):
                store.delete_customer(customer.key)
        self._of_unknown.remove(dialogue.key)
        self._take_up()

    def _is_forgotten(self, customer: Customer | None, redactor: Redactor) -> bool:
        """Whether who judges or the customer, by any of their names, was forgotten."""
        names = [customer.name, customer.key] if customer else []
        forgotten = self._pipeline.store.forgotten()
        return not forgotten.isdisjoint([self._customer, *names, *map(redactor.pseudonym, names)])

    def _take_up(self) -> None:
        # At once: with many judgements that takes a while, for which the next answer would wait.
        if self._pipeline.prior is not None:
            self._pipeline.refresh_feedback()


def keep_or_say(book: FeedbackBook, dialogue: Dialogue, judgements: Judgements) -> str:
    """Keeps what one act of a person says of answers. What was judged is done all the same where it is not kept.

    Args:
        book: where it is kept.
        dialogue: as for `FeedbackBook.add`.
        judgements: kept one by one.

    Returns:
        Why not all of it was kept, as a person is told; empty where it was.
    """
    why = ""
    for answer_id, verdict in judgements:
        try:
            if not book.add(dialogue, answer_id, verdict):
                why = "Nothing was kept of this: the customer was forgotten."
        except AttendantError as error:
            why = f"This could not be kept: {error}"
    return why


def _user() -> str:
    """Who sits at the keyboard, by name, or by number where a container knows no names."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return str(os.getuid()) if hasattr(os, "getuid") else "somebody"
