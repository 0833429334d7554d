"""What people made of suggested answers, as training queries: a question, what is right for it, and what is wrong.

Where nothing is known to be right for a question, what nobody turned down stands for it: what people turned down is
not to come before that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from conversations.model import Feedback, Turn, Verdict
from training.datasets import Query

WORTH = {"good": 1.0, "bad": -1.0, "picked": 0.5, "sent": 0.5, "edited": 0.25, "skipped": -0.25}
"""What a person said counts more than what they did. Nothing follows for an answer from a hand-over."""
TURNED_DOWN = -0.5
"""Worth of all people's judgements from which on an answer is a wrong one: passed over once, it may have been the
second best of two good ones."""


def opinion_after(before: float, verdict: Verdict, likeness: float = 1.0) -> float:
    """What a person thinks of an answer after one more judgement, from -1 to 1.

    What is said stands for all that was said and done before; what is done adds to it.

    Args:
        before: what they thought of it.
        verdict: what they said or did.
        likeness: how far the judgement is about the same question, from 0 to 1.

    >>> opinion_after(1.0, "bad"), opinion_after(0.75, "sent"), opinion_after(-1.0, "sent", 0.5)
    (-1.0, 1.0, -0.75)
    """
    worth = WORTH[verdict]
    kept = before * (1.0 - likeness) if verdict in ("good", "bad") else before
    return min(max(kept + likeness * worth, -1.0), 1.0)


class FeedbackQueries(NamedTuple):
    """What feedback teaches."""

    queries: list[Query]
    """One for every question about which something is known, the one that was judged last at the end."""
    contradictions: int
    """Answers that were called good and bad for one question, about as often: nothing is learned from those."""

    @property
    def right(self) -> int:
        """Answers that are right for a question."""
        return sum(len(query.right) for query in self.queries)

    @property
    def rejected(self) -> int:
        """Answers that are wrong for a question."""
        return sum(len(query.rejected) for query in self.queries)


def feedback_queries(judgements: Iterable[Feedback]) -> FeedbackQueries:
    """The answers that people together found right or wrong for a question. A person counts once for each.

    Args:
        judgements: of one desk, oldest first.
    """
    of_person: dict[tuple[str, int, str], float] = {}
    judged_last: dict[str, int] = {}
    for place, one in enumerate(judgements):
        if one.answer_id is not None:
            judged_last[one.question] = place
            key = (one.question, one.answer_id, one.who)
            of_person[key] = opinion_after(of_person.get(key, 0.0), one.verdict)
    opinions: dict[str, dict[int, list[float]]] = {}
    for (question, answer, _), worth in of_person.items():
        opinions.setdefault(question, {}).setdefault(answer, []).append(worth)
    queries: list[Query] = []
    contradictions = 0
    for question, answers in sorted(opinions.items(), key=lambda item: judged_last[item[0]]):
        right, rejected = set(), set()
        for answer, worths in answers.items():
            if _contradict(worths):
                contradictions += 1
            elif sum(worths) > 0:
                right.add(answer)
            elif sum(worths) <= TURNED_DOWN:
                rejected.add(answer)
        if right or rejected:
            asked, group = (Turn("customer", question),), f"feedback {len(queries)}"
            queries.append(Query(asked, frozenset(right), group, rejected=frozenset(rejected)))
    return FeedbackQueries(queries, contradictions)


def _contradict(worths: Sequence[float]) -> bool:
    """Whether there are two sides, and the lesser weighs at least half as much as the other.

    >>> _contradict([1.0, -1.0]), _contradict([1.0, 1.0, 1.0, -1.0]), _contradict([-1.0])
    (True, False, False)
    """
    good, bad = sum(one for one in worths if one > 0), -sum(one for one in worths if one < 0)
    return 0 < max(good, bad) <= 2 * min(good, bad)
