"""What an agent's dialogue knows beyond any other: the suggestions on the screen, and whose mood was not read yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bot.dialogue import Dialogue

if TYPE_CHECKING:
    from bot.answers import RankedAnswer


@dataclass
class AssistedDialogue(Dialogue):
    """A dialogue that an agent leads, with the suggestions that were on the screen."""

    source: str = "assist"
    suggested: tuple[RankedAnswer, ...] = ()
    handed_to_read: int = 0
    """How many of the customer's turns `Assist.unread` gave away to have their mood read."""

    def shown(self) -> list[RankedAnswer]:
        """The answers on the screen."""
        return list(self.suggested)


class Unread(NamedTuple):
    """Turns of the customer whose mood is to be read."""

    dialogue: AssistedDialogue
    first: int
    """Number of the first among the customer's turns, from 1."""
    texts: tuple[str, ...]
