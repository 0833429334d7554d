"""What an agent's dialogue knows beyond any other: the suggestions on the screen, and whose mood was not read yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bot.dialogue import LONGEST_MESSAGE, Dialogue
from conversations.model import Turn
from conversations.pairs import as_asked

if TYPE_CHECKING:
    from bot.answers import RankedAnswer

READ_AT_ONCE = 16
"""Turns whose mood is read in one go: suggestions need not wait until all of a long past is read."""


@dataclass
class AssistedDialogue(Dialogue):
    """A dialogue that an agent leads, with the suggestions that were on the screen."""

    source: str = "assist"
    suggested: tuple[RankedAnswer, ...] = ()
    handed_to_read: int = 0
    """How many of the customer's turns `unread` gave away to have their mood read."""

    def shown(self) -> list[RankedAnswer]:
        """The answers on the screen."""
        return list(self.suggested)

    def waiting(self, *typed: str) -> tuple[Turn, ...]:
        """The dialogue up to the question that waits for an answer; empty where none does.

        The customer's turns in a row are one question, as in the pairs that the desk learned from.

        Args:
            typed: what the customer is writing.
        """
        turns = (*self.turns, *(Turn("customer", text) for text in typed if text))
        return as_asked(turns) if turns and turns[-1].role == "customer" else ()

    def unread(self) -> Unread:
        """The customer's next turns whose mood was not read; each is given away once, and what is typed never."""
        said = [turn.text[:LONGEST_MESSAGE] for turn in self.turns if turn.role == "customer"]
        first = self.handed_to_read
        texts = tuple(said[first : first + READ_AT_ONCE])
        self.handed_to_read += len(texts)
        return Unread(self, first + 1, texts)


class Unread(NamedTuple):
    """Turns of the customer whose mood is to be read."""

    dialogue: AssistedDialogue
    first: int
    """Number of the first among the customer's turns, from 1."""
    texts: tuple[str, ...]
