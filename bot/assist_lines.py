"""Where the lines of `attendant assist --plain` come from, with what a followed log says beside them."""

from __future__ import annotations

import sys
import threading
from contextlib import nullcontext, suppress
from types import TracebackType

from prompt_toolkit import PromptSession
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import patch_stdout

from bot.assist_commands import PUT_ASIDE, called
from bot.assist_plain import PlainAssist
from bot.chat_input import color_depth, editing_keys, read_piped, read_typed
from bot.failures import one_line
from bot.following import FollowedLog
from bot.steady import SteadyInput


def read_lines(assist: PlainAssist, history: History | None, log: FollowedLog | None) -> None:
    """Takes lines, and what a followed log says beside them, to /quit; without a log to the end of the lines.

    Args:
        assist: takes them.
        history: of what was typed before; None where stdin is no terminal.
        log: what is followed, if anything; it is closed in the end.

    Raises:
        Exception: what went wrong with the followed log, once the lines have come to their end.
    """
    # What the log says is printed above the line that is being typed.
    with (
        patch_stdout(raw=True) if history is not None else nullcontext(),
        _Follower(assist, log) if log is not None else nullcontext() as follower,
    ):
        if history is not None:
            line = _TypedLine(assist, history)
            assist.assist.put_aside = line.put_aside
            read_typed(assist, line.session)
        elif not read_piped(assist, sys.stdin) and follower is not None:
            follower.wait()


class _Follower:
    """Follows a log on a thread of its own; use as a context manager, which raises what went wrong there."""

    def __init__(self, assist: PlainAssist, log: FollowedLog) -> None:
        self._assist = assist
        self._log = log
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._is_waited_for = False
        """Whether nothing is left to do but to follow."""
        self._error: Exception | None = None

    def __enter__(self) -> _Follower:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if error is None and self._error is not None:
            raise self._error

    def wait(self) -> None:
        """Waits until following ends."""
        self._is_waited_for = True
        self._thread.join()

    def _follow(self) -> None:
        try:
            self._assist.follow(self._log, self._stop)
        except Exception as error:
            self._error = error
            if not self._is_waited_for:
                # Whoever writes lines must not wait for suggestions that never come. Raised it is at the end.
                with suppress(OSError):
                    self._assist.tell(f"{one_line(error)} The log is no longer followed.")
        finally:
            self._log.close()


class _TypedLine:
    """The input line, with nothing drawn around it; what is begun for one customer is not taken for the next."""

    def __init__(self, assist: PlainAssist, history: History) -> None:
        self._assist = assist
        self._was_cut_off = False
        """Whether the line was put aside in its midst, so that what is written next may be its rest."""
        self.session: PromptSession[str] = PromptSession(
            "> ",
            history=history,
            key_bindings=self._keys(),
            input_processors=[SteadyInput()],
            reserve_space_for_menu=0,
            color_depth=color_depth(is_plain=True),
        )

    def put_aside(self) -> None:
        """Puts what is being typed into the history; called on the thread that follows the log."""
        loop = self.session.app.loop
        if self.session.app.is_running and loop is not None:
            # It may have been taken by now.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._put_aside)

    def _put_aside(self) -> None:
        typed = self.session.default_buffer
        if typed.text:
            self._was_cut_off = True
            typed.reset(append_to_history=True)
            self._assist.tell(PUT_ASIDE)

    def _keys(self) -> KeyBindings:
        keys = editing_keys()

        @keys.add("enter", filter=has_focus(DEFAULT_BUFFER) & Condition(lambda: self._was_cut_off))
        def _(event: KeyPressEvent) -> None:
            self._was_cut_off = False
            text = event.current_buffer.text
            if text.strip() and not called(text):
                self._assist.tell("Another dialogue began: Enter again takes this line in it.")
            else:
                event.current_buffer.validate_and_handle()

        return keys
