"""The best three suggestions for an agent: three different things to say, each with how likely it is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bot.present import source_line

if TYPE_CHECKING:
    from bot.answers import Answer, RankedAnswer
    from bot.assisted_dialogue import AssistedDialogue
    from bot.dialogue import Dialogue, Request
    from bot.pipeline import Pipeline

SHOWN = 3
"""Suggestions on the screen."""
APART = 2.0
"""What likeness to a suggestion that is already there costs: logits for a cosine of 1.

Chosen among .5, 1, 2 and 4. Of 122 turns of the sample's replay log and 900 of STAR's dev log the right answer is
among the three in 680, and among the plain best three in 683; 681 and 679 with the candidates of `DRAFT`: no
difference that counts (tests/benchmarks/suggestions.py).
"""
LOOKED_AT = 12
"""Answers from which the three are chosen."""
DRAFT = 34
"""Candidates weighed while the customer is still writing, instead of all.

In the turns named above the right answer is among the three in 681 so, in 680 with all 50.
"""

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing that the agent could say."""

    answer: RankedAnswer
    chance: float
    """How likely it is right, 0 to 1; for the best it is the confidence of the answer."""
    source: str
    """Where it was said before, in words."""


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What could be said after a dialogue."""

    request: Request
    """The dialogue, with what the customer had typed of the next message."""
    answer: Answer
    best: tuple[Suggestion, ...]
    """At most `SHOWN`, best first."""


def suggest(pipeline: Pipeline, request: Request, count: int | None = None) -> Iterator[Suggestions | None]:
    """Suggestions for a dialogue in steps, between which whoever no longer wants them may stop.

    Args:
        pipeline: the desk.
        request: the dialogue.
        count: as for `Pipeline.answer_in_steps`.

    Yields:
        None between the stages, then the suggestions.
    """
    for answer in pipeline.answer_in_steps(request, count):
        if answer is None:
            yield None
            continue
        first = answer.candidates[:LOOKED_AT]
        ids = np.array([one.answer_id for one in first], np.int64)
        weights = np.array([one.weight for one in first], np.float32)
        chosen = [first[place] for place in different(weights, pipeline.retriever.views["answers"].vectors_of(ids))]
        best = tuple(Suggestion(one, answer.chance(one), source_line(one, pipeline)) for one in chosen)
        yield Suggestions(request, answer, best)


def different(weights: Floats, vectors: Floats, count: int = SHOWN) -> list[int]:
    """The places, in their order, of answers that are likely and unlike each other: the best is always among them.

    By maximal marginal relevance: each next one has the largest log(weight) - `APART` * (largest cosine with one that
    was taken); Carbonell and Goldstein 1998, "The use of MMR, diversity-based reranking".

    Args:
        weights: (answers,) shares of one softmax, largest first.
        vectors: (answers, dimension) each of length 1.
        count: how many at most.

    >>> different(np.array([0.5, 0.3, 0.2]), np.array([[1, 0], [0.9, 0.44], [0, 1]]), 2)
    [0, 2]
    """
    worth = np.log(np.maximum(weights, 1e-9))
    taken: list[int] = [0] if len(weights) else []
    while 0 < len(taken) < min(count, len(weights)):
        left = worth - APART * (vectors @ vectors[taken].T).max(axis=1)
        left[taken] = -np.inf
        taken.append(int(left.argmax()))
    return sorted(taken)


def suggestions_json(found: Suggestions, dialogue: AssistedDialogue) -> dict[str, object]:
    """Suggestions under the names that scripts rely on.

    Args:
        found: the suggestions.
        dialogue: in which they stand; its mood and all its warnings go with them.
    """
    return {
        **dialogue.whose(),
        "question": found.request.turns[-1].text,
        "typing": bool(dialogue.typing),
        "suggestions": [
            {
                "number": number,
                "answer": one.answer.text,
                "chance": one.chance,
                "source": one.source,
                "answer_id": one.answer.answer_id,
            }
            for number, one in enumerate(found.best, dialogue.first)
        ],
        "decision": found.answer.decision,
        "confidence": found.answer.confidence,
        **heard_json(dialogue),
        "timings_ms": found.answer.timings_ms,
    }


def heard_json(dialogue: Dialogue) -> dict[str, object]:
    """How the customer sounds, and all that was warned of in the dialogue."""
    return {
        "mood": dialogue.mood.as_json(),
        "warnings": [warning.as_json() for warning in dialogue.warnings],
    }
