"""Pages that stand in the place of the dialogue: help, a summary, an explanation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from prompt_toolkit.formatted_text import ANSI, StyleAndTextTuples, split_lines, to_formatted_text
from prompt_toolkit.layout.utils import explode_text_fragments
from prompt_toolkit.utils import get_cwidth

from bot.assist_panes import Lines, cut, dialogue_lines, wrapped
from bot.assisted_dialogue import BEGINNING, SoFar
from bot.output import screen
from bot.steady import unjoined

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bot.assisted_dialogue import AssistedDialogue


@dataclass(slots=True)
class Page:
    """Something to read until it is closed; made anew when the terminal gets another width."""

    content: RenderableType
    """Text, or what rich draws."""
    since: SoFar = BEGINNING
    """How far the dialogue that it hides had come when it was asked for."""
    top: int = 0
    """The first line in sight."""
    _made: tuple[int, Lines] = field(default=(0, []), init=False)
    """The width that it was made for last, and its lines then."""

    def lines(self, width: int, height: int, hidden: AssistedDialogue | None = None) -> Lines:
        """The part of it that is in sight, and below it what came since it was asked for.

        Args:
            width: columns.
            height: lines.
            hidden: the dialogue in whose place it stands.
        """
        news = self._news(hidden, width, 2 * height // 3) if hidden is not None else []
        return [*self._in_sight(width, height - len(news)), *news]

    def _news(self, hidden: AssistedDialogue, width: int, room: int) -> Lines:
        """What was said and told since, each turn in one line, so that a warning before it stays in sight."""
        # In a dialogue that began since, all is new.
        before = self.since if self.since.dialogue == hidden.key else BEGINNING
        first = max(before.said, len(hidden.turns) - room)
        short = [replace(turn, text=cut(turn.text, width - len("customer> "))) for turn in hidden.turns[first:]]
        notes = [(place - first, text) for place, text in hidden.noted_since(before.noted)]
        return dialogue_lines(short, notes, "", width, room)

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
