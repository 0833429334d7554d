"""The dialogues that were left for another one, kept for when they go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.following import MOST_KEPT, Began, Event, KnownBy, LetGo, Said, WentOn, put_last
from bot.growing_log import Trouble
from conversations.model import Turn

if TYPE_CHECKING:
    from bot.assist import Assist
    from bot.assisted_dialogue import AssistedDialogue


class LeftDialogues:
    """Dialogues that can go on, as long as the log knows them, and at most `MOST_KEPT` of them.

    As many others are kept for the numbers of their suggestions.
    """

    def __init__(self) -> None:
        """Begins with none."""
        self._left: dict[KnownBy, AssistedDialogue] = {}
        """Those that can go on, by what the followed log knows them by, the newest last."""
        self._ended: dict[str, AssistedDialogue] = {}
        """The others, by key, the newest last."""

    def keep(self, dialogue: AssistedDialogue) -> None:
        """Keeps one that is left."""
        known = dialogue.known_by
        if known is not None:
            put_last(self._left, known, dialogue, MOST_KEPT)
        else:
            put_last(self._ended, dialogue.key, dialogue, MOST_KEPT)

    def take(self, known: KnownBy) -> AssistedDialogue | None:
        """Gives away the one that is known by this; None where there is none."""
        return self._left.pop(known, None)

    def is_echo(self, known: KnownBy, text: str) -> bool:
        """Whether the followed log only repeats in one of them what was sent there; that it does so once."""
        found = self._left.get(known)
        return found is not None and found.is_echo(text)

    def with_number(self, number: int) -> AssistedDialogue | None:
        """The one in which a suggestion was given this number."""
        left = (*self._left.values(), *self._ended.values())
        return next((one for one in left if number in one.numbered), None)


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
            case LetGo(known):
                self._assist.left.take(known)
                return
            case WentOn(known=known):
                self._held = event if known != self._assist.dialogue.known_by else None
                return
            case Said(Turn(role="agent", text=text), is_typing=False) if held is not None:
                if self._assist.left.is_echo(held.known, text):
                    return
        if held is not None and not isinstance(event, Trouble):
            self._held = None
            if not isinstance(event, Began):
                yield held
        yield event
