"""The running dialogue of a chat: what was said, what was shown, and what was turned down."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.early_warning import THRESHOLD, EarlyWarning, heeded, warnings_after
from bot.mood import REMEMBERED, MoodTrend
from conversations.model import Turn
from conversations.moments import this_moment
from conversations.pairs import as_asked
from conversations.text import answer_key, clean_text

if TYPE_CHECKING:
    from bot.answers import Answer, RankedAnswer
    from bot.customer import Customer
    from bot.feedback_prior import FeedbackPrior
    from bot.pipeline import Pipeline
    from training.mood import Mood

ALTERNATIVES = 5
"""Other answers listed at a time."""
EARLIER_TURNS = -1
"""The position of what was said in a customer's earlier conversations."""
LeftOut = int | str
"""What a dialogue is asked again without: the turn at a position, or a line of the question itself."""
MOST_LINES = 12
"""Of a longer question no line is left out in turn: it was pasted, and each takes a reading."""
LONGEST_MESSAGE = 8_000
"""Characters of a message that are read; the encoder's limit is far below."""


def read_message(raw: str) -> tuple[str, bool]:
    r"""A message as the dialogue keeps it, and whether it had to be cut.

    >>> read_message("  where\x1b[2J is it? ")
    ('where is it?', False)
    """
    return clean_text(raw[:LONGEST_MESSAGE]), len(raw) > LONGEST_MESSAGE


@dataclass(frozen=True, slots=True)
class Request:
    """A dialogue that waits for an answer."""

    turns: tuple[Turn, ...]
    """What was said so far, oldest first, the last turn the customer's."""
    exclude: str | None = None
    """A past conversation that must not be seen, by its id in the desk or in its log."""
    rejected: tuple[str, ...] = ()
    """Answers that must not be offered again, nor what says the same."""
    earlier: tuple[Turn, ...] = ()
    """The customer's earlier conversations, oldest turn first; see `Store.earlier_turns`."""
    as_of: str | None = None
    """The moment from which on nothing must be seen; see `Retriever.visible`."""
    twins: tuple[str, ...] = ()
    """Past conversations that must not be seen either, being the same one under other ids."""
    prior: FeedbackPrior | None = field(default=None, repr=False, compare=False)
    """What people had made of answers when it was asked before; by default what they have by now."""

    @property
    def hidden(self) -> tuple[str, ...]:
        """All past conversations that must not be seen."""
        return (*([self.exclude] if self.exclude else []), *self.twins)

    def without_each(self) -> dict[LeftOut, Request]:
        """The request without each of its turns and without the earlier conversations; see `Explanation`.

        Without each line of the question as well, which is all that the customer said last in a row.
        """
        shorter: dict[LeftOut, Request] = {EARLIER_TURNS: replace(self, earlier=())} if self.earlier else {}
        *before, question = self.turns
        for place in range(len(before)):
            shorter[place] = replace(self, turns=(*before[:place], *before[place + 1 :], question))
        lines = [line for line in question.text.split("\n") if line.strip()]
        for place in range(len(lines)) if 1 < len(lines) <= MOST_LINES else ():
            left = replace(question, text="\n".join(lines[:place] + lines[place + 1 :]))
            shorter[lines[place]] = replace(self, turns=(*before, left))
        return shorter


@dataclass
class Dialogue:
    """One customer's conversation in the chat, oldest turn first."""

    source: str = "chat"
    """Where it is held, as transcripts name it."""
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    """Tells the conversations apart in stored feedback."""
    turns: tuple[Turn, ...] = ()
    """The customer's turns and the answers shown."""
    customer: Customer | None = None
    """Who the customer is, where that is known."""
    rejected: tuple[RankedAnswer, ...] = ()
    """Answers that were called bad here: they are not offered again."""
    answer: Answer | None = None
    """What the pipeline said last."""
    asked: tuple[Turn, ...] = ()
    """The dialogue that it was said to; its last turn is the question, all that the customer said in a row."""
    given: RankedAnswer | None = None
    """The answer that now stands as given; None after a hand-over."""
    handed_over: bool = False
    """Whether a person is to take over after the last question."""
    hand_over_kept: bool = False
    """Whether that is among the stored judgements: being asked for again, it is the same one."""
    listed: int = 0
    """How many alternatives are on the screen, so that a bare number picks one."""
    moods: Mapping[int, Mood] = field(default_factory=dict)
    """How the customer's turns sound, by their number, counted from 1; without those that were not read."""
    warnings: tuple[EarlyWarning, ...] = ()
    """All that were raised, oldest first."""
    threshold: float = THRESHOLD
    """The smoothed mood below which a warning is raised."""

    def with_question(self, text: str) -> tuple[Turn, ...]:
        """The dialogue as it would be with one more turn of the customer. Nothing is changed yet."""
        return (*self.turns, Turn("customer", text, this_moment()))

    def request(self, turns: tuple[Turn, ...]) -> Request:
        """What to ask the pipeline after these turns; those in which the customer asks last are one question."""
        turns = as_asked(turns)
        rejected = tuple(one.text for one in self.rejected)
        if self.customer is None:
            return Request(turns, rejected=rejected)
        return Request(turns, rejected=(*rejected, *self.customer.disliked), earlier=self.customer.earlier)

    def ask(self, pipeline: Pipeline, turns: tuple[Turn, ...]) -> Answer:
        """What a desk says after these turns, with the mood of the last of them alone. Nothing is changed yet.

        Raises:
            AttendantError: the desk cannot answer.
        """
        request = self.request(turns)
        (found,) = pipeline.answer_many([request])
        if found.mood is None or len(request.turns) == len(turns):
            return found
        # Read as one question, a calm turn would sound like an angry one before it.
        (mood,) = pipeline.read_moods([turns[-1].text])
        return replace(found, mood=mood)

    def record(self, turns: tuple[Turn, ...], answer: Answer) -> Answer:
        """Takes over an answer: the question stays in the dialogue, and so does what was shown.

        What the question raises of warnings is heeded: who asks for a person gets one.

        Returns:
            What is to be shown.
        """
        self.turns, self.asked = turns, as_asked(turns)
        self.hear(self.customer_turns, turns[-1].text, answer.mood)
        answer = heeded(answer, self.raised)
        self.answer = answer
        shown = answer.candidates[0] if answer.decision == "answer" and answer.candidates else None
        self._give(shown)
        self.handed_over = answer.decision == "handoff"
        return answer

    def hear(self, number: int, text: str, mood: Mood | None = None) -> list[EarlyWarning]:
        """Takes over how a turn of the customer sounds, and what it raises of warnings.

        The same turn may be heard again, such as when its mood is read later than its words.

        Args:
            number: of the turn among the customer's, from 1.
            text: what was said.
            mood: of the turn; None where it was not read.

        Returns:
            The warnings that were not there before.
        """
        if mood is not None:
            self.moods = {**self.moods, number: mood}
        trend = self._trend(number, max(number - REMEMBERED, 1)) if number in self.moods else MoodTrend()
        raised = warnings_after(text[:LONGEST_MESSAGE], trend, number, self.threshold)
        known = self.warnings
        others = (warning for warning in known if warning.turn != number)
        self.warnings = tuple(sorted((*others, *raised), key=lambda warning: warning.turn))
        return [warning for warning in raised if warning not in known]

    @property
    def outcome(self) -> str:
        """How the dialogue stands, as logs say it: "handed_over", "answered", or "open" where the customer waits."""
        if self.handed_over:
            return "handed_over"
        return "answered" if self.turns and self.turns[-1].role == "agent" else "open"

    @property
    def customer_turns(self) -> int:
        """How many turns are the customer's."""
        return sum(turn.role == "customer" for turn in self.turns)

    @property
    def mood(self) -> MoodTrend:
        """Of the customer's turns."""
        return self._trend(self.customer_turns)

    @property
    def raised(self) -> tuple[EarlyWarning, ...]:
        """The warnings that the customer's last turn raised."""
        return tuple(warning for warning in self.warnings if warning.turn == self.customer_turns)

    def choices(self) -> list[RankedAnswer]:
        """The other answers that could be given to the last question, best first.

        What stands in the given one word for word is none.
        """
        candidates = self.answer.candidates if self.answer else ()
        left = [one for one in candidates if one not in self.rejected]
        if self.given is None:
            return left
        said = f" {answer_key(self.given.text)} "
        return [one for one in left if f" {answer_key(one.text)} " not in said]

    def shown(self) -> list[RankedAnswer]:
        """The answers on the screen: the one given, and the alternatives where they were asked for."""
        return ([self.given] if self.given else []) + self.choices()[: self.listed]

    def pick(self, choice: RankedAnswer) -> None:
        """Gives another answer in the place of the one shown."""
        self._give(choice)

    def reject(self) -> None:
        """Takes the given answer back; it will not be offered again."""
        if self.given is not None:
            self.rejected = (*self.rejected, self.given)
            self._give(None)

    def _trend(self, number: int, first: int = 1) -> MoodTrend:
        """The mood from one of the customer's turns up to and with another."""
        return MoodTrend(tuple(self.moods[turn].score for turn in range(first, number + 1) if turn in self.moods))

    def _give(self, answer: RankedAnswer | None) -> None:
        self.given, self.listed, self.handed_over, self.hand_over_kept = answer, 0, False, False
        said = self.turns[:-1] if self.turns[-1].role == "agent" else self.turns
        self.turns = (*said, Turn("agent", answer.text, this_moment())) if answer else said
