"""`attendant assist` line by line: for screen readers, pipes and scripts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.text import Text

from bot.assist import Assist
from bot.assist_commands import COMMANDS, called
from bot.assist_obeying import obey
from bot.dialogue import LONGEST_MESSAGE, read_message
from bot.following import EVERY, Event, FollowedLog, Said
from bot.forgetting import Forgetting
from bot.output import plain, print_json
from bot.present import in_words, mood_view, notice
from bot.suggestions import DRAFT, suggest, suggestions_json
from conversations.errors import AttendantError

if TYPE_CHECKING:
    from bot.customer import Customer
    from bot.feedback import FeedbackBook
    from bot.pipeline import Pipeline
    from bot.suggestions import Suggestion


class PlainAssist:
    """Takes the customer's lines and the agent's commands, and prints suggestions."""

    def __init__(
        self,
        pipeline: Pipeline,
        console: Console,
        book: FeedbackBook,
        customer: Customer | None = None,
        as_json: bool = False,
    ) -> None:
        """Begins a dialogue; the arguments are those of `bot.chat.Chat`."""
        self.pipeline = pipeline
        self._console = console
        self._as_json = as_json
        self._one_at_a_time = threading.RLock()
        self.forgetting = Forgetting("attendant assist", self.tell)
        self._is_over = False
        commands = "\n".join(f"/{name:<9}{meaning}" for name, meaning in COMMANDS.items())
        self.help_text = f"- A line is what the customer says. Commands:\n{commands}"
        self.assist = Assist(book.add, self.tell, self._meet, customer, pipeline.mood_threshold)

    def take(self, line: str) -> bool:
        """Handles one line: a command, or what the customer says; False when it is over."""
        text, was_cut = read_message(line)
        call = called(text)
        with self._one_at_a_time:
            self.forgetting.hear(call[0] if call else "")
            if call is not None:
                self._guarded(partial(obey, self, *call))
                return not self._is_over
            if was_cut:
                self.tell(f"Only the first {LONGEST_MESSAGE:,} characters of this message are read.")
            if text:
                self.assist.customer_says(text)
                self._guarded(self._read_moods)
                self._guarded(self.refresh)
        return True

    def tell(self, text: str) -> None:
        """Shows a line from the program itself."""
        self._console.print(notice(text), soft_wrap=True)

    def follow(self, log: FollowedLog, stop: threading.Event) -> None:
        """Takes what a growing log says, until it is told to stop."""
        self.assist.offered.counts_on = True
        is_new = False
        while not stop.is_set():
            events = log.poll()
            with self._one_at_a_time:
                for event in events:
                    is_new |= self._heard(event)
                if is_new and not events:
                    # Only at the end of what there is: a log may begin with a long past.
                    is_new = False
                    self._guarded(self._read_moods)
                    self._guarded(self.refresh)
            if not events:
                stop.wait(EVERY)

    def _heard(self, event: Event) -> bool:
        """Takes one thing that the log says; whether suggestions may change with it.

        With every word that is typed they do for programs only: who reads or hears lines is told once.
        """
        is_turn = isinstance(event, Said) and not event.is_typing
        if isinstance(event, Said) and is_turn and not self._as_json:
            self._console.print(Text.assemble(f"{event.turn.role}: ", plain(event.turn.text)), soft_wrap=True)
        self._guarded(partial(self.assist.follow, event))
        return is_turn or (self._as_json and isinstance(event, Said))

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except AttendantError as error:
            # The desk can change beneath a running dialogue; that is no reason to lose it.
            self.tell(str(error))

    def show(self, what: RenderableType) -> None:
        """Prints something longer."""
        self._console.print(plain(what, one_line=False) if isinstance(what, str) else what, soft_wrap=True)

    def meant(self, number: int) -> Suggestion | None:
        """The suggestion that was printed with a number; says so where it is suggested no longer."""
        return self.assist.offered.suggestion(number)

    def edit(self, number: int) -> None:
        """Says how: there is no line to put a suggestion into."""
        self.tell(f"Say how: /edit {number} YOUR WORDS.")

    def skip(self) -> None:
        """Passes over what is suggested, for others."""
        self.assist.skip()
        self.refresh()

    def say(self, text: str, chosen: Suggestion | None = None) -> None:
        """Sends the agent's words."""
        try:
            self.assist.agent_says(text, chosen)
        finally:
            # It is said, whether or not that can be kept as feedback: whoever carries it to the customer must know.
            if self._as_json:
                print_json({"sent": text})
            else:
                self._console.print(Text.assemble("sent: ", plain(text)), soft_wrap=True)

    def _read_moods(self) -> None:
        before = self.assist.dialogue.mood
        while (unread := self.assist.dialogue.unread()).texts:
            self.assist.take_moods(unread, self.pipeline.read_moods(unread.texts))
        mood = self.assist.dialogue.mood
        if mood != before and mood.is_telling and not self._as_json:
            self._console.print(mood_view(mood), soft_wrap=True)

    def refresh(self) -> None:
        """Prints suggestions for what is said by now."""
        request = self.assist.request()
        if request is None:
            return
        is_typing = bool(self.assist.typing)
        *_, found = filter(None, suggest(self.pipeline, request, DRAFT if is_typing else None))
        self.assist.take_suggestions(found)
        if self._as_json:
            print_json(suggestions_json(found, self.assist.dialogue, is_typing, self.assist.offered.first))
            return
        for number, one in enumerate(found.best, self.assist.offered.first):
            text = Text.assemble(f"{number}. ", plain(one.answer.text), f" [{in_words(one.chance)}]")
            self._console.print(text, soft_wrap=True)
            self._console.print(plain(f"   {one.source}"), soft_wrap=True)
        if not found.best:
            self.tell("No past answer is left to suggest.")

    def on_desk(self, job: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Does something with the desk at once, and then something with the result."""
        then(job())

    def leave(self, last_words: str = "") -> None:
        """Takes no line any more."""
        if last_words:
            self.tell(last_words)
        self._is_over = True

    def _meet(self, name: str) -> None:
        from bot.customer import known_customer

        self.assist.dialogue.customer = known_customer(self.pipeline.store, name)
