"""The dialogues that were left for another one, kept for when they go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.following import MOST_KEPT, Began, Event, KnownBy, LetGo, Met, Named, Said, WentOn, put_last
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

    def known(self, known: KnownBy | None) -> AssistedDialogue | None:
        """The one that is known by this; None where there is none."""
        return self._left.get(known) if known is not None else None

    def all(self) -> list[AssistedDialogue]:
        """All of them, those that can go on first."""
        return [*self._left.values(), *self._ended.values()]

    def name(self, dialogue: AssistedDialogue, name: Named | Met) -> None:
        """Lets one of them be known by what the log calls it now."""
        known = dialogue.known_by
        if known is None:
            self._ended.pop(dialogue.key, None)
        else:
            self._left.pop(known, None)
        if isinstance(name, Named):
            dialogue.conversation = name.conversation
        else:
            dialogue.met = name.customer
        self.keep(dialogue)

    def with_number(self, number: int) -> AssistedDialogue | None:
        """The one in which a suggestion was given this number."""
        return next((one for one in self.all() if number in one.numbered), None)


@dataclass(frozen=True, slots=True)
class MetElsewhere:
    """A dialogue that was left says whose it is."""

    dialogue: AssistedDialogue
    customer: str


class Returning:
    """Holds back that the log went to another dialogue until something new is said there.

    What was sent there comes back in the log: for that the agent is not taken out of the present one. Where such a
    line is the first that names its conversation or customer, it begins no other one.
    """

    def __init__(self, assist: Assist) -> None:
        """Holds nothing back yet.

        Args:
            assist: what its events are for; it must have taken each event before the next one is passed on.
        """
        self._assist = assist
        self._went_to: KnownBy | None = None
        """The left dialogue that the log is at."""
        self._begun: Began | None = None
        """Another one that it has begun."""
        self._met: Met | None = None
        """Whose that is."""

    def pass_on(self, event: Event) -> Iterator[Event | MetElsewhere]:
        """What of the log's events is to be taken now."""
        there = self._assist.left.known(self._went_to)
        match event:
            case LetGo(known):
                self._assist.left.take(known)
            case WentOn(known):
                self._went_to = known if known != self._assist.dialogue.known_by else None
            case Began():
                self._went_to, self._begun, self._met = None, event, None
            case Met() if self._begun is not None:
                self._met = event
            case Named() | Met() if there is not None:
                yield from self._name(there, event)
            case Said(Turn("agent", text), is_typing=False) if there is not None and there.is_echo(text):
                pass
            case Said(Turn("agent", text), is_typing=False) if (echoing := self._echoing(text)) is not None:
                yield from self._go_on(echoing, event)
            case Trouble():
                yield event
            case _:
                yield from self._held()
                yield event

    def _held(self) -> Iterator[Event]:
        """What was held back; from now on nothing is."""
        went_on = WentOn(self._went_to) if self._went_to is not None else None
        held = (went_on, self._begun, self._met)
        self._went_to, self._begun, self._met = None, None, None
        yield from filter(None, held)

    def _echoing(self, text: str) -> AssistedDialogue | None:
        """The dialogue that the begun one is: these words were sent there, and the log did not name it so before."""
        conversation = self._begun.conversation if self._begun is not None else None
        customer = self._met.customer if self._met is not None else None
        if conversation is None and customer is None:
            return None
        dialogues = (self._assist.dialogue, *reversed(self._assist.left.all()))
        return next((one for one in dialogues if one.may_be_echoed(text, conversation, customer)), None)

    def _go_on(self, dialogue: AssistedDialogue, echo: Said) -> Iterator[Event | MetElsewhere]:
        """Lets what the log has begun be this dialogue."""
        names: list[Named | Met] = []
        if self._begun is not None and self._begun.conversation is not None:
            names.append(Named(self._begun.conversation))
        if self._met is not None and self._met.customer != dialogue.met:
            names.append(self._met)
        self._begun = self._met = None
        if dialogue is self._assist.dialogue:
            yield from names
            yield echo
            return
        dialogue.is_echo(echo.turn.text)
        for name in names:
            yield from self._name(dialogue, name)

    def _name(self, dialogue: AssistedDialogue, name: Named | Met) -> Iterator[MetElsewhere]:
        self._assist.left.name(dialogue, name)
        self._went_to = dialogue.known_by
        if isinstance(name, Met):
            yield MetElsewhere(dialogue, name.customer)
