"""The command line: `attendant COMMAND`.

Decisions:
- Each command is a module of `bot.commands` that imports heavy parts only when it runs, so that `attendant --help`
  answers at once.
- Every way in which a command can end is in `bot.failures`.
"""

from __future__ import annotations

import atexit
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from importlib import metadata
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

import click

from bot.failures import run_guarded
from bot.options import Session, common_options, example
from conversations.errors import AttendantError

COMMANDS = {
    "import": "import_logs",
    "ask": "ask",
    "chat": "chat",
    "assist": "assist",
    "replay": "replay",
    "compare": "compare",
    "runs": "runs",
    "tune": "tune",
    "train": "train",
    "models": "models",
    "evaluate": "evaluate",
    "gaps": "gaps",
    "monitor": "monitor",
    "answers": "answers",
    "withdraw": "withdraw",
    "forget": "forget",
    "doctor": "doctor",
    "desks": "desks",
}
"""Every command and the module of `bot.commands` that holds it, in the order of their first use."""


class CommandGroup(click.Group):
    """A group whose commands are modules, loaded when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Loads one command, or None if there is none of that name."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(f"bot.commands.{module}").command
        return command


def _show_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    try:
        version = metadata.version("attendant")
    except metadata.PackageNotFoundError:
        version = "(not installed)"
    click.echo(f"attendant {version}")
    context.exit()


@click.command(
    cls=CommandGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=example(
        "attendant import LOGS --desk acme",
        'attendant ask "where is my parcel?" --desk acme',
        "attendant chat --desk acme",
    ),
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
@common_options
@click.pass_context
def cli(context: click.Context) -> None:
    """Answers customers with a support team's own best past answers."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        context.exit(2)


def _open_closed_streams() -> None:
    """Makes a closed stdin an empty one, and lets what goes to a closed stdout or stderr go nowhere."""
    # In this order each takes the descriptor that is its own: left free, the next file to be opened, such as the
    # desk's store, would get it, and with it what a library prints.
    nothing = Path(os.devnull)
    sys.stdin = sys.stdin or nothing.open()
    sys.stdout = sys.stdout or nothing.open("w")
    sys.stderr = sys.stderr or nothing.open("w")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The command `attendant`.

    Args:
        arguments: without the program's name; by default those of this process.
    """
    has_stdout = sys.stdout is not None
    _open_closed_streams()
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Text in a script that the terminal's encoding lacks must not end the program.
            stream.reconfigure(errors="replace")
    session = Session()
    given = list(sys.argv[1:] if arguments is None else arguments)

    def run() -> None:
        if not has_stdout:
            raise AttendantError("There is no stdout to write to.", "Let it go to a file, or to /dev/null.")
        with cli.make_context("attendant", given, obj=session) as context:
            cli.invoke(context)

    status = run_guarded(run, session)
    # Registered last, so called first: Ctrl-C while libraries clean up would only print where it struck.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    sys.exit(status)
