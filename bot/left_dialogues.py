"""The dialogues that were left for another one, kept for when they go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.following import MOST_KEPT

if TYPE_CHECKING:
    from bot.assisted_dialogue import AssistedDialogue


class LeftDialogues:
    """At most `MOST_KEPT` dialogues; of more the one that was left first is let go."""

    def __init__(self) -> None:
        """Begins with none."""
        self._left: dict[str, AssistedDialogue] = {}
        """The newest last, by id in the followed log; one without an id, which cannot go on, by its key."""

    def keep(self, dialogue: AssistedDialogue) -> None:
        """Keeps one that is left."""
        name = dialogue.conversation or dialogue.key
        self._left.pop(name, None)
        self._left[name] = dialogue
        if len(self._left) > MOST_KEPT:
            del self._left[next(iter(self._left))]

    def take(self, conversation: str) -> AssistedDialogue | None:
        """Gives away the one with this id; None where there is none."""
        return self._left.pop(conversation, None)

    def is_echo(self, conversation: str, text: str) -> bool:
        """Whether the followed log only repeats in one of them what was sent there; that it does so once."""
        found = self._left.get(conversation)
        return found is not None and found.is_echo(text)

    def with_number(self, number: int) -> AssistedDialogue | None:
        """The one in which a suggestion was given this number."""
        return next((one for one in reversed(self._left.values()) if number in one.numbered), None)
