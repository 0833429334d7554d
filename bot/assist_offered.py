"""The suggestions that stand in front of an agent: what their numbers mean, since when, and whether they are seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.assisted_dialogue import AssistedDialogue
    from bot.suggestions import Suggestion, Suggestions

SETTLED = 0.25
"""Seconds that a suggestion must have stood in its place before a key sends it: nobody reads faster than that, and a
key pressed for the one before must not send another."""
UNSEEN = float("inf")
"""Since when a suggestion stands that nobody has seen."""


class Offered:
    """What is suggested in the dialogue in front of an agent, best first, each with its number."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float]) -> None:
        """Begins with no suggestion.

        Args:
            tell: shows a line from the program itself.
            clock: seconds.
        """
        self.counts_on = False
        """Whether numbers of suggestions go on from list to list, for lists that come while a number is typed."""
        self._next = 1
        """The number of the best suggestion in the next list, where they go on."""
        self._tell = tell
        self._clock = clock
        self._since = [0.0, 0.0, 0.0]
        """When each place got the suggestion that stands there; `UNSEEN` where that came while it was covered."""
        self._is_covered = False
        """Whether something else stands in the place of the suggestions."""

    def seen(self, dialogue: AssistedDialogue) -> tuple[Suggestion, ...]:
        """Those of the suggestions that could be seen."""
        return tuple(one for one, since in zip(dialogue.best, self._since, strict=False) if since != UNSEEN)

    def put(self, dialogue: AssistedDialogue, found: Suggestions | None) -> None:
        """Puts suggestions in the place of those before."""
        before, dialogue.suggestions = dialogue.best, found
        now = self._now()
        for place, one in enumerate(dialogue.best):
            if place >= len(before) or before[place].answer.text != one.answer.text:
                self._since[place] = now
        if not self.counts_on:
            dialogue.numbered = {}
        dialogue.first = self._next if self.counts_on else 1
        self._next = dialogue.first + len(dialogue.best)
        numbers = enumerate(dialogue.best, dialogue.first)
        dialogue.numbered |= {number: one.answer.answer_id for number, one in numbers}

    def show_anew(self) -> None:
        """Takes note that another dialogue stands there: all in it has to stand for a while before a key sends it."""
        self._since = [self._now()] * len(self._since)

    def cover(self, is_covered: bool) -> None:
        """Takes note that something else stands in the place of the suggestions, or does so no longer.

        What comes meanwhile is seen by nobody; uncovered, all that is suggested has to stand for a while again before
        a key sends it.
        """
        self._is_covered = is_covered
        if not is_covered:
            self.show_anew()

    def suggestion(self, dialogue: AssistedDialogue, number: int) -> Suggestion | None:
        """The suggestion that a number means, as long as it is suggested; says so where there is none."""
        meant = dialogue.numbered.get(number)
        for one in dialogue.best:
            if one.answer.answer_id == meant:
                dialogue.meant.append(one)
                return one
        if not dialogue.best:
            self._tell("There is nothing to suggest yet.")
        elif meant is None:
            self._tell(f"There is no suggestion {number}.")
        else:
            self._tell(f"Suggestion {number} is no longer suggested: the best is number {dialogue.first} now.")
        return None

    def settled(self, dialogue: AssistedDialogue, number: int) -> Suggestion | None:
        """The suggestion that a number means, if it stood long enough to be meant; says so where there is none."""
        chosen = self.suggestion(dialogue, number)
        if chosen is None or self._clock() - self._since[number - dialogue.first] >= SETTLED:
            return chosen
        self._tell(f"Suggestion {number} has just changed: look again.")
        return None

    def _now(self) -> float:
        return UNSEEN if self._is_covered else self._clock()
