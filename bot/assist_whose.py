"""Which of several dialogues a line of the agent is for, where a followed log turns from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.assist_commands import BY_NUMBER, numbered

if TYPE_CHECKING:
    from bot.assist import Assist
    from bot.assisted_dialogue import AssistedDialogue


class Whose:
    """Remembers what the agent has seen, and where something was just sent."""

    def __init__(self, assist: Assist) -> None:
        """Begins with the present dialogue."""
        self._assist = assist
        self.seen = assist.dialogue
        """The present dialogue as the agent has seen it; the log may have turned to another one since."""
        self.just_sent_in: AssistedDialogue | None = None
        """That of the last sending, until something else is suggested."""

    def begin(self, dialogue: AssistedDialogue) -> None:
        """Knows no other dialogue than a new one any more."""
        self.seen, self.just_sent_in = dialogue, None

    def numbered(self, number: int) -> AssistedDialogue:
        """The dialogue in which a number was given, where they go on; otherwise the present one."""
        assist = self._assist
        is_left = assist.offered.counts_on and number not in assist.dialogue.numbered
        return (assist.left.with_number(number) if is_left else None) or assist.dialogue

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
            found = self.numbered(which[0])
            return found if which[0] in found.numbered else seen
        sent = self._assist.sent_last
        sent_in = sent.dialogue if sent else None
        return {"good": sent_in, "bad": sent_in, "why": self.just_sent_in}.get(name) or seen
