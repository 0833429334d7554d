"""Pages that stand in the place of the dialogue: help, a summary, an explanation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples, split_lines, to_formatted_text
from prompt_toolkit.layout.utils import explode_text_fragments
from prompt_toolkit.utils import get_cwidth

from bot.assist_panes import Lines, cut, dialogue_lines, wrapped
from bot.assisted_dialogue import MOST_NOTES
from bot.output import screen
from bot.steady import unjoined

if TYPE_CHECKING:
    from rich.console import RenderableType

    from conversations.model import Turn


@dataclass(slots=True)
class Page:
    """Something to read until it is closed; made anew when the terminal gets another width."""

    content: RenderableType
    """Text, or what rich draws."""
    said_before: int = 0
    """Turns of the dialogue that were said before it was opened."""
    notes: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=MOST_NOTES))
    """Lines from the program since then, each with the number of turns that were said before it."""
    top: int = 0
    """The first line in sight."""
    _made: tuple[int, Lines] = field(default=(0, []), init=False)
    """The width that it was made for last, and its lines then."""

    def lines(self, width: int, height: int, turns: Sequence[Turn] = ()) -> Lines:
        """The part of it that is in sight, and below it what came since it was opened.

        Args:
            width: columns.
            height: lines.
            turns: of the dialogue that it hides, oldest first.
        """
        news = self._news(turns, width, 2 * height // 3)
        return [*self._in_sight(width, height - len(news)), *news]

    def begin_anew(self, said_before: int) -> None:
        """Takes note that the dialogue that it hides is another one from now on.

        Args:
            said_before: turns that were said in it so far.
        """
        self.said_before = said_before
        self.notes.clear()

    def _news(self, turns: Sequence[Turn], width: int, room: int) -> Lines:
        """What was said and told since, each turn in one line, so that a warning before it stays in sight."""
        first = max(self.said_before, len(turns) - room)
        short = [replace(turn, text=cut(turn.text, width - len("customer> "))) for turn in turns[first:]]
        return dialogue_lines(short, [(place - first, text) for place, text in self.notes], "", width, room)

    def _in_sight(self, width: int, height: int) -> Lines:
        if self._made[0] != width:
            self._made = (width, self._make(width))
        made = self._made[1]
        foot: StyleAndTextTuples = [("dim", cut("PgUp and PgDn scroll, Ctrl-C goes back.", width))]
        room = max(height - 1, 1)
        self.top = max(min(self.top, len(made) - room), 0)
        return [*made[self.top : self.top + room], foot][:height]

    def _make(self, width: int) -> Lines:
        if isinstance(self.content, str):
            return [[("", line)] for line in wrapped(self.content, width)]
        console = screen()
        console.width = width
        with console.capture() as captured:
            console.print(self.content)
        drawn = split_lines(to_formatted_text(ANSI(captured.get())))
        return [part for line in drawn for part in _steady_parts(line, width)]


def _steady_parts(line: StyleAndTextTuples, width: int) -> Iterator[StyleAndTextTuples]:
    """A drawn line without joined emoji; rich counts these as one, so it may be too long then and go on below."""
    part: StyleAndTextTuples = []
    used = 0
    for style, character, *_ in explode_text_fragments(line):
        shown = unjoined(character)
        size = get_cwidth(shown)
        if used + size > width:
            if character.isspace():
                continue
            yield part
            part, used = [], 0
        part.append((style, shown))
        used += size
    yield part
