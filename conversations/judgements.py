"""The table of feedback, being written to: every judgement is one person's, of one running conversation."""

from __future__ import annotations

import json
from dataclasses import asdict

from conversations.database import DeskFile
from conversations.model import Feedback
from conversations.store_reading import marks


def add(file: DeskFile, feedback: Feedback) -> None:
    """Keeps a judgement as it is given."""
    values = {**asdict(feedback), "shown": json.dumps(feedback.shown)}
    file.run(
        "INSERT INTO feedback (at, conversation_key, question, answer, verdict, source, who, customer, shown,"
        f" vector, encoder) VALUES ({marks(values)})",
        list(values.values()),
    )


def name_customer(file: DeskFile, conversation_key: str, customer: str) -> None:
    """Says of the judgements of a running conversation whose it is, where that was not known."""
    file.run(
        "UPDATE feedback SET customer = ? WHERE conversation_key = ? AND customer IS NULL",
        (customer, conversation_key),
    )


def remove_of(file: DeskFile, customer: str) -> None:
    """Removes a customer's judgements, and those of their conversations from before it was known whose these are."""
    file.run(
        """DELETE FROM feedback WHERE customer = ? OR customer IS NULL
           AND conversation_key IN (SELECT conversation_key FROM feedback WHERE customer = ?)""",
        (customer, customer),
    )
