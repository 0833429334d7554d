"""What the pipeline says: an answer or a hand-over, and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from index.candidates import SIGNALS, Evidence
from training.rankers import Ranked

if TYPE_CHECKING:
    from bot.dialogue import LeftOut
    from bot.feedback_prior import FeedbackPrior
    from training.mood import Mood


@dataclass(frozen=True, slots=True)
class RankedAnswer:
    """One answer as it was ranked."""

    answer_id: int
    text: str
    weight: float
    """Its share of one softmax over the candidates."""
    score: float
    retrieval_score: float
    question: str
    """The past question nearest to the customer's that was given this answer."""
    evidence: tuple[Evidence, ...]
    """Past moments in which it was given, nearest first."""
    feedback: float
    """Logits by which what people made of it before moved its score; see `bot.feedback_prior`."""
    signals: tuple[float, ...]
    """What retrieval says of it, one number per `index.candidates.SIGNALS`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Attendant would do now."""

    decision: str
    """"answer", "ask" (which of the two best is meant) or "handoff"."""
    answer: str | None
    confidence: float
    """How likely the best candidate is right, 0 to 1."""
    reason: str
    """Why it hands over or asks, as a sentence; empty when it answers."""
    candidates: tuple[RankedAnswer, ...]
    timings_ms: dict[str, float]
    """embed, retrieve, rerank, total: milliseconds for this dialogue."""
    left_out: int = 0
    """Candidates that were not offered: turned down in this dialogue, or of no help to this customer before."""
    in_two: float | None = None
    """How likely one of the best two is right, where these are close; None where they are not."""
    openings: float = 0.0
    """Share of the past questions nearest to the customer's last message that began their conversations."""
    is_new_topic: bool = False
    """Whether it answers the customer's last message by itself, which began something new; see `bot.new_topic`."""
    mood: Mood | None = None
    """How the customer's last turn sounds; None where no mood head fits the desk's encoder."""
    prior: FeedbackPrior | None = field(default=None, repr=False, compare=False)
    """What people had made of answers by then, as it moved these; None where it moves none."""

    def chance(self, one: RankedAnswer) -> float:
        """How likely one of the candidates is right: the confidence in the best, times what it weighs against it.

        Of 122 turns of the sample's replay log and 900 of STAR's dev log the second best is right in 13.8 % and the
        third in 7.0 %; this says 12.8 and 6.4 % (tests/benchmarks/suggestions.py).
        """
        return self.confidence * (one.weight / max(self.candidates[0].weight, 1e-9))

    def chance_of(self, answer_id: int) -> float:
        """How likely the candidate with this id is right; 0 where it is none of the candidates."""
        return next((self.chance(one) for one in self.candidates if one.answer_id == answer_id), 0.0)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one candidate stands where it does."""

    about: RankedAnswer | None
    """The candidate; None where there is none."""
    confidence: float
    """How likely it is right, 0 to 1."""
    words: list[tuple[str, float, int]]
    """Word, its share of the answer's attention, and the position of its turn, or `bot.dialogue.EARLIER_TURNS`."""
    without_turn: list[tuple[LeftOut, float]]
    """Position of a turn, and the confidence in the same answer if that turn had not been said.

    `EARLIER_TURNS` stands for all earlier conversations with the customer. Without the question nothing would be
    asked: it is not there, but where the customer said several things in a row, each of these is, as it was said.
    """
    signals: dict[str, float]
    runner_up: dict[str, float] | None
    """The signals of the best candidate beside it."""
    gone: str = ""
    """Why it cannot be explained any more, as a sentence, where it left the desk since it was shown."""

    def moved(self, turns: int) -> Explanation:
        """The same behind so many more turns, which nothing was read of."""

        def behind(place: int) -> int:
            return place if place < 0 else place + turns

        words = [(word, share, behind(place)) for word, share, place in self.words]
        without = [(left if isinstance(left, str) else behind(left), chance) for left, chance in self.without_turn]
        return replace(self, words=words, without_turn=without)


def ranked_answer(entry: Ranked, feedback: float) -> RankedAnswer:
    """A ranked candidate as the pipeline shows it."""
    candidate = entry.candidate
    return RankedAnswer(
        answer_id=candidate.answer_id,
        text=candidate.text,
        weight=entry.weight,
        score=entry.score,
        retrieval_score=candidate.retrieval_score,
        question=candidate.question,
        evidence=candidate.evidence,
        feedback=feedback,
        signals=candidate.signals,
    )


def named_scores(answer: RankedAnswer) -> dict[str, float]:
    """Every number that speaks for an answer, by name."""
    return {
        "weight": answer.weight,
        "score": answer.score,
        "retrieval score": answer.retrieval_score,
        "feedback": answer.feedback,
        **dict(zip(SIGNALS, answer.signals, strict=True)),
    }
