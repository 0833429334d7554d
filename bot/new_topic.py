"""A customer who begins something new: what was said before then only leads the search astray.

A past dialogue of one topic teaches nothing of a customer who has had their answer and asks something else. Such a
message is told by the past questions near it: most of them began their conversations. Only then is the message looked
at by itself. No threshold plays a part in that: what a replay measured under one holds under another.

Measured by tests/benchmarks/new_topics.py with the base reranker. The first messages of the sample's 40 replayed
conversations, each put behind another of them, get the right answer first in 25 % as part of the whole and in 33 %
as served (38 % where nothing is before them). Of the 82 later turns, which begin nothing, 7 are taken anew, and one
more has the right answer first than before. Those of 61 conversations of STAR's dev log, on a desk of 600 of its
train log: 7 and 15 % (26 %), measured while sure answers were not read again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.failed_answers import failed_answers

if TYPE_CHECKING:
    from bot.answers import Answer
    from bot.dialogue import Request

MAYBE = 0.4
"""Share of the nearest past questions that began their conversations from which on a message is read by itself."""
OPENINGS = 0.5
"""The same share, of the questions nearest to the message by itself, from which on it begins something new."""


def alone(request: Request, answer: Answer) -> Request | None:
    """The request to make of the last message by itself; None where it is no beginning of anything.

    Args:
        request: the dialogue.
        answer: what was found for it.
    """
    if len(request.turns) < 2 or answer.openings < MAYBE:
        return None
    return by_itself(request)


def by_itself(request: Request) -> Request:
    """The request with the last message alone; what did not help in the dialogue is still not offered again."""
    failed = failed_answers([*request.earlier, *request.turns])
    return replace(request, turns=request.turns[-1:], rejected=(*request.rejected, *failed))


def surer(whole: Answer, last: Answer) -> Answer:
    """The answer to the last message by itself where that begins something new and is surer, else that to all.

    Args:
        whole: the answer to the dialogue.
        last: the answer to its last message by itself.
    """
    timings = {stage: whole.timings_ms[stage] + last.timings_ms[stage] for stage in whole.timings_ms}
    if last.confidence <= whole.confidence or last.openings < OPENINGS:
        return replace(whole, timings_ms=timings)
    return replace(last, timings_ms=timings, mood=whole.mood, is_new_topic=True)
