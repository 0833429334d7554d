"""What the tests that retrain a real desk share."""

from __future__ import annotations

import pytest

from bot.pipeline import Pipeline
from conversations.desk import Desk
from conversations.model import Turn
from training import examples


def few_are_enough(monkeypatch: pytest.MonkeyPatch, to_train: int, held_out: int) -> None:
    """Lets a desk be trained on so few dialogues, and judged on so few."""
    monkeypatch.setattr(examples, "LEAST_EXAMPLES", to_train)
    monkeypatch.setattr(examples, "LEAST_HELD_OUT", held_out)


def ask(desk: Desk) -> tuple[str, list[tuple[str, float]]]:
    """What serves a desk, and how it weighs the answers to one question."""
    with Pipeline.open(desk) as pipeline:
        answer = pipeline.answer([Turn("customer", "nobody is in tomorrow, what happens?")])
        return pipeline.ranker_name, [(candidate.text, candidate.weight) for candidate in answer.candidates]
