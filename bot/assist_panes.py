"""What stands in the panes of `attendant assist`, as lines of a given width. Nothing here is read as markup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout.controls import UIContent, UIControl
from prompt_toolkit.utils import get_cwidth

from bot.present import in_words, per_cent
from bot.steady import steady

if TYPE_CHECKING:
    from bot.suggestions import Suggestion
    from conversations.model import Turn

Lines = list[StyleAndTextTuples]

LOW = 10
"""Lines of a dialogue below which a note gets one only, so that what was said stays in sight."""
_NAMES = {"customer": "customer", "agent": "you"}
# A blank, a character of a script without blanks or an emoji, or a run of anything else.
_PIECES = re.compile("[^\\S\n]+|[\u2e80-\uffef\U0001f000-\U0003ffff]|[^\\s\u2e80-\uffef\U0001f000-\U0003ffff]+")


class Pane(UIControl):
    """Shows lines that are made anew for the space there is."""

    def __init__(self, lines: Callable[[int, int], Lines]) -> None:
        """Takes what makes at most (height) lines of at most (width) columns."""
        self._lines = lines

    def create_content(self, width: int, height: int | None) -> UIContent:
        """The lines for this space."""
        lines = self._lines(max(width, 1), max(height or 1, 1))
        return UIContent(get_line=lambda row: lines[row], line_count=len(lines), show_cursor=False)


def wrapped(text: str, width: int) -> list[str]:
    r"""Text in lines of at most so many columns, broken at blanks where there are any.

    >>> wrapped("where is my parcel?", 9)
    ['where is', 'my', 'parcel?']
    >>> wrapped("我的包裹在哪里", 6)
    ['我的包', '裹在哪', '里']

    What is indented stays so in all its lines, where that leaves it half of the width.

    >>> wrapped("my:\n  where is it?", 10)
    ['my:', '  where is', '  it?']
    """
    return [line for paragraph in steady(text).split("\n") for line in _wrapped_paragraph(paragraph, width)]


def _wrapped_paragraph(text: str, width: int) -> Iterator[str]:
    indent = text[: len(text) - len(text.lstrip())]
    # A wide character needs two columns.
    if text.strip() and 0 < get_cwidth(indent) <= min(width // 2, width - 2):
        yield from (indent + line for line in _wrapped_paragraph(text.lstrip(), width - get_cwidth(indent)))
        return
    line, used = "", 0
    for piece in _PIECES.findall(text):
        size = get_cwidth(piece)
        if used + size > width and line.strip():
            yield line.rstrip()
            line, used = "", 0
        if not line and piece.isspace():
            continue
        rest = piece
        while size > width and len(rest) > 1:
            head = fitting(rest, width) or rest[0]
            yield head
            rest = rest[len(head) :]
            size = get_cwidth(rest)
        line, used = line + rest, used + size
    yield line.rstrip()


def fitting(text: str, width: int) -> str:
    """As much of the beginning of a text as fits."""
    used = 0
    for place, character in enumerate(text):
        used += get_cwidth(character)
        if used > width:
            return text[:place]
    return text


def cut(text: str, width: int) -> str:
    """One line that fits, with an ellipsis where something is missing.

    >>> cut("where is my parcel?", 9)
    'where is…'
    """
    line = " ".join(steady(text).split())
    return line if get_cwidth(line) <= width else f"{fitting(line, width - 1).rstrip()}…"


def dialogue_lines(
    turns: Sequence[Turn], notes: Sequence[tuple[int, str]], typing: str, width: int, height: int, scrolled: int = 0
) -> Lines:
    """The end of a dialogue, from the bottom up, as far as there is room.

    Args:
        turns: oldest first.
        notes: lines from the program, each with the number of turns that were said before it.
        typing: what the customer is writing.
        width: columns.
        height: lines.
        scrolled: how many lines at the end are out of sight.
    """
    lines: Lines = []
    for block in _blocks_from_the_end(turns, notes, typing, width, height < LOW):
        lines[:0] = block
        if len(lines) >= height + scrolled:
            break
    end = max(len(lines) - scrolled, min(height, len(lines)))
    return lines[max(end - height, 0) : end]


def _blocks_from_the_end(
    turns: Sequence[Turn], notes: Sequence[tuple[int, str]], typing: str, width: int, is_low: bool
) -> Iterator[Lines]:
    remaining = list(notes)
    if typing:
        yield _said("customer, typing", "bold italic", typing, width)
    for place in range(len(turns), -1, -1):
        while remaining and remaining[-1][0] >= place:
            note = f"- {remaining.pop()[1]}"
            yield [[("dim", line)] for line in ([cut(note, width)] if is_low else wrapped(note, width))]
        if place:
            turn = turns[place - 1]
            yield _said(_NAMES[turn.role], "bold" if turn.role == "customer" else "bold underline", turn.text, width)


def _said(name: str, style: str, text: str, width: int) -> Lines:
    lines = wrapped(f"{name}> {text}", width)
    head = f"{name}>"
    if not lines[0].startswith(head):
        return [[("", line)] for line in lines]
    first: StyleAndTextTuples = [(style, head), ("", lines[0][len(head) :])]
    rest: Lines = [[("", line)] for line in lines[1:]]
    return [first, *rest]


def suggestion_lines(best: Sequence[Suggestion], otherwise: str, width: int, height: int) -> Lines:
    """The suggestions, each with its key, confidence, words and source, in a fair share of the lines.

    Args:
        best: best first.
        otherwise: what stands there where there are none.
        width: columns.
        height: lines.
    """
    if not best:
        lines: Lines = [[("dim", line)] for line in wrapped(otherwise, width)]
        return lines[:height]
    if height < 2 * len(best):
        rows = [f"F{number} {per_cent(one.chance)}  {one.answer.text}" for number, one in enumerate(best, 1)]
        return [[("", cut(row, width))] for row in rows[:height]]
    blocks = [_suggestion(number, one, width) for number, one in enumerate(best, start=1)]
    shares = fair_shares([len(block) for block in blocks], height)
    return [line for block, share in zip(blocks, shares, strict=True) for line in _shortened(block, share)]


def _suggestion(number: int, one: Suggestion, width: int) -> Lines:
    head: StyleAndTextTuples = [
        ("reverse bold", f" F{number} "),
        ("bold", cut(f" {in_words(one.chance)}", width - 4)),
    ]
    body: Lines = [[("", line)] for line in wrapped(one.answer.text, width - 1)]
    return [head, *body, [("dim", cut(one.source, width))], []]


def _shortened(block: Lines, share: int) -> Lines:
    """A suggestion in fewer lines: its head stays, its source where there is room, and as many words as can."""
    if share >= len(block):
        return block
    head, *body, source, _ = block
    if share >= len(body) + 2:
        return [head, *body, source]
    room = max(share - (2 if share >= 4 else 1), 0)
    words = body[:room]
    if words and room < len(body):
        words[-1] = [*words[-1], ("dim", "…")]
    return [head, *words, *([source] if share >= 4 else [])][:share]


def fair_shares(wanted: Sequence[int], height: int) -> list[int]:
    """Lines for each of several blocks: what one does not need goes to the others.

    >>> fair_shares([3, 20, 20], 23)
    [3, 10, 10]
    """
    shares = [0] * len(wanted)
    left = height
    smallest_first = sorted(range(len(wanted)), key=lambda place: wanted[place])
    for waiting, place in zip(range(len(wanted), 0, -1), smallest_first, strict=True):
        shares[place] = min(wanted[place], left // waiting)
        left -= shares[place]
    return shares


def status_line(parts: Sequence[str], width: int) -> Lines:
    """What is to be known at a glance, in one line."""
    return [[("reverse", cut(" · ".join(part for part in parts if part), width)), ("reverse", " " * width)]]
