"""`attendant assist` line by line: for screen readers, pipes and scripts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from bot.assist import Assist
from bot.assist_commands import COMMANDS, SAY_WHICH, called, numbered
from bot.assist_why import to_explain
from bot.dialogue import LONGEST_MESSAGE, read_message
from bot.following import EVERY, Event, FollowedLog, Said
from bot.forgetting import Forgetting
from bot.handover import handover_summary
from bot.output import plain, print_json
from bot.present import in_words, mood_view, notice
from bot.suggestions import DRAFT, suggest, suggestions_json
from bot.transcript import SAY_WHERE, save_transcript
from conversations.desk import at_home
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
        self._pipeline = pipeline
        self._console = console
        self._as_json = as_json
        self._one_at_a_time = threading.RLock()
        self._forgetting = Forgetting("attendant assist", self.tell)
        self._is_over = False
        """Whether the customer was removed from the desk."""
        self.assist = Assist(book.add, self.tell, self._meet, customer, pipeline.mood_threshold)

    def take(self, line: str) -> bool:
        """Handles one line: a command, or what the customer says; False when it is over."""
        text, was_cut = read_message(line)
        call = called(text)
        with self._one_at_a_time:
            self._forgetting.hear(call[0] if call else "")
            if call is not None:
                return call[0] != "quit" and self._guarded(partial(self._obey, *call)) and not self._is_over
            if was_cut:
                self.tell(f"Only the first {LONGEST_MESSAGE:,} characters of this message are read.")
            if text:
                self.assist.customer_says(text)
                self._guarded(self._read_moods)
                self._guarded(self._suggest)
        return True

    def tell(self, text: str) -> None:
        """Shows a line from the program itself."""
        self._console.print(notice(text), soft_wrap=True)

    def follow(self, log: FollowedLog, stop: threading.Event) -> None:
        """Takes what a growing log says, until it is told to stop."""
        self.assist.counts_on = True
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
                    self._guarded(self._suggest)
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

    def _guarded(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except AttendantError as error:
            # The desk can change beneath a running dialogue; that is no reason to lose it.
            self.tell(str(error))
        return True

    def _obey(self, name: str, rest: str) -> None:
        commands: dict[str, Callable[[str], None]] = {
            "send": self._send,
            "edit": self._edit,
            "say": self._say,
            "skip": self._skip,
            "good": partial(self._judge, is_good=True),
            "bad": partial(self._judge, is_good=False),
            "why": self._why,
            "handoff": self._hand_over,
            "save": self._save,
            "new": self._begin,
            "forget": self._forget,
            "help": self._help,
        }
        if name in commands:
            commands[name](rest)
        else:
            self.tell(f"There is no command /{name}. /help lists all.")

    def _send(self, rest: str) -> None:
        which = numbered(rest)
        if which is None:
            self.tell("Say which: /send 1.")
        elif (chosen := self.assist.suggestion(which[0])) is not None:
            self._deliver(chosen.answer.text, chosen)

    def _edit(self, rest: str) -> None:
        which = numbered(rest)
        if which is None or not which[1]:
            self.tell("Say which, and how: /edit 1 YOUR WORDS.")
            return
        chosen = self.assist.suggestion(which[0])
        if chosen is not None:
            self._deliver(which[1], chosen)

    def _say(self, rest: str) -> None:
        if rest:
            self._deliver(rest)
        else:
            self.tell("Say what: /say YOUR WORDS.")

    def _skip(self, rest: str) -> None:
        self.assist.skip()
        self._suggest()

    def _judge(self, rest: str, is_good: bool) -> None:
        which = numbered(rest)
        if rest and which is None:
            self.tell(SAY_WHICH)
            return
        self.assist.judge(is_good, which[0] if which else None)
        if not is_good:
            self._suggest()

    def _hand_over(self, rest: str) -> None:
        if self.assist.hand_over():
            self._console.print(plain(handover_summary(self.assist.dialogue), one_line=False), soft_wrap=True)

    def _save(self, rest: str) -> None:
        if rest:
            save_transcript(self.assist.dialogue, at_home(rest))
            self.tell(f"Saved to {rest}.")
        else:
            self.tell(SAY_WHERE)

    def _begin(self, rest: str) -> None:
        self.assist.begin(self.assist.dialogue.customer)
        self.tell("A new dialogue begins.")

    def _help(self, rest: str) -> None:
        self.tell("A line is what the customer says. Commands:")
        for command, meaning in COMMANDS.items():
            self._console.print(Text(f"/{command:<9}{meaning}"))

    def _deliver(self, text: str, chosen: Suggestion | None = None) -> None:
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
            self.assist.take_moods(unread, self._pipeline.read_moods(unread.texts))
        mood = self.assist.dialogue.mood
        if mood != before and mood.is_telling and not self._as_json:
            self._console.print(mood_view(mood), soft_wrap=True)

    def _suggest(self) -> None:
        request = self.assist.request()
        if request is None:
            return
        is_typing = bool(self.assist.typing)
        *_, found = filter(None, suggest(self._pipeline, request, DRAFT if is_typing else None))
        self.assist.take_suggestions(found)
        if self._as_json:
            print_json(suggestions_json(found, self.assist.dialogue, is_typing, self.assist.first))
            return
        for number, one in enumerate(found.best, self.assist.first):
            text = Text.assemble(f"{number}. ", plain(one.answer.text), f" [{in_words(one.chance)}]")
            self._console.print(text, soft_wrap=True)
            self._console.print(plain(f"   {one.source}"), soft_wrap=True)
        if not found.best:
            self.tell("No past answer is left to suggest.")

    def _why(self, rest: str) -> None:
        explain = to_explain(self.assist, rest, self.tell)
        if explain is not None:
            self._console.print(explain(self._pipeline), soft_wrap=True)

    def _forget(self, rest: str) -> None:
        customer = self.assist.dialogue.customer
        if self._forgetting.is_confirmed(customer):
            self.tell(self._forgetting.forget(self._pipeline.desk, customer))
            # What a followed log says meanwhile is said to nobody.
            self.assist.begin()
            self._is_over = True

    def _meet(self, name: str) -> None:
        from bot.customer import known_customer

        self.assist.dialogue.customer = known_customer(self._pipeline.store, name)
