"""The nouns of the project: turns, conversations, pairs and answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["customer", "agent"]

OF_BOT = "attendant chat"
"""The source of conversations that were saved from the chat with the bot."""

Json = Any
"""What JSON can hold. What it is in a given place, the place says."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation."""

    role: Role
    text: str
    at: str | None = None
    """When it was said, ISO 8601."""
    agent: str | None = None
    """The name of the agent who said it."""
    action: str | None = None
    """The label of the canned reply that the agent picked, where the log tells."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One logged conversation, oldest turn first."""

    id: str
    turns: tuple[Turn, ...]
    language: str | None = None
    source: str | None = None
    customer: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def is_with_bot(self) -> bool:
        """Whether it was held with the bot: what stands there as an agent's, no agent said to this customer."""
        return self.source == OF_BOT


@dataclass(frozen=True, slots=True)
class Pair:
    """A customer question and the agent's answer to it, with what came before.

    The question is what the customer said since the agent's last turn (several turns are joined by newlines).
    """

    context: tuple[Turn, ...]
    question: str
    answer: str
    conversation: str
    turn: int
    """Position of the agent's turn in the conversation, from 0."""

    @property
    def dialogue(self) -> tuple[Turn, ...]:
        """The whole dialogue up to and with the question."""
        return (*self.context, Turn("customer", self.question))


@dataclass(frozen=True, slots=True)
class StoredPair:
    """A pair as the store holds it."""

    id: int
    answer_id: int
    conversation: str
    turn: int
    question: str
    dialogue: tuple[Turn, ...]
    """Context and question, oldest first; the last turn is the question."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """One answer: near-identical agent replies are merged into it, each pair being evidence for it."""

    id: int
    text: str


Verdict = Literal["good", "bad", "picked", "sent", "edited", "skipped", "handed over"]
"""What became of a suggestion: "good" and "bad" were said of it, the others were done."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person said about a suggested answer, or did with it."""

    at: str
    """When, ISO 8601."""
    conversation_key: str
    """Which running conversation; not the id of a logged one."""
    question: str
    answer_id: int | None
    """None where the dialogue was handed over."""
    verdict: Verdict
    source: str
    """Where it was said, such as "chat"."""
    who: str
    """A pseudonym of the person who said or did it."""
    customer: str | None = None
    """The customer of that conversation as the desk stores it, where it is known."""
    shown: tuple[int, ...] = ()
    """The answers on the screen then, best first."""
    vector: bytes | None = None
    """The question as its encoder read it, half precision; None where that is not known."""
    encoder: str | None = None
    """Identity of that encoder."""


def as_dialogue(turns: Sequence[Turn | str]) -> tuple[Turn, ...]:
    """A dialogue from turns; a bare string is a customer's turn.

    >>> as_dialogue(["where is my parcel?"])[0].role
    'customer'
    """
    return tuple(Turn("customer", turn) if isinstance(turn, str) else turn for turn in turns)
