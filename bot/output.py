"""The two ways out: a screen for people and JSON for scripts. Both are harmless whatever the text holds."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.text import Text

from conversations.finite import finite
from conversations.text import safe_text

_WIDEST = 120
"""Columns of a table that goes into a file or pipe."""


def screen(stderr: bool = False, is_plain: bool = False) -> Console:
    """A console that takes no markup, emoji codes or highlighting from the text that it prints.

    Args:
        stderr: whether it writes there.
        is_plain: whether it writes to a terminal as to a file: no frames, colours or cursor moves, lines as long as
            they are.
    """
    force = False if is_plain else None
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False, force_terminal=force)
    if not console.is_terminal:
        console.width = _WIDEST
    return console


def plain(text: object, style: str = "", one_line: bool = True) -> Text:
    """Text from anywhere as rich may show it: made safe, and never read as markup."""
    return Text(safe_text(str(text), keep_newlines=not one_line), style=style)


def remark(text: str, is_plain: bool = False) -> None:
    """Says something to the person on stderr, beside the output; `is_plain` as for `screen`."""
    console = screen(stderr=True, is_plain=is_plain)
    console.print(plain(f"- {text}", "dim"), soft_wrap=not console.is_terminal)


def print_json(value: object) -> None:
    """Prints a value as one line of JSON in ASCII, numbers that JSON does not have as null."""
    click.echo(json.dumps(finite(value), allow_nan=False))
