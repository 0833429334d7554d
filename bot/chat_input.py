"""Where the chat's lines come from: a person at a terminal, or a file or pipe."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app, run_in_terminal
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.output import ColorDepth

from bot.chat import Chat
from bot.chat_commands import COMMANDS, TOOLBAR
from bot.dialogue import LONGEST_MESSAGE
from bot.interrupts import HeldInterrupts
from bot.steady import SteadyInput
from conversations.text import safe_text

PROMPT = "you> "


class TakesLines(Protocol):
    """What lines are read for."""

    def take(self, line: str) -> bool:
        """Handles one line; False when it is over."""
        ...

    def tell(self, text: str) -> None:
        """Shows a line from the program itself."""
        ...


def talk(chat: Chat, history: History, is_plain: bool = False) -> None:
    """Reads messages for the chat at a terminal until /quit, Ctrl-D, or Ctrl-C twice.

    Args:
        chat: takes them.
        history: of messages typed before.
        is_plain: whether nothing is drawn around the line that is typed.
    """

    def below() -> str:
        mood = chat.dialogue.mood.in_words
        return bottom_bar((*([f"mood {mood} "] if mood else []), *TOOLBAR), get_app().output.get_size().columns)

    session: PromptSession[str] = PromptSession(
        PROMPT,
        history=history,
        completer=None if is_plain else CommandCompleter(COMMANDS),
        bottom_toolbar=None if is_plain else below,
        key_bindings=chat_keys(chat),
        input_processors=[SteadyInput()],
        reserve_space_for_menu=0 if is_plain else 4,
        color_depth=color_depth(is_plain),
    )
    read_typed(chat, session)


def color_depth(is_plain: bool = False) -> ColorDepth | None:
    """No colours where NO_COLOR is set or nothing is to be drawn; None leaves it to the terminal."""
    return ColorDepth.DEPTH_1_BIT if is_plain or os.environ.get("NO_COLOR") else None


def read_typed(taker: TakesLines, session: PromptSession[str]) -> None:
    """Reads lines at a terminal until the taker has enough, Ctrl-D, or Ctrl-C twice with nothing typed in between."""
    interrupted = 0
    while interrupted < 2:
        try:
            if interrupted:
                # Said in here, for a second Ctrl-C may come while it is being said.
                taker.tell("Cancelled. Ctrl-C again or Ctrl-D leaves.")
            line = _typed_line(session)
            interrupted = int(line is None)
            if line is not None and not taker.take(line):
                break
        except KeyboardInterrupt:
            interrupted += 1
        except EOFError:
            break
    with suppress(KeyboardInterrupt):
        taker.tell("Goodbye.")


def _typed_line(session: PromptSession[str]) -> str | None:
    """The next line; None where Ctrl-C took back what was typed.

    Raises:
        KeyboardInterrupt: Ctrl-C where nothing was typed.
        EOFError: Ctrl-D where nothing was typed.
    """
    try:
        with HeldInterrupts() as held:
            line = session.prompt(pre_run=held.pass_on, handle_sigint=False)
        came = held.came
    except KeyboardInterrupt:
        if not session.default_buffer.text:
            raise
        came = True
    return None if came else line


def read_piped(taker: TakesLines, stream: TextIO) -> bool:
    """Reads messages from a file or pipe, one a line, to its end or /quit; whether it was /quit."""
    return any(not taker.take(line) for line in short_lines(stream))


def short_lines(stream: TextIO, longest: int = LONGEST_MESSAGE + 1) -> Iterator[str]:
    r"""Lines without their ends; what a line has beyond the limit is skipped without being held in memory.

    >>> import io
    >>> list(short_lines(io.StringIO("one\nvery long\n\nlast"), longest=4))
    ['one', 'very', '', 'last']
    """
    while piece := stream.readline(longest + 1):
        yield piece.rstrip("\r\n")[:longest]
        while len(piece) > longest and not piece.endswith("\n"):
            piece = stream.readline(longest + 1)


class CommandCompleter(Completer):
    """Completes /commands at the beginning of a message, with what they mean."""

    def __init__(self, commands: Mapping[str, str]) -> None:
        """Takes the commands with their meaning."""
        self._commands = commands

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """The commands that begin as the text does."""
        typed = document.text_before_cursor
        if not typed.startswith("/"):
            return
        for name, meaning in self._commands.items():
            if name.startswith(typed[1:].lower()):
                yield Completion(f"/{name}", start_position=-len(typed), display_meta=meaning)


class DeskHistory(FileHistory):
    """Messages typed on this desk before, readable by nobody else; never a reason for the chat to fail."""

    def __init__(self, path: Path, is_private: Callable[[], bool]) -> None:
        """Reads a file; the arguments are those of `open_history`."""
        super().__init__(path)
        self._is_private = is_private

    def store_string(self, string: str) -> None:
        """Appends a message; a private one, or one that does not fit on the disk, is only forgotten."""
        if self._is_private():
            return
        with suppress(OSError):
            super().store_string(safe_text(string[:LONGEST_MESSAGE]))

    def load_history_strings(self) -> Iterable[str]:
        """The messages, newest first, harmless to show."""
        return [safe_text(text) for text in super().load_history_strings()]


def open_history(path: Path, is_private: Callable[[], bool] = lambda: False) -> History:
    """The history in a file; in memory only where the file cannot be used.

    Args:
        path: of the file.
        is_private: whether what is typed now is kept in memory only.
    """
    try:
        path.touch(mode=0o600)
        path.chmod(0o600)
        with path.open("ab+"):
            return DeskHistory(path, is_private)
    except OSError:
        return InMemoryHistory()


def bottom_bar(parts: Sequence[str], width: int) -> str:
    """As many of the parts as there is room for, the first ones before the others."""
    bar = ""
    for part in parts:
        longer = f"{bar} {part}".strip()
        bar = longer if len(longer) <= width else bar
    return bar


def editing_keys() -> KeyBindings:
    """What every input line knows: a new line, a paste that stays together and cannot hold escapes, and no mouse."""
    keys = KeyBindings()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add(Keys.BracketedPaste)
    def _(event: KeyPressEvent) -> None:
        # Lines stay together until Enter. What is beyond the limit would only make the terminal slow; one
        # character more tells the chat that the message was cut.
        event.current_buffer.insert_text(safe_text(event.data)[: LONGEST_MESSAGE + 1])

    @keys.add(Keys.Vt100MouseEvent)
    def _(event: KeyPressEvent) -> None:
        # Colours in a paste without brackets read like a click, at which prompt_toolkit would fail.
        pass

    return keys


def chat_keys(chat: Chat) -> KeyBindings:
    """The keys of the chat, beyond those that every line of prompt_toolkit knows."""
    keys = editing_keys()

    @keys.add("f2")
    @keys.add("escape", "a")
    def _(event: KeyPressEvent) -> None:
        run_in_terminal(chat.show_alternatives)

    return keys
