"""The README's pictures: real sessions in a real terminal, drawn as SVG. `make pictures`.

What a session wrote is read by a terminal emulator (pyte), and its screen is drawn by rich.
"""

from __future__ import annotations

import io
import sys
import tempfile
from itertools import groupby
from pathlib import Path

import pyte
from pyte import graphics
from rich.console import Console
from rich.style import Style
from rich.text import Text

sys.path.insert(0, str(Path(__file__).parent / "bot"))
from terminal import ROOT, Terminal

PICTURES = ROOT / "bot" / "pictures"
COLUMNS, ROWS, WIDE = 96, 60, 120
FIRST = "\x1bOP"
"""F1."""
QUESTIONS = ("hi, how do I cancel my order?", "and when do I get my money back?")
UPSET = "that is no help, this is the third time I ask. I want to talk to a real person"
# The emulator knows no faint text. Nothing here is italic, so that stands for it.
graphics.TEXT[2] = "+italics"
_RICH_NAMES = {"default": None, "brown": "yellow", "brightbrown": "bright_yellow"}


def screen_of(raw: bytes, columns: int, rows: int) -> Text:
    """The terminal's screen after a session, empty lines at its end left out."""
    screen = pyte.Screen(columns, rows)
    pyte.ByteStream(screen).feed(raw)
    lines = []
    for row in range(rows):
        cells = (screen.buffer[row][column] for column in range(columns))
        runs = groupby(cells, key=lambda cell: cell._replace(data=""))
        line = Text.assemble(*(("".join(cell.data for cell in run), _style(like)) for like, run in runs))
        line.rstrip()
        lines.append(line)
    while lines and not lines[-1].plain:
        lines.pop()
    return Text("\n").join(lines)


def draw(name: str, title: str, screen: Text, columns: int) -> None:
    """Writes one picture."""
    console = Console(record=True, width=columns, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    console.print(screen, no_wrap=True)
    PICTURES.mkdir(exist_ok=True)
    console.save_svg(str(PICTURES / f"{name}.svg"), title=title, unique_id=name)
    print(f"{PICTURES.relative_to(ROOT) / name}.svg")


def chat_session(home: str) -> None:
    """Two questions that are answered, /why of the second, and then the customer asks for a person."""
    command = ("-m", "bot", "chat", "--desk", "sample", "--home", home)
    with Terminal(*command, columns=COLUMNS, rows=ROWS) as terminal:
        seen = terminal.wait_for("or /help", seconds=120)
        for message in QUESTIONS:
            seen = say(terminal, message, " ms", seen)
        before = len(terminal.raw)
        seen = say(terminal, "/why", "outcome:", seen)
        after = len(terminal.raw)
        say(terminal, UPSET, "Nearest past answers", seen)
        written = terminal.raw
        terminal.type("\x04")
        terminal.exit_status()
    draw("chat", "attendant chat", screen_of(written[:before] + written[after:], COLUMNS, ROWS), COLUMNS)
    draw("why", "/why", screen_of(written[before:after], COLUMNS, ROWS), COLUMNS)


def say(terminal: Terminal, message: str, last: str, seen: int) -> int:
    """Types a line once it is waited for, and reads what it brings; where that ends."""
    terminal.wait_until_it_waits()
    terminal.type(f"{message}\r")
    seen = terminal.wait_for(last, seen)
    terminal.wait_until_it_waits()
    terminal.read_all()
    return seen


def assist_session(home: str) -> None:
    """A customer's question with three suggestions beside it, the second of them sent, and the next being typed."""
    command = ("-m", "bot", "assist", "--desk", "sample", "--home", home)
    with Terminal(*command, columns=WIDE, rows=24) as terminal:
        seen = terminal.wait_for("Ctrl-D leave", seconds=120)
        terminal.wait_until_it_waits()
        terminal.type(f"{QUESTIONS[0]}\r")
        terminal.wait_for("F3", seen)
        terminal.wait_until_it_waits()
        terminal.type(FIRST)
        terminal.wait_until_it_waits()
        terminal.type(QUESTIONS[1])
        terminal.wait_until_it_waits()
        screen = screen_of(terminal.read_all(), WIDE, 24)
        terminal.type("\x03\x04")
        terminal.exit_status()
    draw("assist", "attendant assist", screen, WIDE)


def _style(cell: pyte.screens.Char) -> Style:
    def colour(name: str) -> str | None:
        name = _RICH_NAMES.get(name, name)
        if name is None:
            return None
        return f"#{name}" if len(name) == 6 and all(letter in "0123456789abcdef" for letter in name) else name

    return Style(
        color=colour(cell.fg),
        bgcolor=colour(cell.bg),
        bold=cell.bold,
        underline=cell.underscore,
        reverse=cell.reverse,
        dim=cell.italics,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        with Terminal("-m", "bot", "import", "--sample", "--desk", "sample", "--home", home) as importing:
            assert importing.exit_status(600) == 0, importing.text
        chat_session(home)
        assist_session(home)
