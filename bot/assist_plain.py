"""`attendant assist` line by line: for screen readers, pipes and scripts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.text import Text

from bot.assist import Assist
from bot.assist_commands import COMMANDS, called
from bot.assist_obeying import obey
from bot.assist_pending import Pending
from bot.assist_whose import Whose
from bot.dialogue import LONGEST_MESSAGE, read_message
from bot.feedback import keep_or_say
from bot.following import EVERY, MOST_KEPT, Began, Event, FollowedLog, Said, WentOn
from bot.forgetting import FROM_LOG, Forgetting
from bot.left_dialogues import MetElsewhere, Returning
from bot.output import plain, print_json
from bot.present import in_words, mood_view, notice
from bot.suggestions import DRAFT, heard_json, suggest, suggestions_json
from conversations.errors import AttendantError

if TYPE_CHECKING:
    from bot.assisted_dialogue import AssistedDialogue, SoFar
    from bot.customer import Customer
    from bot.feedback import FeedbackBook, Judgements
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
        self.forgetting = Forgetting("begin with attendant assist --customer ID", self.tell)
        self._is_over = False
        self._pending = Pending()
        """Dialogues in which the followed log said something since they were looked at."""
        commands = "\n".join(f"/{name:<9}{meaning}" for name, meaning in COMMANDS.items())
        self.help_text = f"- A line is what the customer says. Commands:\n{commands}"
        self.book = book
        self.assist = Assist(self._keep, self.tell, self._meet, customer, pipeline.mood_threshold)
        self._about = self.assist.dialogue
        """The dialogue that the lines before were about."""
        self._is_elsewhere = False
        """Whether what comes next is about another one."""
        self._whose = Whose(self.assist)

    def take(self, line: str) -> bool:
        """Handles one line: a command, or what the customer says; False when it is over."""
        text, was_cut = read_message(line)
        call = called(text)
        # As it was at Enter: what is searched for meanwhile may end with another dialogue.
        seen = self._whose.seen
        with self._one_at_a_time:
            seen = seen if seen.has_begun else self.assist.dialogue
            self.forgetting.hear(call[0] if call else "")
            if call is not None:
                self._obey(*call, seen)
                return not self._is_over
            if was_cut:
                self.tell(f"Only the first {LONGEST_MESSAGE:,} characters of this message are read.")
            if text:
                with self._within(seen):
                    self.assist.customer_says(text)
                self._look_at(seen)
        return True

    def _obey(self, name: str, rest: str, seen: AssistedDialogue) -> None:
        meant = self._whose.meant_by(name, rest, seen)
        with self._within(meant):
            self._guarded(partial(obey, self, name, rest))
            now = self.assist.dialogue
        if now is not meant and not self._is_over:
            # What the log said in the one before is not to be looked at in the new one.
            self._pass_over(meant)
            self._about = now
            self._whose.begin(now)

    def tell(self, text: str) -> None:
        """Shows a line from the program itself."""
        self._write(notice(text))

    def follow(self, log: FollowedLog, stop: threading.Event) -> None:
        """Takes what a growing log says, until it is told to stop."""
        self.assist.offered.counts_on = True
        self.forgetting.known_by = FROM_LOG
        returning = Returning(self.assist)
        while not stop.is_set():
            events = log.poll()
            with self._one_at_a_time:
                for event in (passed for one in events for passed in returning.pass_on(one)):
                    self._heard(event)
            while len(self._pending) > MOST_KEPT and not stop.is_set():
                self._look_at_oldest()
            if events:
                continue
            # Otherwise only at the end of what there is: a log may begin with a long past.
            if not self.assist.is_live:
                self._choose_of_past()
            if self._pending:
                self._look_at_oldest()
            else:
                stop.wait(EVERY)

    def _look_at_oldest(self) -> None:
        with self._one_at_a_time:
            oldest = self._pending.oldest
            if oldest is not None:
                (self._look_at if self.assist.is_live else self._pass_over)(oldest)

    def _choose_of_past(self) -> None:
        """Passes over most of a log's past, and is live from then on."""
        with self._one_at_a_time:
            for one in self._pending.leave_of_past(self.assist.dialogue):
                self._pass_over(one)
            self.assist.is_live = True

    def _pass_over(self, dialogue: AssistedDialogue) -> None:
        """Looks no more at a dialogue of the past until something is said in it again; tells its warnings."""
        self._pending.remove(dialogue)
        with self._within(dialogue):
            self._report()

    def _heard(self, event: Event | MetElsewhere) -> None:
        """Takes one thing that the log says, and remembers where suggestions may change with it.

        With every word that is typed they do for programs only: who reads or hears lines is told once.
        """
        is_turn = isinstance(event, Said) and not event.is_typing
        if isinstance(event, Said):
            with self._within(self.assist.dialogue):
                if is_turn and not self._as_json:
                    self._write(Text.assemble(f"{event.turn.role}: ", plain(event.turn.text)))
                self._guarded(partial(self.assist.follow, event))
        else:
            self._guarded(partial(self.assist.follow, event))
        dialogue = self.assist.dialogue
        if isinstance(event, Began | WentOn):
            self._about = dialogue
        if not self._as_json:
            self._whose.seen = dialogue
        if is_turn or (self._as_json and isinstance(event, Said)):
            self._pending.add(dialogue)

    def _look_at(self, dialogue: AssistedDialogue) -> None:
        """Prints what is new of a dialogue: the mood, warnings, suggestions where the customer waits."""
        self._pending.remove(dialogue)
        with self._within(dialogue):
            self._guarded(self._read_moods)
            self._guarded(self.refresh)
            self._report()
        if dialogue is self.assist.dialogue:
            self._whose.seen = dialogue

    def _report(self) -> None:
        """Prints warnings for a program that stand in no list: nobody waits there, or none can be found."""
        dialogue = self.assist.dialogue
        if self._as_json and dialogue.warnings != dialogue.reported:
            self._print(heard_json(dialogue))

    @contextmanager
    def _within(self, dialogue: AssistedDialogue) -> Iterator[None]:
        """Is about this dialogue for a while; the first line says so where those before were about another one."""
        self._is_elsewhere = dialogue is not self._about
        try:
            with self.assist.within(dialogue):
                yield
        finally:
            self._is_elsewhere = False

    def _write(self, what: RenderableType) -> None:
        """Prints lines for people."""
        if self._is_elsewhere:
            self._is_elsewhere, self._about = False, self.assist.dialogue
            self.tell(f"For {self.assist.dialogue.name}:")
        self._console.print(what, soft_wrap=True)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except AttendantError as error:
            # The desk can change beneath a running dialogue; that is no reason to lose it.
            self.tell(str(error))

    def show(
        self, what: RenderableType, data: Mapping[str, object] | None = None, since: SoFar | None = None
    ) -> None:
        """Prints something longer; to a program the same as data, where there are any."""
        if self._as_json and data is not None:
            self._print(data)
            return
        self._write(plain(what, one_line=False) if isinstance(what, str) else what)

    def meant(self, number: int) -> Suggestion | None:
        """The suggestion that was printed with a number; says so where it is suggested no longer."""
        return self.assist.suggestion(number)

    def edit(self, number: int) -> None:
        """Says how: there is no line to put a suggestion into."""
        self.tell(f"Say how: /edit {number} YOUR WORDS.")

    def skip(self) -> None:
        """Passes over what is suggested, for others."""
        self.assist.skip()
        self.refresh()

    def say(self, text: str, chosen: Suggestion | None = None) -> None:
        """Sends the agent's words."""
        self._whose.just_sent_in = self.assist.dialogue
        try:
            self.assist.agent_says(text, chosen)
        finally:
            # It is said, whether or not that can be kept as feedback: whoever carries it to the customer must know.
            if self._as_json:
                self._print({"sent": text})
            else:
                self._write(Text.assemble("sent: ", plain(text)))

    def _read_moods(self) -> None:
        before = self.assist.dialogue.mood
        while (unread := self.assist.dialogue.unread()).texts:
            self.assist.take_moods(unread, self.pipeline.read_moods(unread.texts))
        mood = self.assist.dialogue.mood
        if mood != before and mood.is_telling and not self._as_json:
            self._write(mood_view(mood))

    def refresh(self) -> None:
        """Prints suggestions for what is said by now."""
        request = self.assist.request()
        if request is None:
            return
        dialogue = self.assist.dialogue
        *_, found = filter(None, suggest(self.pipeline, request, DRAFT if dialogue.typing else None))
        self.assist.take_suggestions(found)
        self._whose.just_sent_in = None
        if self._as_json:
            self._print(suggestions_json(found, dialogue))
            return
        for number, one in enumerate(found.best, dialogue.first):
            text = Text.assemble(f"{number}. ", plain(one.answer.text), f" [{in_words(one.chance)}]")
            self._write(text)
            self._write(plain(f"   {one.source}"))
        if not found.best:
            self.tell("No past answer is left to suggest.")

    def _print(self, data: Mapping[str, object]) -> None:
        """Prints a line for a program, with whose dialogue it is about."""
        dialogue = self.assist.dialogue
        print_json({**dialogue.whose(), **data})
        if "warnings" in data:
            dialogue.reported = dialogue.warnings

    def on_desk(self, job: Callable[[], Any], then: Callable[[Any], object]) -> None:
        """Does something with the desk at once, and then something with the result."""
        then(job())

    at_once = on_desk

    def leave(self, last_words: str = "") -> None:
        """Takes no line any more."""
        if last_words:
            self.tell(last_words)
        self._is_over = True

    def _keep(self, dialogue: AssistedDialogue, judgements: Judgements, told: str) -> None:
        if said := keep_or_say(self.book, dialogue, judgements) or told:
            self.tell(said)

    def _meet(self, name: str) -> None:
        from bot.customer import known_customer

        dialogue = self.assist.dialogue
        dialogue.customer = known_customer(self.pipeline.store, name)
        self.book.meet(dialogue)
