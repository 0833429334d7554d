"""Which of several dialogues a line of the agent is for, where a followed log turns from one to another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.assist_commands import BY_NUMBER, numbered

if TYPE_CHECKING:
    from bot.assist import Assist
    from bot.assisted_dialogue import AssistedDialogue


class Whose:
    """Remembers what the agent has seen, and where something was sent."""

    def __init__(self, assist: Assist) -> None:
        """Begins with the present dialogue."""
        self._assist = assist
        self.seen = assist.dialogue
        """The present dialogue as the agent has seen it; the log may have turned to another one since."""
        self._sent_in: AssistedDialogue | None = None
        self.just_sent_in: AssistedDialogue | None = None
        """That of the last sending, until something else is suggested."""

    def begin(self, dialogue: AssistedDialogue) -> None:
        """Knows no other dialogue than a new one any more."""
        self.seen, self._sent_in, self.just_sent_in = dialogue, None, None

    def meant_by(self, name: str, rest: str, seen: AssistedDialogue) -> AssistedDialogue:
        """The dialogue that a command is for, whatever the log says meanwhile.

        Args:
            name: of the command.
            rest: what was typed behind it.
            seen: the present one when it was entered.
        """
        which = numbered(rest) if name in BY_NUMBER else None
        if which is not None:
            # What was suggested in a dialogue is for that one.
            found = self._assist.numbered(which[0])
            return found if which[0] in found.numbered else seen
        sent_in = {"good": self._sent_in, "bad": self._sent_in, "why": self.just_sent_in}.get(name)
        return sent_in or seen

    @contextmanager
    def noting_what_is_sent(self) -> Iterator[None]:
        """Notes where a suggestion was sent meanwhile."""
        dialogue = self._assist.dialogue
        before = dialogue.sent_last
        try:
            yield
        finally:
            if dialogue.sent_last is not before:
                self._sent_in = dialogue
