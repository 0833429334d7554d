"""Saving a dialogue: as a log line that `attendant import` reads back, or as a picture of it."""

from __future__ import annotations

import json
import re
from html import unescape
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from bot.output import plain
from conversations.errors import DeskError
from conversations.model import Json

if TYPE_CHECKING:
    from bot.dialogue import Dialogue

SUFFIXES = (".jsonl", ".svg", ".html")
SAY_WHERE = "Say where: /save dialogue.jsonl, or .svg or .html for a picture."
"""What is said to a /save without a name."""
_FONT = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)
_RUN = re.compile(r'textLength="([^"]*)"([^<>]*>)([^<]*)')
"""A run of text in a picture: how long it is drawn, and what it says, in which no mark stands but as an entity."""
_WIDTH = 88
"""Columns of a picture."""


def save_transcript(dialogue: Dialogue, path: Path) -> None:
    """Writes a dialogue to a new file, all of it or none: JSON Lines, SVG or HTML, by its suffix.

    Raises:
        DeskError: nothing was said yet, the suffix is none of these, the file exists, or it cannot be written.
    """
    if not dialogue.turns:
        raise DeskError("Nothing was said yet.", "Ask something first.")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DeskError(f"{path} is no kind of file to save to.", f"End its name in one of: {', '.join(SUFFIXES)}.")
    content = _log_line(dialogue) if suffix == ".jsonl" else _picture(dialogue, suffix)
    try:
        _write_new(content, path)
    except FileExistsError as error:
        raise DeskError(f"{path} is there already.", "Choose another name.") from error
    except OSError as error:
        raise DeskError(f"{path} cannot be written ({error.strerror}).", "Choose another place.") from error


def _write_new(text: str, path: Path) -> None:
    file = path.open("x", encoding="utf-8")
    try:
        with file:
            file.write(text)
    except BaseException:
        # A full disk, or Ctrl-C: half a dialogue would only keep the next try from its name.
        path.unlink(missing_ok=True)
        raise


def _log_line(dialogue: Dialogue) -> str:
    turns = [
        {"role": turn.role, "text": turn.text, **({"at": turn.at} if turn.at else {})} for turn in dialogue.turns
    ]
    meta: dict[str, Json] = {"outcome": dialogue.outcome}
    if dialogue.rejected:
        meta["turned_down"] = [answer.text for answer in dialogue.rejected]
    row = {
        "id": f"{dialogue.source}-{dialogue.key}",
        "source": f"attendant {dialogue.source}",
        "turns": turns,
        "meta": meta,
    }
    if dialogue.customer is not None:
        row["customer"] = dialogue.customer.name
    return json.dumps(row, ensure_ascii=False) + "\n"


def _picture(dialogue: Dialogue, suffix: str) -> str:
    # Drawn on a console of its own, nowhere to be seen: what is on the screen may be cut or coloured otherwise.
    console = Console(record=True, width=_WIDTH, file=StringIO(), markup=False, highlight=False, emoji=False)
    for turn in dialogue.turns:
        if turn.role == "customer":
            console.print(Text.assemble(("you> ", "bold"), plain(turn.text, one_line=False)))
        else:
            console.print(Panel(plain(turn.text, one_line=False), border_style="green"))
    if dialogue.handed_over:
        console.print(plain("handed over", "yellow"))
    title = f"attendant {dialogue.source} {dialogue.key}"
    if suffix == ".html":
        return console.export_html()
    style, end, drawn = console.export_svg(title=title).partition("</style>")
    # The viewer's own font serves: a picture of a customer's dialogue asks no other server for anything.
    return _FONT.sub("", style) + end + _RUN.sub(_as_wide_as_on_the_screen, drawn)


def _as_wide_as_on_the_screen(run: re.Match[str]) -> str:
    # Rich places a run by its columns but draws it as long as it has characters: Chinese in half of its place.
    length, rest, text = run.groups()
    said = unescape(text)
    return f'textLength="{float(length) * cell_len(said) / len(said):g}"{rest}{text}'
