"""How a command ends: exit status 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C, and one plain line each."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress

import click

from bot.options import Session
from conversations.errors import AttendantError, is_out_of_memory
from conversations.text import safe_text

STOPPED = 130
"""What shells report for a program that was ended by Ctrl-C."""

_OF_RUST = re.compile(r"\(os error (\d+)\)")
"""How libraries in Rust, which write models and tokenizers, tell the system's errors."""


def run_guarded(action: Callable[[], object], session: Session) -> int:
    """Runs a command and gives its exit status; whatever it raises becomes one line on stderr."""
    try:
        action()
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        _show_usage_error(error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("stopped; nothing was lost")
        return STOPPED
    except BrokenPipeError:
        # The reader, such as `head`, has what it wanted.
        _silence_stdout()
        return 1
    except Exception as error:
        if session.debug:
            _say(traceback.format_exc())
        message, remedy = _in_words(error)
        if session.as_json:
            _print_json_error(message, remedy)
        _say(f"attendant: {one_line(error)}", one_line=True)
        return 1
    return 0


def one_line(error: Exception) -> str:
    """What went wrong and what to do about it, as a person is told."""
    return " ".join(_in_words(error)).strip()


def _in_words(error: Exception) -> tuple[str, str]:
    """What went wrong, and what to do about it."""
    if isinstance(error, AttendantError):
        return error.message, error.remedy
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"{place}There is no room left on the disk.", "Make room, then run the same command again."
        return f"{place}{error.strerror}.", "Check the path and its permissions."
    if told := _OF_RUST.search(str(error)):
        return _in_words(OSError(int(told[1]), os.strerror(int(told[1]))))
    if is_out_of_memory(error):
        return "There is not enough memory for this.", "Close other programs, or use a smaller --batch-size."
    return f"internal error: {type(error).__name__}: {error}", "(--debug shows where)"


def _show_usage_error(error: click.ClickException) -> None:
    if isinstance(error, click.UsageError) and error.ctx is not None:
        _say(error.ctx.get_usage())
        _say(f"Try: {error.ctx.command_path} --help")
    _say(f"attendant: {error.format_message()}", one_line=True)


def _print_json_error(message: str, remedy: str) -> None:
    try:
        print(json.dumps({"error": message, "remedy": remedy}), flush=True)
    except OSError:
        _silence_stdout()


def _say(text: str, one_line: bool = False) -> None:
    """Prints to stderr, where anybody still reads it."""
    with suppress(OSError, ValueError):
        print(safe_text(text, keep_newlines=not one_line), file=sys.stderr, flush=True)


def _silence_stdout() -> None:
    """Keeps Python from failing once more when it flushes stdout at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
