"""What an agent's dialogue knows beyond any other: what is suggested in it, and whose mood was not read yet."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from bot.dialogue import LONGEST_MESSAGE, Dialogue
from bot.following import KnownBy, known_by
from conversations.model import Turn
from conversations.pairs import as_asked
from conversations.text import answer_key

if TYPE_CHECKING:
    from bot.answers import RankedAnswer
    from bot.early_warning import EarlyWarning
    from bot.suggestions import Suggestion, Suggestions

READ_AT_ONCE = 16
"""Turns whose mood is read in one go: suggestions need not wait until all of a long past is read."""

MOST_NOTES = 100
"""Lines from the program that are kept in a dialogue."""


class SoFar(NamedTuple):
    """How far a dialogue has come."""

    dialogue: str = ""
    """Its key."""
    said: int = 0
    """Turns of it."""
    noted: int = 0
    """Lines from the program in it."""


BEGINNING = SoFar()
"""Where nothing was said or told yet."""


@dataclass
class AssistedDialogue(Dialogue):
    """A dialogue that an agent leads, with what is suggested in it."""

    source: str = "assist"
    conversation: str | None = None
    """Its id in the followed log, where that has one."""
    met: str | None = None
    """The customer's id in the followed log, where that has one."""
    typing: str = ""
    """What the customer is typing, where the followed log tells."""
    suggestions: Suggestions | None = None
    """Those that stand now."""
    shown_last: Suggestions | None = None
    """Those that stood there last; `/why` tells of them after one was sent."""
    sent: RankedAnswer | None = None
    """The one of these that was sent."""
    first: int = 1
    """The number of the best suggestion."""
    numbered: dict[int, int] = field(default_factory=dict)
    """The answer that each number means here."""
    meant: list[Suggestion] = field(default_factory=list)
    """Those that numbers meant when they were asked for."""
    skipped: tuple[str, ...] = ()
    """Answers passed over for the present question."""
    echoes: list[str] = field(default_factory=list)
    """Keys of what was sent from here and may come back in the followed log."""
    notes: tuple[tuple[int, str], ...] = ()
    """Lines from the program, each with the number of turns that were said before it; the drawn screen keeps them."""
    noted: int = 0
    """How many there were, with those that are not kept."""
    reported: tuple[EarlyWarning, ...] = ()
    """The warnings that a program was told, or whoever looks at another dialogue."""
    handed_to_read: int = 0
    """How many of the customer's turns `unread` gave away to have their mood read."""

    @property
    def best(self) -> tuple[Suggestion, ...]:
        """The suggestions that stand now, best first."""
        return self.suggestions.best if self.suggestions else ()

    @property
    def has_begun(self) -> bool:
        """Whether anything was said or is being written in it."""
        return bool(self.turns or self.typing)

    @property
    def known_by(self) -> KnownBy | None:
        """What the followed log knows it by; None where it cannot go on."""
        return known_by(self.conversation, self.met)

    @property
    def name(self) -> str:
        """In words, to tell it from others."""
        if self.conversation is not None:
            return f"conversation {self.conversation}"
        return f"customer {self._whose}" if self._whose else "a dialogue without an id"

    @property
    def _whose(self) -> str | None:
        return self.met or (self.customer.name if self.customer else None)

    def note(self, text: str) -> None:
        """Keeps a line from the program, below what was said so far."""
        self.notes = (*self.notes, (len(self.turns), text))[-MOST_NOTES:]
        self.noted += 1

    @property
    def so_far(self) -> SoFar:
        """How far it has come."""
        return SoFar(self.key, len(self.turns), self.noted)

    def noted_since(self, noted: int) -> tuple[tuple[int, str], ...]:
        """The lines from the program but for the first ones, as far as they are kept."""
        return self.notes[max(len(self.notes) - (self.noted - noted), 0) :]

    def shown(self) -> list[RankedAnswer]:
        """The answers that stand now."""
        return [one.answer for one in self.best]

    def waiting(self, *typed: str) -> tuple[Turn, ...]:
        """The dialogue up to the question that waits for an answer; empty where none does.

        The customer's turns in a row are one question, as in the pairs that the desk learned from.

        Args:
            typed: what the customer is writing.
        """
        turns = (*self.turns, *(Turn("customer", text) for text in typed if text))
        return as_asked(turns) if turns and turns[-1].role == "customer" else ()

    def suggested(self, answer: RankedAnswer) -> Suggested:
        """What is suggested now, as it can be judged: for nothing that was answered already."""
        return Suggested(self, replace(self, asked=self.waiting()), answer)

    def is_echo(self, text: str) -> bool:
        """Whether the followed log only repeats what was sent from here; that it does so once."""
        key = answer_key(text)
        if key not in self.echoes:
            return False
        self.echoes.remove(key)
        return True

    def may_be_echoed(self, text: str, conversation: str | None, customer: str | None) -> bool:
        """Whether a line of the followed log, the first that names these ids, may repeat what was sent from here.

        One that does not name the customer is not taken for that of a known one: the log may name another later.
        """
        has_no_other_name = self.conversation is None and self._whose in (None, customer)
        return has_no_other_name and answer_key(text) in self.echoes

    def unread(self) -> Unread:
        """The customer's next turns whose mood was not read; each is given away once, and what is typed never."""
        said = [turn.text[:LONGEST_MESSAGE] for turn in self.turns if turn.role == "customer"]
        first = self.handed_to_read
        texts = tuple(said[first : first + READ_AT_ONCE])
        self.handed_to_read += len(texts)
        return Unread(self, first + 1, texts)

    def whose(self) -> dict[str, str | None]:
        """Whose dialogue it is, for programs: ids as the followed log has them, so that they are found there."""
        customer = self.customer.name if self.customer else None
        return {"conversation": self.conversation, "customer": customer, "dialogue": self.key}


class Suggested(NamedTuple):
    """A suggestion as it can be judged."""

    dialogue: AssistedDialogue
    """In which it was suggested."""
    as_asked: AssistedDialogue
    """That as it was then, with the question that the suggestion was for."""
    answer: RankedAnswer


class Unread(NamedTuple):
    """Turns of the customer whose mood is to be read."""

    dialogue: AssistedDialogue
    first: int
    """Number of the first among the customer's turns, from 1."""
    texts: tuple[str, ...]
