"""The line that is typed in on the screen of `attendant assist`: now the agent's, now the customer's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.history import History

if TYPE_CHECKING:
    from bot.suggestions import Suggestion


class Line:
    """What customer and agent have begun to write; nothing of it is lost to the other one, nor to an edit."""

    def __init__(self, history: History, writer: str, typed: Callable[[], None]) -> None:
        """Begins with nothing written.

        Args:
            history: of what was typed before.
            writer: "agent" or "customer", whoever writes first.
            typed: called after every change.
        """
        self.buffer = Buffer(multiline=True, history=history, on_text_changed=lambda _: self._changed())
        self.writer = writer
        """Who is writing."""
        self.editing: Suggestion | None = None
        """The suggestion that the agent's line began as."""
        self._typed = typed
        self._draft = ""
        """What the one who is not writing now had begun."""
        self._put_aside = ""
        """What the agent had begun when a suggestion was opened."""
        self._was_cut_off = False
        """Whether the line was put away in its midst, so that what is written next may be its rest."""

    @property
    def of_customer(self) -> str:
        """What the customer has begun."""
        return self.buffer.text if self.writer == "customer" else self._draft

    def write_as(self, writer: str) -> None:
        """Lets the other one write; what each had begun is kept."""
        if writer != self.writer:
            kept, self._draft = self._draft, self.buffer.text
            self.writer, self.editing = writer, None
            self._put(kept)

    def edit(self, chosen: Suggestion) -> None:
        """Opens a suggestion for the agent, and puts aside what the agent had begun."""
        self.write_as("agent")
        if self.editing is None:
            self._put_aside = self.buffer.text or self._put_aside
        self.editing = chosen
        self._put(chosen.answer.text)

    def take(self) -> tuple[str, Suggestion | None]:
        """Takes what is written out of the line: the text, and the suggestion that it began as."""
        text, chosen, self._was_cut_off = self.buffer.text, self.editing, False
        self.buffer.reset(append_to_history=True)
        self._bring_back()
        return text, chosen

    def take_of_customer(self) -> str:
        """Takes out what the customer has begun."""
        text, self._draft = self.of_customer, ""
        if self.writer == "customer":
            self.buffer.reset()
        return text

    def go_back(self) -> bool:
        """Drops what is written, for what was put aside; whether there was any of both."""
        was_there = bool(self.buffer.text or self.editing or (self.writer == "agent" and self._put_aside))
        self.buffer.reset()
        self._bring_back()
        return was_there

    def put_away(self) -> bool:
        """Puts all that was begun into the history, whence Up brings back its words; whether there was any."""
        begun = [text for text in (self._draft, self._put_aside, self.buffer.text) if text.strip()]
        # Where a third dialogue begins before anything more was written, the rest of that line is still to come.
        self._was_cut_off = self._was_cut_off or bool(self.buffer.text)
        self.editing, self._draft, self._put_aside = None, "", ""
        self.buffer.reset()
        for text in begun:
            self.buffer.history.append_string(text)
        return bool(begun)

    def may_be_a_rest(self) -> bool:
        """Whether what is written may be the rest of a line that was put away; only the first time that is asked."""
        may_be, self._was_cut_off = self._was_cut_off and bool(self.buffer.text), False
        return may_be

    def _bring_back(self) -> None:
        self.editing = None
        if self.writer == "agent" and self._put_aside:
            kept, self._put_aside = self._put_aside, ""
            self._put(kept)

    def _put(self, text: str) -> None:
        self.buffer.text = text
        self.buffer.cursor_position = len(text)

    def _changed(self) -> None:
        if not self.buffer.text:
            # What is written next does not begin as the suggestion. What was put aside comes back only with the next
            # key that takes or drops a line: nobody's words may get in between what is being typed now.
            self.editing = None
        self._typed()
