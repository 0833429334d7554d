"""The dialogues that were left for another one, kept for when they go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.following import MOST_KEPT, Began, Event, Said, WentOn
from bot.growing_log import Trouble
from conversations.model import Turn

if TYPE_CHECKING:
    from bot.assist import Assist
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


class Returning:
    """Holds back that a left dialogue went on until something new is said there.

    What was sent there comes back in the log: for that the agent is not taken out of another dialogue.
    """

    def __init__(self, assist: Assist) -> None:
        """Holds nothing back yet.

        Args:
            assist: what its events are for; it must have taken each event before the next one is passed on.
        """
        self._assist = assist
        self._held: WentOn | None = None

    def pass_on(self, event: Event) -> Iterator[Event]:
        """What of the log's events is to be taken now."""
        held = self._held
        match event:
            case WentOn(conversation):
                self._held = event if conversation != self._assist.dialogue.conversation else None
                return
            case Said(Turn(role="agent", text=text), is_typing=False) if held is not None:
                if self._assist.left.is_echo(held.conversation, text):
                    return
        if held is not None and not isinstance(event, Trouble):
            self._held = None
            if not isinstance(event, Began):
                yield held
        yield event
