"""The dialogue in front of an agent: what is said, what is suggested, and what becomes of it.

It knows nothing of screens, threads and models; `bot.assist_screen` and `bot.assist_plain` stand around it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.assist_offered import Offered
from bot.assisted_dialogue import AssistedDialogue, Unread
from bot.dialogue import Request
from bot.early_warning import THRESHOLD
from bot.following import Began, Event, Met, Said
from bot.growing_log import Trouble
from bot.present import excerpt
from conversations.model import Turn, Verdict
from conversations.moments import this_moment
from conversations.text import answer_key
from index.equality import is_edit_of, says_the_same

if TYPE_CHECKING:
    from bot.answers import RankedAnswer
    from bot.customer import Customer
    from bot.suggestions import Suggestion, Suggestions
    from training.mood import Mood

Keep = Callable[["AssistedDialogue", int | None, Verdict], None]
"""What keeps a judgement, such as `FeedbackBook.add`."""


class Assist:
    """Takes what customer and agent say, offers suggestions, and keeps what the agent does with them."""

    def __init__(
        self,
        keep: Keep,
        tell: Callable[[str], None],
        meet: Callable[[str], None],
        customer: Customer | None = None,
        threshold: float = THRESHOLD,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begins a dialogue.

        Args:
            keep: called with what the agent does with suggestions.
            tell: shows a line from the program itself.
            meet: called with a customer's id that the followed log gives; sets the dialogue's customer.
            customer: who asks, where that is known.
            threshold: the smoothed mood below which a warning is raised.
            clock: seconds; for tests.
        """
        self.dialogue = AssistedDialogue(customer=customer, threshold=threshold)
        self.offered = Offered(tell, clock)
        """What is suggested now, each with its number."""
        self.suggestions: Suggestions | None = None
        self.shown_last: Suggestions | None = None
        """Those that were on the screen last in this dialogue; `/why` tells of them after one was sent."""
        self.sent: RankedAnswer | None = None
        """The one of these that was sent."""
        self.typing = ""
        """What the customer is typing, where the followed log tells."""
        self.put_aside: Callable[[], None] = lambda: None
        """Called when another dialogue has begun: what is being written for the one before must not be sent in it."""
        self._keep = keep
        self._tell = tell
        self._meet = meet
        self._skipped: tuple[str, ...] = ()
        """Answers passed over for the present question."""
        self._sent: list[str] = []
        """Keys of what was sent from here and may come back in the followed log."""
        self._sent_last: tuple[AssistedDialogue, RankedAnswer] | None = None
        """The suggestion that was sent last, and the dialogue as it was then."""

    @property
    def best(self) -> tuple[Suggestion, ...]:
        """The suggestions on the screen, best first."""
        return self.offered.best

    @property
    def _has_begun(self) -> bool:
        """Whether anything was said or is being written in this dialogue."""
        return bool(self.dialogue.turns or self.typing)

    def request(self, draft: str = "") -> Request | None:
        """What to find suggestions for, or None where the customer waits for nothing.

        Args:
            draft: what the customer is typing.
        """
        asked = self.dialogue.waiting(self.typing, draft)
        if not asked:
            return None
        request = self.dialogue.request(asked)
        return replace(request, rejected=(*request.rejected, *self._skipped))

    def take_suggestions(self, found: Suggestions | None) -> None:
        """Puts suggestions in the place of those before."""
        self.suggestions = found
        self.offered.put(found.best if found else ())
        self.dialogue.suggested = tuple(one.answer for one in self.best)
        if found is not None:
            self.shown_last, self.sent, self.dialogue.answer = found, None, found.answer

    def take_moods(self, unread: Unread, moods: Sequence[Mood]) -> None:
        """Takes over how turns sound.

        Args:
            unread: what was read.
            moods: of each of its turns; none where no head reads them.
        """
        for number, (text, mood) in enumerate(zip(unread.texts, moods, strict=False), unread.first):
            self._hear(unread.dialogue, number, text, mood)

    def customer_says(self, text: str, at: str | None = None) -> None:
        """Adds a turn of the customer."""
        self._add(Turn("customer", text, at or this_moment()))

    def agent_says(self, text: str, chosen: Suggestion | None = None) -> None:
        """Sends the agent's words, and keeps what they make of the suggestions.

        Args:
            text: as it is sent.
            chosen: the suggestion that they began as; otherwise the one that says the same, if any.
        """
        try:
            self._judge(text, chosen)
        finally:
            # It is said, whether or not that can be kept as feedback.
            self._sent.append(answer_key(text))
            self._add(Turn("agent", text, this_moment()))

    def skip(self) -> None:
        """Passes over all that is suggested; it is not suggested again for this question."""
        if not self.best:
            self._tell("There is nothing to skip.")
            return
        self._keep_skipped()
        self._skipped = (*self._skipped, *(one.answer.text for one in self.best))
        self.take_suggestions(None)
        self._tell("Skipped: these are not suggested again for this question.")

    def judge(self, is_good: bool, number: int | None = None) -> None:
        """Keeps what the agent thinks of a suggestion; a bad one is not suggested again in this dialogue.

        Args:
            is_good: whether it is a good answer to what was asked.
            number: as it stands beside it; by default the one that was sent last.
        """
        if number is None:
            judged = self._sent_last
            if judged is None:
                self._tell("No suggestion was sent yet: /good 1 and /bad 1 judge one that is not sent.")
        else:
            chosen = self.offered.suggestion(number)
            judged = (self._as_asked(), chosen.answer) if chosen else None
        if judged is None:
            return
        dialogue, answer = judged
        if not dialogue.asked:
            self._tell("This answers nothing that was asked: what is only being written cannot be judged.")
            return
        self._keep(dialogue, answer.answer_id, "good" if is_good else "bad")
        self._tell(f'Kept as a {"good" if is_good else "bad"} answer: "{excerpt(answer.text, 60)}"')
        if not is_good:
            self.dialogue.rejected = (*self.dialogue.rejected, answer)

    def hand_over(self) -> bool:
        """Keeps that the dialogue was handed over; whether anything was asked."""
        if not self.dialogue.asked:
            self._tell("Nothing was asked yet.")
            return False
        self._keep(self.dialogue, None, "handed over")
        self.dialogue.handed_over = True
        return True

    def begin(self, customer: Customer | None = None) -> None:
        """Begins a new dialogue, and puts aside what is being written for the one before."""
        had_begun = self._has_begun
        self.dialogue = AssistedDialogue(customer=customer, threshold=self.dialogue.threshold)
        self.typing, self._skipped, self._sent, self._sent_last = "", (), [], None
        self.take_suggestions(None)
        self.shown_last = None
        self.offered.begin_anew()
        if had_begun:
            self.put_aside()

    def follow(self, event: Event) -> None:
        """Takes what the followed log says."""
        match event:
            case Trouble(text):
                self._tell(text)
            case Began():
                had_begun = self._has_begun
                self.begin()
                if had_begun:
                    self._tell("A new dialogue begins.")
            case Met(customer):
                self._meet(customer)
            case Said(turn, is_typing=True):
                self.typing = turn.text if turn.role == "customer" else ""
            case Said(turn):
                self.typing = ""
                if turn.role == "agent" and self._is_echo(turn.text):
                    return
                try:
                    # Only of what was suggested for this question: a log may begin with a long past.
                    found = self.suggestions if turn.role == "agent" else None
                    if found is not None and found.request == self.request():
                        self._judge(turn.text, None)
                finally:
                    self._add(turn)

    def _is_echo(self, text: str) -> bool:
        """Whether the log only repeats what was sent from here."""
        key = answer_key(text)
        if key not in self._sent:
            return False
        self._sent.remove(key)
        return True

    def _add(self, turn: Turn) -> None:
        self.dialogue.turns = (*self.dialogue.turns, turn)
        self._skipped = ()
        if turn.role == "agent":
            self.take_suggestions(None)
            return
        self.dialogue.asked = self.dialogue.waiting() or self.dialogue.asked
        self.dialogue.handed_over = False
        self._hear(self.dialogue, self.dialogue.customer_turns, turn.text)

    def _hear(self, dialogue: AssistedDialogue, number: int, text: str, mood: Mood | None = None) -> None:
        for warning in dialogue.hear(number, text, mood):
            if dialogue is self.dialogue:
                self._tell(f"Warning: {warning.words} /handoff shows a summary for whoever takes over.")

    def _as_asked(self) -> AssistedDialogue:
        """The dialogue as it is, without the question before where that was answered already."""
        return replace(self.dialogue, asked=self.dialogue.waiting())

    def _judge(self, text: str, chosen: Suggestion | None) -> None:
        if chosen is not None and not self.offered.was_meant(chosen):
            # Of a dialogue before: it answers nothing that was asked in this one.
            chosen = None
        if chosen is not None and not is_edit_of(text, chosen.answer.text):
            if all(one.answer.answer_id != chosen.answer.answer_id for one in self.best):
                # Others have come since it was opened: it was passed over as well.
                self._keep_verdict(chosen, "skipped")
            chosen = None
        if chosen is None:
            chosen = next((one for one in self.best if says_the_same(text, one.answer.text)), None)
        if chosen is None:
            self._keep_skipped()
        else:
            # Before it is kept, for that can fail: it is sent all the same.
            self._sent_last, self.sent = (self._as_asked(), chosen.answer), chosen.answer
            is_same = answer_key(text) == answer_key(chosen.answer.text)
            self._keep_verdict(chosen, "sent" if is_same else "edited")

    def _keep_skipped(self) -> None:
        # To pass over what nobody saw is no judgement.
        for one in self.offered.seen:
            self._keep_verdict(one, "skipped")

    def _keep_verdict(self, of: Suggestion, verdict: Verdict) -> None:
        # What is only being typed was not asked: nothing is kept of it.
        if self.dialogue.waiting():
            self._keep(self.dialogue, of.answer.answer_id, verdict)
