"""What people made of suggested answers, as training pairs: a question and an answer that was right for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from conversations.model import Feedback, StoredPair, Turn

WORTH = {"good": 1.0, "bad": -1.0, "picked": 0.5, "sent": 0.5, "edited": 0.25, "skipped": -0.25}
"""What a person said counts more than what they did. Nothing follows for an answer from a hand-over."""


class FeedbackPairs(NamedTuple):
    """What feedback teaches."""

    pairs: list[StoredPair]
    contradictions: int
    """Answers that were called good and bad for one question, about as often: nothing is learned from those."""


def feedback_pairs(judgements: Iterable[Feedback]) -> FeedbackPairs:
    """The answers that people together found right for a question. A person counts once for each.

    Args:
        judgements: of one desk.
    """
    of_person: dict[tuple[str, int, str], float] = {}
    for one in judgements:
        if one.answer_id is not None:
            key = (one.question, one.answer_id, one.who)
            of_person[key] = of_person.get(key, 0.0) + WORTH[one.verdict]
    opinions: dict[tuple[str, int], list[float]] = {}
    for (question, answer, _), worth in of_person.items():
        opinions.setdefault((question, answer), []).append(min(max(worth, -1.0), 1.0))
    pairs: list[StoredPair] = []
    contradictions = 0
    for (question, answer), worths in opinions.items():
        if _contradict(worths):
            contradictions += 1
        elif sum(worths) > 0:
            name = f"feedback {len(pairs)}"
            pairs.append(StoredPair(-1 - len(pairs), answer, name, 0, question, (Turn("customer", question),)))
    return FeedbackPairs(pairs, contradictions)


def _contradict(worths: Sequence[float]) -> bool:
    """Whether there are two sides, and the lesser weighs at least half as much as the other.

    >>> _contradict([1.0, -1.0]), _contradict([1.0, 1.0, 1.0, -1.0]), _contradict([-1.0])
    (True, False, False)
    """
    good, bad = sum(one for one in worths if one > 0), -sum(one for one in worths if one < 0)
    return 0 < max(good, bad) <= 2 * min(good, bad)
