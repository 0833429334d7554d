"""What to do with what was ranked: answer, ask which of two is meant, or hand over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bot.answers import Answer, ranked_answer
from bot.feedback_prior import FeedbackPrior, moved
from bot.present import per_cent, told_apart
from index.candidates import ReadDialogue
from training.calibration import NEVER, Decision
from training.rankers import Ranked
from training.rankers.merging import merge_same

CLOSE = 0.2
"""Weight of the second answer, as a share of the first's, from which on the customer is asked which of them is meant.

On 600 turns of STAR's dev log an eighth is asked, and in 83 % of these one of the two is right (threshold for 80 %).
"""


class Verdict(NamedTuple):
    """What to do, and how sure that is."""

    decision: str
    """"answer", "ask" or "handoff"."""
    reason: str
    """Why it asks or hands over, as a sentence."""
    confidence: float
    """How likely the best is right."""
    in_two: float | None
    """How likely one of the best two is right, where these are close; None where they are not."""


def answer_of(
    calibrated: Decision, context: ReadDialogue, weighed: list[Ranked], prior: FeedbackPrior | None
) -> Answer:
    """What is said in a dialogue, and why.

    Args:
        calibrated: as for `decide`.
        context: the dialogue.
        weighed: as the ranker orders them, best first; may be empty.
        prior: what people made of answers before, which moves them.
    """
    shifts = prior.shifts(context.question_vector) if prior else {}
    ranked = merge_same(moved(weighed, shifts))
    verdict = decide(calibrated, context.question, ranked)
    return Answer(
        decision=verdict.decision,
        answer=ranked[0].candidate.text if verdict.decision == "answer" else None,
        confidence=verdict.confidence,
        in_two=verdict.in_two,
        reason=verdict.reason,
        candidates=tuple(ranked_answer(entry, shifts.get(entry.candidate.answer_id, 0.0)) for entry in ranked),
        timings_ms={},
        openings=context.openings,
        prior=prior,
    )


def decide(calibrated: Decision, question: str, ranked: Sequence[Ranked]) -> Verdict:
    """What to do with what was ranked.

    Args:
        calibrated: says how likely the best is right, and from where on to answer and to ask.
        question: what the customer said last.
        ranked: best first; may be empty.
    """
    if not ranked:
        return Verdict("handoff", "No past answer is left to offer.", 0.0, None)
    confidence = calibrated.confidence(ranked)
    is_close = len(ranked) > 1 and ranked[1].weight >= CLOSE * ranked[0].weight
    in_two = calibrated.confidence_in_two(ranked) if is_close else None
    if not question.strip():
        return Verdict("handoff", "There is no question to answer.", confidence, in_two)
    if confidence >= calibrated.threshold:
        return Verdict("answer", "", confidence, in_two)
    if in_two is not None and in_two >= calibrated.asking_from:
        return Verdict("ask", "Two past answers are close; together they are sure enough.", confidence, in_two)
    if calibrated.threshold >= NEVER:
        return Verdict("handoff", "This desk is switched off: it hands everything over.", confidence, in_two)
    needed, had = told_apart(min(calibrated.threshold, 1.0), confidence)
    # Confidences are shown in whole per cent, which would read as enough where both round alike.
    beside = "" if had == per_cent(confidence) else f", and the best has {had}"
    reason = f"No past answer is sure enough: this desk answers from {needed} on{beside}."
    return Verdict("handoff", reason, confidence, in_two)
