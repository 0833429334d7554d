"""`attendant assist` on the whole screen: dialogue and suggestions side by side, or one above the other.

Decisions:
- The whole screen, since suggestions that change under the hands need one place to stand; the dialogue is printed
  when it ends, so that it stays in the scrollback. Who wants lines instead has --plain.
- Only the terminal's own colours, with bold, dim and reverse: right on light and dark ones.
- This thread draws and takes keys. All that touches the desk runs in `LiveSuggestions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from prompt_toolkit.application import Application
from prompt_toolkit.history import History
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from bot.assist import Assist
from bot.assist_commands import PUT_ASIDE, called, help_text
from bot.assist_desk import before_next_key, keep, meet, read_moods
from bot.assist_following import follow
from bot.assist_layout import make_layout
from bot.assist_line import Line
from bot.assist_pages import Page
from bot.chat_input import color_depth
from bot.desk_jobs import DeskJobs
from bot.dialogue import LONGEST_MESSAGE, read_message
from bot.following import FollowedLog
from bot.forgetting import FROM_LOG, Forgetting
from bot.held_keys import HeldKeys
from bot.interrupts import HeldInterrupts
from bot.live_suggestions import LiveSuggestions
from bot.suggestions import DRAFT, Suggestion, Suggestions, suggest
from conversations.errors import AttendantError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.assisted_dialogue import SoFar
    from bot.customer import Customer
    from bot.feedback import FeedbackBook
    from bot.pipeline import Pipeline


class AssistScreen:
    """The screen: what is typed, who is writing, and what the keys do."""

    def __init__(
        self,
        pipeline: Pipeline,
        book: FeedbackBook,
        history: History,
        title: str,
        customer: Customer | None = None,
        log: FollowedLog | None = None,
        terminal: tuple[Input, Output] | None = None,
    ) -> None:
        """Makes the screen.

        Args:
            pipeline: the desk; from now on only used on the thread of the suggestions.
            book: where what becomes of suggestions is kept.
            history: of what was typed before.
            title: said in the status line.
            customer: who asks, where that is known.
            log: what is followed, if anything.
            terminal: by default this process's own.
        """
        self.pipeline = pipeline
        self.title = title
        self.log = log
        self.help_text = help_text()
        self.page: Page | None = None
        self.scrolled = 0
        self.last_words: str | None = None
        """Said when all is over, where there is more to say than goodbye; nothing is followed from then on."""
        self.forgetting = Forgetting(FROM_LOG if log else "begin with attendant assist --customer ID", self.tell)
        self.book = book
        self._interrupted = False
        self.assist = Assist(partial(keep, self), self.tell, partial(meet, self), customer, pipeline.mood_threshold)
        self.assist.put_aside = self._put_aside
        self.live = LiveSuggestions(partial(suggest, pipeline), self._show, self._fail)
        self.line = Line(history, "agent" if log else "customer", self._typed)
        self.held = HeldKeys()
        own_input, own_output = terminal or (None, None)
        layout, keys = make_layout(self)
        self.application: Application[None] = Application(
            layout=layout,
            key_bindings=keys,
            full_screen=True,
            color_depth=color_depth(),
            input=own_input,
            output=own_output,
        )
        self.jobs = DeskJobs(self.live.run, self._fail, self.application.invalidate)
        # An Escape that begins a key comes with the rest of it at once; what is typed after another is no part of it.
        self.application.ttimeoutlen, self.application.timeoutlen = 0.05, 0.0

    @property
    def notes(self) -> tuple[tuple[int, str], ...]:
        """Lines from the program in the present dialogue, each with the number of turns that were said before it."""
        return self.assist.dialogue.notes

    def run(self) -> None:
        """Runs until the agent leaves."""
        try:
            with HeldInterrupts() as held:
                self.application.pre_run_callables.append(held.pass_on)
                self.application.run(pre_run=self._begin, handle_sigint=False)
        finally:
            self.live.close()
            if self.log is not None:
                self.log.close()

    def tell(self, text: str) -> None:
        """Shows a line from the program itself, below what was said so far."""
        self.assist.dialogue.note(text)
        self.scrolled = 0
        self.application.invalidate()

    def refresh(self) -> None:
        """Looks for suggestions for what is said by now."""
        draft = self._draft_in(self.line.of_customer)
        request = self.assist.request(draft)
        if request is None:
            self.assist.take_suggestions(None)
        self.live.want(request, DRAFT if draft or self.assist.dialogue.typing else None)
        read_moods(self, self.assist.dialogue)

    def enter(self) -> None:
        """Takes the line that was typed."""
        from bot.assist_obeying import obey

        if not called(self.line.buffer.text) and self.line.may_be_a_rest():
            self.tell("Another dialogue began: Enter again sends this in it.")
            return
        written, chosen = self.line.take()
        text, was_cut = read_message(written)
        # Words of a past answer are never obeyed; a command in their place is.
        call = called(text) if chosen is None or not called(chosen.answer.text) else None
        self.forgetting.hear(call[0] if call else "")
        if call is not None:
            obey(self, *call)
        elif text and self.line.writer == "customer":
            self.assist.customer_says(text)
            self.line.write_as("agent")
        elif text:
            self.say(text, chosen)
        if was_cut:
            self.tell(f"Only the first {LONGEST_MESSAGE:,} characters of this message are read.")
        self.scrolled = 0
        self.refresh()

    def say(self, text: str, chosen: Suggestion | None = None) -> None:
        """Sends the agent's words; what the customer was writing counts as said."""
        unsent = self._draft_in(self.line.take_of_customer())
        if unsent:
            self.assist.customer_says(unsent)
        self.assist.agent_says(text, chosen)
        self.line.write_as("agent" if self.log else "customer")
        self.refresh()

    def meant(self, number: int) -> Suggestion | None:
        """A suggestion that has stood in sight long enough to be meant; says so where there is none."""
        return self.assist.offered.settled(self.assist.dialogue, number) if self._are_suggestions_in_sight() else None

    def show(
        self, what: RenderableType, data: Mapping[str, object] | None = None, since: SoFar | None = None
    ) -> None:
        """Opens a page; below it stands what is said and told since, also when another takes its place.

        Args:
            what: stands on it.
            data: the same for programs, which read no screen.
            since: how far the dialogue had come when it was asked for; by default it is asked for now.
        """
        since = self.page.since if self.page is not None else since or self.assist.dialogue.so_far
        self.page = Page(what, since)
        self.assist.offered.cover(True)

    def close_page(self) -> None:
        """Goes back to the dialogue and the suggestions."""
        self.page = None
        self.assist.offered.cover(False)

    def send(self, number: int) -> None:
        """Sends a suggestion as it is, if it has stood in sight long enough to be meant."""
        from bot.assist_obeying import obey

        self.forgetting.hear("")
        obey(self, "send", str(number))

    def edit(self, number: int) -> None:
        """Puts a suggestion into the line, to be changed before it is sent."""
        from bot.assist_obeying import unless_withdrawn

        chosen = self.meant(number)
        if chosen is not None:
            # At once, for what is typed next belongs into it.
            self.line.edit(chosen)
            unless_withdrawn(self, chosen, partial(self._end_edit, chosen))

    def skip(self) -> None:
        """Passes over what is suggested, for others, if it is in sight."""
        self.forgetting.hear("")
        if self._are_suggestions_in_sight():
            self.assist.skip()
            self.refresh()

    def interrupt(self) -> None:
        """Goes back one step: the page, the edit, the line; a second time leaves."""
        if self.page is not None:
            self.close_page()
        elif self.line.go_back():
            self.refresh()
        elif self._interrupted:
            self.leave()
        else:
            self._interrupted = True
            self.tell("Ctrl-C again or Ctrl-D leaves.")

    def leave(self, last_words: str = "") -> None:
        """Ends, once everything was kept; where there are last words, they are all that stays on the terminal."""
        self.last_words = last_words or self.last_words

        async def finish() -> None:
            await self.jobs.finish()
            if not self.application.is_done:
                self.application.exit()

        self.application.create_background_task(finish())

    def on_desk(self, job: Callable[[], Any], then: Callable[[Any], None] = lambda _: None) -> None:
        """Does something with the desk on its thread, and then something with the result here."""
        self.jobs.start(job, then)

    def at_once(self, job: Callable[[], Any], then: Callable[[Any], bool]) -> None:
        """Does something with the desk, and then something with the result, before any key that is pressed next."""
        before_next_key(self, job, then)

    def _end_edit(self, chosen: Suggestion, may_go_on: bool) -> None:
        if not may_go_on and self.line.editing is chosen:
            self.line.go_back()

    def _are_suggestions_in_sight(self) -> bool:
        """Whether a key can mean them; otherwise closes the page that hides them, and says so."""
        if self.page is None:
            return True
        self.close_page()
        self.tell("The page hid what is suggested: look again.")
        return False

    def _typed(self) -> None:
        self._interrupted = False
        if self.line.writer == "customer":
            self.refresh()

    def _begin(self) -> None:
        if self.log is not None:
            self.application.create_background_task(follow(self, self.log))

    def _put_aside(self) -> None:
        """Makes room for another dialogue: nothing of the one before may be sent in it."""
        if self.page is not None:
            self.page.since = self.assist.dialogue.so_far
        self.line.buffer.insert_text(self.held.take_words())
        if self.line.put_away():
            self.tell(PUT_ASIDE)

    def _draft_in(self, typed: str) -> str:
        """What the customer says in what was typed; nothing where it is a command."""
        return "" if called(typed) else read_message(typed)[0]

    def _show(self, found: Suggestions) -> None:
        self.assist.take_suggestions(found)
        self.application.invalidate()

    def _fail(self, error: Exception) -> None:
        text = str(error) if isinstance(error, AttendantError) else f"internal error: {type(error).__name__}: {error}"
        self.tell(text)
