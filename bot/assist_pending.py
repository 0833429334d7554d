"""Dialogues that are still to be looked at: the followed log said something in them and turned to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.following import put_last

if TYPE_CHECKING:
    from bot.assisted_dialogue import AssistedDialogue

MOST_OF_PAST = 20
"""Dialogues of a log's past, the newest ones in which the customer waits, that are looked at before the live ones."""


class Pending:
    """Each of them once, the one that was silent longest first."""

    def __init__(self) -> None:
        """Begins with none."""
        self._by_key: dict[str, AssistedDialogue] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_key)

    def all(self) -> list[AssistedDialogue]:
        """All of them."""
        return list(self._by_key.values())

    def add(self, dialogue: AssistedDialogue, most: int | None = None) -> None:
        """Adds one in which something was said just now.

        Args:
            dialogue: the newest from now on.
            most: of more than so many the oldest is let go.
        """
        put_last(self._by_key, dialogue.key, dialogue, most)

    def remove(self, dialogue: AssistedDialogue) -> None:
        """Takes one out, if it is there."""
        self._by_key.pop(dialogue.key, None)

    @property
    def oldest(self) -> AssistedDialogue | None:
        """The one that was silent longest; None where there is none."""
        return next(iter(self._by_key.values()), None)

    def leave_of_past(self, present: AssistedDialogue) -> list[AssistedDialogue]:
        """Leaves of a log's past the present dialogue and a few in which the customer waits, the newest first.

        Whoever speaks now must not wait for all who ever left without an answer.

        Args:
            present: stays in any case.

        Returns:
            All others, oldest first.
        """
        past = self.all()
        chosen = [one for one in reversed(past) if one is present or one.waiting(one.typing)][:MOST_OF_PAST]
        self._by_key = {one.key: one for one in chosen}
        return [one for one in past if one.key not in self._by_key]
