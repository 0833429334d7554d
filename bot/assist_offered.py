"""The suggestions that stand in front of an agent: what their numbers mean, since when, and whether they are seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.suggestions import Suggestion

SETTLED = 0.25
"""Seconds that a suggestion must have stood in its place before a key sends it: nobody reads faster than that, and a
key pressed for the one before must not send another."""
UNSEEN = float("inf")
"""Since when a suggestion stands that nobody has seen."""


class Offered:
    """What is suggested now, best first, each with its number."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float]) -> None:
        """Begins with no suggestion.

        Args:
            tell: shows a line from the program itself.
            clock: seconds.
        """
        self.best: tuple[Suggestion, ...] = ()
        """The suggestions, best first."""
        self.counts_on = False
        """Whether numbers of suggestions go on from list to list, for lists that come while a number is typed."""
        self.first = 1
        """The number of the best suggestion."""
        self._numbered: dict[int, int] = {}
        """The answer that each number means, in this dialogue."""
        self._meant: list[Suggestion] = []
        """Those that numbers meant when they were asked for, in this dialogue."""
        self._tell = tell
        self._clock = clock
        self._since = [0.0, 0.0, 0.0]
        """When each place got the suggestion that stands there; `UNSEEN` where that came while it was covered."""
        self._is_covered = False
        """Whether something else stands in the place of the suggestions."""

    @property
    def seen(self) -> tuple[Suggestion, ...]:
        """Those of the suggestions that could be seen."""
        return tuple(one for one, since in zip(self.best, self._since, strict=False) if since != UNSEEN)

    def put(self, best: tuple[Suggestion, ...]) -> None:
        """Puts suggestions in the place of those before."""
        before, self.best = self.best, best
        now = UNSEEN if self._is_covered else self._clock()
        for place, one in enumerate(best):
            if place >= len(before) or before[place].answer.text != one.answer.text:
                self._since[place] = now
        if self.counts_on:
            self.first += len(before)
        else:
            self._numbered.clear()
        self._numbered |= {number: one.answer.answer_id for number, one in enumerate(best, self.first)}

    def begin_anew(self) -> None:
        """Takes note of a new dialogue: the numbers of the one before mean nothing in it."""
        self._numbered.clear()
        self._meant.clear()

    def cover(self, is_covered: bool) -> None:
        """Takes note that something else stands in the place of the suggestions, or does so no longer.

        What comes meanwhile is seen by nobody; uncovered, all that is suggested has to stand for a while again before
        a key sends it.
        """
        self._is_covered = is_covered
        if not is_covered:
            self._since = [self._clock()] * len(self._since)

    def suggestion(self, number: int) -> Suggestion | None:
        """The suggestion that a number means, as long as it is suggested; says so where there is none."""
        meant = self._numbered.get(number)
        for one in self.best:
            if one.answer.answer_id == meant:
                self._meant.append(one)
                return one
        if not self.best:
            self._tell("There is nothing to suggest yet.")
        elif meant is None:
            self._tell(f"There is no suggestion {number}.")
        else:
            self._tell(f"Suggestion {number} is no longer suggested: the best is number {self.first} now.")
        return None

    def was_meant(self, chosen: Suggestion) -> bool:
        """Whether a number meant this suggestion in this dialogue, be it suggested still or not."""
        return any(one is chosen for one in self._meant)

    def settled(self, number: int) -> Suggestion | None:
        """The suggestion that a number means, if it stood long enough to be meant; says so where there is none."""
        chosen = self.suggestion(number)
        if chosen is None or self._clock() - self._since[number - self.first] >= SETTLED:
            return chosen
        self._tell(f"Suggestion {number} has just changed: look again.")
        return None
