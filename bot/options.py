"""What all commands share: the session they run in, and the options that several have."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from conversations.desk import Desk

DESK_RANKERS = "cross-attention, retrieval, cosine or bm25"
"""What a desk's answers can be ranked with, for help texts."""

_RUN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class Session:
    """How this run of the command line was asked to behave."""

    home: Path | None = None
    """Where desks are kept, if it was said; None for the default."""
    as_json: bool = False
    debug: bool = False

    def home_path(self) -> Path:
        """Where desks are kept."""
        from conversations.desk import default_home

        return self.home or default_home()

    def open_desk(self, name: str) -> Desk:
        """A desk that exists.

        Raises:
            DeskError: there is no such desk, or it cannot have that name.
        """
        from conversations.desk import Desk

        return Desk.open(self.home_path(), name)


def common_options(command: Command) -> Command:
    """Adds --home, --json and --debug: to the group and to every command, since people type them last."""
    for decorate in (
        click.option(
            "--home",
            type=click.Path(file_okay=False, path_type=Path),
            callback=_keep_home,
            is_eager=True,
            expose_value=False,
            help="Directory of all desks; also ATTENDANT_HOME.  [default: the platform's data directory]",
        ),
        _flag("--json", "as_json", "Print JSON for scripts."),
        _flag("--debug", "debug", "Show where an error came from."),
    ):
        command = decorate(command)
    return command


def desk_option(command: Command) -> Command:
    """Adds --desk."""
    decorate = click.option(
        "--desk", "desk_name", metavar="NAME", default="default", show_default=True, help="Whose knowledge to use."
    )
    return decorate(command)


def customer_option(required: bool = False) -> Callable[[Command], Command]:
    """Adds --customer."""
    return click.option(
        "--customer",
        metavar="ID",
        required=required,
        callback=_named,
        help="The customer, by the id in the logs.",
    )


def ranker_option(command: Command) -> Command:
    """Adds --ranker for one desk's pipeline."""
    decorate = click.option("--ranker", metavar="NAME", help=f"{DESK_RANKERS}.  [default: the desk's model]")
    return decorate(command)


def feedback_option(command: Command) -> Command:
    """Adds --no-feedback."""
    decorate = click.option(
        "--feedback/--no-feedback",
        "with_feedback",
        default=True,
        help="Whether what people made of answers before moves them.  [default: it does]",
    )
    return decorate(command)


def run_name(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """A name for a stored run that cannot be mistaken for a number or for `latest`."""
    if value is not None and value.partition("~")[0] == "latest":
        said = "latest is what the newest run is called by anyhow: use another name, such as this-week."
        raise click.BadParameter(said, context, parameter)
    if value is not None and (not _RUN_NAME.fullmatch(value) or value.isdecimal()):
        raise click.BadParameter("use letters, digits, '-', '_' and '.', not digits alone.", context, parameter)
    return value


def example(*lines: str) -> str:
    """The closing part of a command's help, kept line by line."""
    return "\n".join(["\b", "Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)])


def _named(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuses an empty name, as an unset shell variable gives: it would pass for nobody."""
    if value is not None and not value.strip():
        raise click.BadParameter("the id is empty.", context, parameter)
    return value


def _keep_home(context: click.Context, parameter: click.Parameter, value: Path | None) -> None:
    if value is None:
        return
    if value == Path():
        raise click.BadParameter("the directory has no name.", context, parameter)
    from conversations.desk import at_home

    context.ensure_object(Session).home = at_home(value)


def _flag(name: str, attribute: str, text: str) -> Callable[[Command], Command]:
    def keep(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            setattr(context.ensure_object(Session), attribute, True)

    return click.option(name, is_flag=True, callback=keep, is_eager=True, expose_value=False, help=text)
