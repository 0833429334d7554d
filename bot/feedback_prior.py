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
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from conversations.model import Feedback, Verdict
from conversations.store import Store
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
        dated = ((datetime.fromisoformat(one.at), one) for one in judgements if one.encoder == encoder)
        for at, one in sorted(dated, key=itemgetter(0)):
            if one.answer_id is None or one.vector is None:
                continue
            ages.append(max((moment - at).total_seconds() / 86_400, 0.0))
            vectors.append(np.frombuffer(one.vector, np.float16))
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


class LivePrior:
    """The prior of an open desk: what anybody judges meanwhile, here or elsewhere, counts from then on."""

    def __init__(self, store: Store, encoder: str) -> None:
        """Makes a prior; nothing is read yet.

        Args:
            store: of the desk.
            encoder: identity of the encoder that reads the questions.
        """
        self._store = store
        self._encoder = encoder
        self._judgements: tuple[Feedback, ...] = ()
        self._prior = FeedbackPrior.of((), encoder)

    def latest(self) -> FeedbackPrior:
        """The prior as of now; the same again as long as nobody judges, which takes some ten microseconds to see.

        Raises:
            DeskError: the store cannot be read.
        """
        judgements = self._store.known_feedback.latest()
        if judgements is not self._judgements:
            self._judgements, self._prior = judgements, FeedbackPrior.of(judgements, self._encoder)
        return self._prior


def _left_after(days: float) -> float:
    return float(0.5 ** (days / HALF_LIFE_DAYS))


def moved(ranked: list[Ranked], shifts: dict[int, float]) -> list[Ranked]:
    """A ranking with some answers' scores moved, in its new order and with weights to match."""
    if not any(entry.candidate.answer_id in shifts for entry in ranked):
        return ranked
    scores = [entry.score + shifts.get(entry.candidate.answer_id, 0.0) for entry in ranked]
    return in_order([entry.candidate for entry in ranked], np.array(scores))
