"""What people made of answers before moves these answers a little in like dialogues, at once and without retraining.

Each judgement counts by how alike its question is to the present one, and halves every ninety days. A person's
judgements of one answer together count at most as one, and what they said last stands for what they said and did
before, so nobody's clicks move it far; all people's together move the score by less than `LIMIT`, a logit. Retraining
is what teaches more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from conversations.model import Feedback, Verdict
from training.feedback_queries import opinion_after
from training.rankers.base import Ranked, in_order

LIMIT = 1.0
"""Logits that no amount of feedback exceeds: a weight of .5 becomes at most .73."""
ALONE = 2.0
"""Judgements of this many people move an answer half as far as is possible; those of one person a third."""
ALIKE = 0.6
"""Cosine of two questions from which on what was said of one counts for the other; fully at 1."""
HALF_LIFE_DAYS = 90.0

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FeedbackPrior:
    """All judgements of a desk, ready to be asked about a question."""

    vectors: Floats
    """(judgements, dimension), each of length 1."""
    ages: Floats
    """(judgements,): in days, the oldest first."""
    about: tuple[tuple[int, str, Verdict], ...]
    """Per judgement the answer, the person, and what they made of it."""

    @classmethod
    def of(cls, judgements: Iterable[Feedback], encoder: str, now: datetime | None = None) -> FeedbackPrior:
        """Takes up judgements; those whose question was read by another encoder are left out.

        Args:
            judgements: of one desk.
            encoder: identity of the encoder that reads the questions now.
            now: by default the present.
        """
        moment = now or datetime.now(UTC)
        vectors, ages, about = [], [], []
        for one in sorted(judgements, key=lambda judgement: datetime.fromisoformat(judgement.at)):
            if one.answer_id is None or one.vector is None or one.encoder != encoder:
                continue
            ages.append(max((moment - datetime.fromisoformat(one.at)).total_seconds() / 86_400, 0.0))
            vectors.append(np.frombuffer(one.vector, np.float16).astype(np.float32))
            about.append((one.answer_id, one.who, one.verdict))
        return cls(np.array(vectors, np.float32), np.array(ages, np.float32), tuple(about))

    def shifts(self, question: Floats) -> dict[int, float]:
        """By how many logits each answer moves after this question; answers that nobody judged are left out.

        Args:
            question: (dimension,), of length 1.
        """
        if not self.about:
            return {}
        likeness = np.clip((self.vectors @ question - ALIKE) / (1 - ALIKE), 0.0, 1.0)
        of_person: dict[tuple[int, str], tuple[float, float]] = {}
        for row in np.flatnonzero(likeness).tolist():
            answer, who, verdict = self.about[row]
            age = float(self.ages[row])
            before, then = of_person.get((answer, who), (0.0, age))
            opinion = opinion_after(before * _left_after(then - age), verdict, float(likeness[row]))
            of_person[answer, who] = opinion, age
        total: dict[int, float] = {}
        for (answer, _), (opinion, age) in of_person.items():
            total[answer] = total.get(answer, 0.0) + opinion * _left_after(age)
        return {answer: LIMIT * value / (ALONE + abs(value)) for answer, value in total.items()}


def _left_after(days: float) -> float:
    return float(0.5 ** (days / HALF_LIFE_DAYS))


def moved(ranked: list[Ranked], shifts: dict[int, float]) -> list[Ranked]:
    """A ranking with some answers' scores moved, in its new order and with weights to match."""
    if not any(entry.candidate.answer_id in shifts for entry in ranked):
        return ranked
    scores = [entry.score + shifts.get(entry.candidate.answer_id, 0.0) for entry in ranked]
    return in_order([entry.candidate for entry in ranked], np.array(scores))
