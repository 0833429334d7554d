"""The mood of a dialogue: how the customer's turns sound one after the other, smoothed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

MEMORY = 0.5
"""Share of the level before that stays in the level after a turn: two bad turns weigh more than one."""
REMEMBERED = 64
"""Turns after which nothing of a mood is left in the level: it halves with each."""
BAD = -0.3
WORDS = ((-0.6, "very bad"), (BAD, "bad"), (-0.1, "somewhat bad"), (0.2, "even"))
RISING = 0.15
"""A change of the level by more than this over the last turn is a rise or a fall."""


@dataclass(frozen=True)
class MoodTrend:
    """The moods of a customer's turns, oldest first."""

    scores: tuple[float, ...] = ()
    """Per turn from -1 to 1; see `training.mood.Mood.score`."""

    @cached_property
    def levels(self) -> tuple[float, ...]:
        """The smoothed mood after each turn: level = MEMORY * level before + (1 - MEMORY) * score, from 0 on.

        >>> MoodTrend((-0.8, 0.0)).levels
        (-0.4, -0.2)
        """
        found: list[float] = []
        level = 0.0
        for score in self.scores:
            level = MEMORY * level + (1 - MEMORY) * score
            found.append(round(level, 6))
        return tuple(found)

    @property
    def level(self) -> float:
        """The smoothed mood now; 0 before anything was said."""
        return self.levels[-1] if self.scores else 0.0

    @property
    def whole(self) -> float:
        """The mood of the whole dialogue, its end counting more: mean of all turns and of the last three, halved.

        Low where a customer was annoyed; see `tests/benchmarks/handover_auc.py`. 0 before anything was said.

        >>> MoodTrend((0.8, -0.4, -0.4, -0.4)).whole
        -0.25
        """
        if not self.scores:
            return 0.0
        last = self.scores[-3:]
        return round((sum(self.scores) / len(self.scores) + sum(last) / len(last)) / 2, 6)

    @property
    def is_telling(self) -> bool:
        """Whether it is worth a line of its own: it is bad, or rose or fell with the last turn.

        >>> MoodTrend((0.1,)).is_telling, MoodTrend((0.1, 0.5)).is_telling, MoodTrend((-0.8, -0.6)).is_telling
        (False, True, True)
        """
        return self.level <= BAD or abs(self._change) > RISING

    @property
    def in_words(self) -> str:
        """The level and where it goes, as in "bad (-0.41), falling"; empty before anything was said.

        >>> MoodTrend((0.0, -0.9)).in_words
        'bad (-0.45), falling'
        >>> MoodTrend((-0.001,)).in_words
        'even (+0.00)'
        """
        if not self.scores:
            return ""
        word = next((word for most, word in WORDS if self.level <= most), "good")
        course = ", rising" if self._change > RISING else ", falling" if self._change < -RISING else ""
        # What rounds to nothing is not below it.
        return f"{word} ({round(self.level, 2) + 0.0:+.2f}){course}"

    def as_json(self) -> dict[str, Any] | None:
        """The score of the last turn, the level after it, both in words, and all scores; None without any."""
        if not self.scores:
            return None
        return {"score": self.scores[-1], "level": self.level, "words": self.in_words, "scores": self.scores}

    @property
    def _change(self) -> float:
        """Of the level, with the last turn."""
        return self.level - (0.0, 0.0, *self.levels)[-2]
