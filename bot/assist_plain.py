"""`attendant assist` line by line: for screen readers, pipes and scripts."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from bot.assist import Assist
from bot.assist_commands import COMMANDS
from bot.dialogue import LONGEST_MESSAGE, read_message
from bot.following import Event, FollowedLog, Said
from bot.handover import handover_summary
from bot.output import plain, print_json
from bot.present import in_words, notice
from bot.suggestions import Suggestions, suggest
from bot.transcript import save_transcript
from bot.why_view import why_view
from conversations.errors import AttendantError
from index.retriever import CANDIDATES

if TYPE_CHECKING:
    from bot.customer import Customer
    from bot.feedback import FeedbackBook
    from bot.pipeline import Pipeline

EVERY = 0.1
"""Seconds between two looks at a followed log."""
_COMMAND = re.compile(r"/([A-Za-z]+)(?:\s+|$)")


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
        self.assist = Assist(book.add, self.tell, self._meet, customer)

    def take(self, line: str) -> bool:
        """Handles one line: a command, or what the customer says; False when it is over."""
        text, was_cut = read_message(line)
        called = _COMMAND.match(text)
        with self._one_at_a_time:
            if called and (called[1].lower() in COMMANDS or called.end() == len(text)):
                return self._guarded(called[1].lower(), text[called.end() :])
            if was_cut:
                self.tell(f"Only the first {LONGEST_MESSAGE:,} characters of this message are read.")
            if text:
                self.assist.customer_says(text)
                self._guarded("list", "")
        return True

    def tell(self, text: str) -> None:
        """Shows a line from the program itself."""
        self._console.print(notice(text), soft_wrap=True)

    def follow(self, log: FollowedLog, stop: threading.Event) -> None:
        """Takes what a growing log says, until it is told to stop."""
        while not stop.is_set():
            events = log.poll()
            with self._one_at_a_time:
                self._take_events(events)
            if not events:
                time.sleep(EVERY)

    def _take_events(self, events: list[Event]) -> None:
        is_said = False
        for event in events:
            self.assist.follow(event)
            if isinstance(event, Said) and not event.is_typing:
                is_said = True
                if not self._as_json:
                    self._console.print(Text.assemble(f"{event.turn.role}: ", plain(event.turn.text)), soft_wrap=True)
        # A log that comes with a long past is suggested for at its end only.
        if is_said and self.assist.request() is not None:
            self._guarded("list", "")

    def _guarded(self, name: str, rest: str) -> bool:
        try:
            return self._obey(name, rest.strip())
        except AttendantError as error:
            self.tell(str(error))
            return True

    def _obey(self, name: str, rest: str) -> bool:
        match name:
            case "quit":
                return False
            case "list":
                self._suggest()
            case "send" | "edit":
                self._send(name, rest)
            case "say":
                if rest:
                    self.assist.agent_says(rest)
                    self._sent()
            case "skip":
                self.assist.skip()
                self._suggest()
            case "why":
                self._why()
            case "handoff":
                if self.assist.hand_over():
                    self._console.print(plain(handover_summary(self.assist.dialogue), one_line=False), soft_wrap=True)
            case "save":
                save_transcript(self.assist.dialogue, Path(rest or ".").expanduser())
                self.tell(f"Saved to {rest}.")
            case "new":
                self.assist.begin(self.assist.dialogue.customer)
                self.tell("A new dialogue begins.")
            case "help":
                self.tell("A line is what the customer says. Commands:")
                for command, meaning in COMMANDS.items():
                    self._console.print(Text(f"/{command:<9}{meaning}"))
            case _:
                self.tell(f"There is no command /{name}. /help lists all.")
        return True

    def _send(self, name: str, rest: str) -> None:
        number, _, words = rest.partition(" ")
        if not number.isdecimal() or (name == "edit") != bool(words.strip()):
            self.tell(f"Say which: {'/send 1' if name == 'send' else '/edit 1 YOUR WORDS'}.")
            return
        chosen = self.assist.suggestion(int(number))
        if chosen is not None:
            self.assist.agent_says(words.strip() or chosen.answer.text, chosen)
            self._sent()

    def _sent(self) -> None:
        text = self.assist.dialogue.turns[-1].text
        if self._as_json:
            print_json({"sent": text})
        else:
            self._console.print(Text.assemble("sent: ", plain(text)), soft_wrap=True)

    def _suggest(self) -> None:
        request = self.assist.request()
        if request is None:
            return
        found = next(found for found in suggest(self._pipeline, request, CANDIDATES) if found)
        self.assist.take_suggestions(found)
        if self._as_json:
            print_json(suggestions_json(found))
            return
        for number, one in enumerate(found.best, start=1):
            text = Text.assemble(f"{number}. ", plain(one.answer.text), f" [{in_words(one.chance)}]")
            self._console.print(text, soft_wrap=True)
            self._console.print(plain(f"   {one.source}"), soft_wrap=True)
        if not found.best:
            self.tell("No past answer is left to suggest.")

    def _why(self) -> None:
        found = self.assist.suggestions
        if found is None:
            self.tell("There is nothing to explain yet.")
            return
        explanation = self._pipeline.explain(found.request, found.answer)
        self._console.print(why_view(found.request.turns, found.answer, explanation, self._pipeline), soft_wrap=True)

    def _meet(self, name: str) -> None:
        from bot.customer import known_customer

        self.assist.dialogue.customer = known_customer(self._pipeline.store, name)


def suggestions_json(found: Suggestions) -> dict[str, object]:
    """Suggestions under the names that scripts rely on."""
    return {
        "question": found.request.turns[-1].text,
        "suggestions": [
            {"answer": one.answer.text, "chance": one.chance, "source": one.source, "answer_id": one.answer.answer_id}
            for one in found.best
        ],
        "decision": found.answer.decision,
        "confidence": found.answer.confidence,
        "timings_ms": found.answer.timings_ms,
    }
