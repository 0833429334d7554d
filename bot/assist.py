"""The dialogue in front of an agent: what is said, what is suggested, and what becomes of it.

It knows nothing of screens, threads and models; `bot.assist_screen` and `bot.assist_plain` stand around it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.assist_offered import Offered
from bot.assisted_dialogue import AssistedDialogue, Suggested, Unread
from bot.dialogue import Request
from bot.early_warning import THRESHOLD
from bot.following import Began, Event, KnownBy, Met, Named, Said, WentOn
from bot.growing_log import Trouble
from bot.left_dialogues import LeftDialogues, MetElsewhere
from bot.present import excerpt
from bot.sent_words import passed_over, sent_words
from conversations.model import Turn, Verdict
from conversations.moments import this_moment
from conversations.text import answer_key

if TYPE_CHECKING:
    from bot.answers import RankedAnswer
    from bot.customer import Customer
    from bot.feedback import Keep
    from bot.suggestions import Suggestion, Suggestions
    from training.mood import Mood


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
        self.is_live = False
        """Whether the followed log has come to its end once: what it says from then on is said now."""
        self.put_aside: Callable[[], None] = lambda: None
        """Called when another dialogue stands here: what is being written for the one before must not be sent."""
        self.left = LeftDialogues()
        """Those that stood here before."""
        self.sent_last: Suggested | None = None
        """The suggestion that was sent last, in whichever dialogue that was."""
        self._keep = keep
        self._tell = tell
        self._meet = meet

    @property
    def best(self) -> tuple[Suggestion, ...]:
        """The suggestions on the screen, best first."""
        return self.dialogue.best

    @contextmanager
    def within(self, dialogue: AssistedDialogue) -> Iterator[None]:
        """Is about this dialogue for a while, then about the present one again.

        A new one that begins in its place stands where it stood: in front of the agent, or among those left.
        """
        present, self.dialogue = self.dialogue, dialogue
        try:
            yield
        finally:
            if dialogue is not present:
                if self.dialogue is not dialogue:
                    self.left.keep(self.dialogue)
                self.dialogue = present

    def request(self, draft: str = "") -> Request | None:
        """What to find suggestions for, or None where the customer waits for nothing.

        Args:
            draft: what the customer is typing.
        """
        asked = self.dialogue.waiting(self.dialogue.typing, draft)
        if not asked:
            return None
        request = self.dialogue.request(asked)
        return replace(request, rejected=(*request.rejected, *self.dialogue.skipped))

    def take_suggestions(self, found: Suggestions | None) -> None:
        """Puts suggestions in the place of those before."""
        dialogue = self.dialogue
        self.offered.put(dialogue, found)
        if found is not None:
            dialogue.shown_last, dialogue.sent, dialogue.answer = found, None, found.answer

    def take_moods(self, unread: Unread, moods: Sequence[Mood]) -> None:
        """Takes over how turns sound.

        Args:
            unread: what was read.
            moods: of each of its turns; none where no head reads them.
        """
        for number, (text, mood) in enumerate(zip(unread.texts, moods, strict=False), unread.first):
            self._hear(unread.dialogue, number, text, mood)

    def suggestion(self, number: int) -> Suggestion | None:
        """The suggestion that a number means, as long as it is suggested; says so where there is none."""
        return self.offered.suggestion(self.dialogue, number)

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
            self.dialogue.echoes.append(answer_key(text))
            self._add(Turn("agent", text, this_moment()))

    def skip(self) -> None:
        """Passes over all that is suggested; it is not suggested again for this question."""
        if not self.best:
            self._tell("There is nothing to skip.")
            return
        self._keep_verdicts(passed_over(self.offered.seen(self.dialogue)))
        self.dialogue.skipped = (*self.dialogue.skipped, *(one.answer.text for one in self.best))
        self.take_suggestions(None)
        self._tell("Skipped: these are not suggested again for this question.")

    def drop(self, chosen: Suggestion) -> None:
        """Takes away all that is suggested, for others than this one."""
        self.dialogue.skipped = (*self.dialogue.skipped, chosen.answer.text)
        self.take_suggestions(None)

    def judge(self, is_good: bool, number: int | None = None) -> None:
        """Keeps what the agent thinks of a suggestion; a bad one is not suggested again in this dialogue.

        Args:
            is_good: whether it is a good answer to what was asked.
            number: as it stands beside it; by default the one that was sent last.
        """
        if number is not None:
            chosen = self.suggestion(number)
            judged = self.dialogue.suggested(chosen.answer) if chosen else None
        elif (judged := self.sent_last) is None:
            self._tell("No suggestion was sent yet: /good 1 and /bad 1 judge one that is not sent.")
        if judged is None:
            return
        dialogue, as_asked, answer = judged
        if not as_asked.asked:
            self._tell("This answers nothing that was asked: what is only being written cannot be judged.")
            return
        verdict: Verdict = "good" if is_good else "bad"
        where = "" if dialogue is self.dialogue else f" in {dialogue.name}"
        told = f'Kept as a {verdict} answer{where}: "{excerpt(answer.text, 60)}"'
        # When it was asked the customer may not have been known yet.
        self._keep(replace(as_asked, customer=dialogue.customer), [(answer.answer_id, verdict)], told)
        if not is_good:
            dialogue.rejected = (*dialogue.rejected, answer)

    def hand_over(self) -> bool:
        """Keeps that the dialogue was handed over, once for a question; whether anything was asked."""
        if not self.dialogue.asked:
            self._tell("Nothing was asked yet.")
            return False
        if not self.dialogue.handed_over:
            self._keep(self.dialogue, [(None, "handed over")], "")
        self.dialogue.handed_over = True
        return True

    def begin(self, known: KnownBy | None = None, customer: Customer | None = None) -> None:
        """Begins a new dialogue, and puts aside what is being written for the one before.

        Args:
            known: what the followed log knows it by, where it can come back.
            customer: who asks, where that is known.
        """
        conversation, met = known or (None, None)
        threshold = self.dialogue.threshold
        self._turn_to(AssistedDialogue(conversation=conversation, met=met, customer=customer, threshold=threshold))

    def begin_anew(self) -> None:
        """Begins a new dialogue in the place of this one, with the same customer as the desk knows them now."""
        before = self.dialogue
        self.begin(before.known_by, before.customer)
        self.sent_last = None
        if name := before.customer.name if before.customer else before.met:
            self._meet(name)

    def follow(self, event: Event | MetElsewhere) -> None:
        """Takes what the followed log says."""
        match event:
            case Trouble(text):
                self._tell(text)
            case Began(conversation):
                is_another = self.dialogue.has_begun
                self.left.keep(self.dialogue)
                self.begin((conversation, None))
                if is_another:
                    self._tell("A new dialogue begins.")
            case WentOn(known):
                self._go_back_to(known)
            case Named(conversation):
                self.dialogue.conversation = conversation
            case Met(customer):
                self.dialogue.met = customer
                self._meet(customer)
            case MetElsewhere(dialogue, customer):
                with self.within(dialogue):
                    self._meet(customer)
            case Said(turn, is_typing=True):
                self.dialogue.typing = turn.text if turn.role == "customer" else ""
            case Said(turn):
                self.dialogue.typing = ""
                if turn.role != "agent" or not self.dialogue.is_echo(turn.text):
                    self._take_logged(replace(turn, at=this_moment()) if self.is_live and turn.at is None else turn)

    def _take_logged(self, turn: Turn) -> None:
        found = self.dialogue.suggestions if turn.role == "agent" else None
        # Only of what was suggested for this question: a log may begin with a long past.
        if found is not None and found.request == self.request():
            self._judge(turn.text, None)
        self._add(turn)

    def _go_back_to(self, known: KnownBy) -> None:
        self.left.keep(self.dialogue)
        found = self.left.take(known)
        if found is None:
            self.begin(known)
            self._tell("A new dialogue begins.")
            return
        self._turn_to(found)
        which = "The dialogue with customer" if found.conversation is None else "Conversation"
        self._tell(f"{which} {found.conversation or found.met} goes on.")

    def _turn_to(self, dialogue: AssistedDialogue) -> None:
        before, self.dialogue = self.dialogue, dialogue
        self.offered.show_anew()
        if before.has_begun:
            self.put_aside()

    def _add(self, turn: Turn) -> None:
        self.dialogue.turns = (*self.dialogue.turns, turn)
        self.dialogue.skipped = ()
        if turn.role == "agent":
            self.take_suggestions(None)
            return
        self.dialogue.asked = self.dialogue.waiting() or self.dialogue.asked
        self.dialogue.handed_over = False
        self._hear(self.dialogue, self.dialogue.customer_turns, turn.text)

    def _hear(self, dialogue: AssistedDialogue, number: int, text: str, mood: Mood | None = None) -> None:
        for warning in dialogue.hear(number, text, mood):
            told = f"Warning: {warning.words} /handoff shows a summary for whoever takes over."
            if dialogue is self.dialogue:
                self._tell(told)
                continue
            dialogue.note(told)
            if dialogue.waiting() and not dialogue.handed_over:
                self._tell(f"Warning for {dialogue.name}: {warning.words}")
                dialogue.reported = (*dialogue.reported, warning)

    def _judge(self, text: str, chosen: Suggestion | None) -> None:
        dialogue = self.dialogue
        # One of a dialogue before answers nothing that was asked in this one.
        chosen = chosen if any(one is chosen for one in dialogue.meant) else None
        words = sent_words(text, self.best, self.offered.seen(dialogue), chosen)
        if words.answer is not None:
            # Before it is kept, for that can fail: it is sent all the same.
            self.sent_last, dialogue.sent = dialogue.suggested(words.answer), words.answer
        self._keep_verdicts(words.verdicts)

    def _keep_verdicts(self, verdicts: Sequence[tuple[RankedAnswer, Verdict]]) -> None:
        # What is only being typed was not asked: nothing is kept of it.
        if verdicts and self.dialogue.waiting():
            self._keep(self.dialogue, [(answer.answer_id, verdict) for answer, verdict in verdicts], "")
