"""Text shaded by how much each of its words was attended to."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rich.text import Text

from conversations.text import safe_text

_SHADES = (
    (0.75, "bold reverse not dim"),
    (0.45, "bold underline not dim"),
    (0.2, "bold not dim"),
    (0.05, "not dim"),
    (0.0, "dim"),
)
"""Styles from a share of the heaviest word's weight on. No colours: they hold on light and dark terminals."""
_AHEAD = 80
"""Characters in which the next word is looked for: a word that was mended may stand elsewhere as it is."""


def shaded(text: str, words: Sequence[tuple[str, float]], heaviest: float) -> Text:
    """A text in one line with its words shaded.

    Args:
        text: as it was said, in one line.
        words: as the encoder read them, in their order, each with its weight; those that are not found in the text,
            such as a mended typo, are passed over.
        heaviest: the weight that is drawn darkest.

    >>> drawn = shaded("My Café lamp", [("cafe", 0.4), ("lamp", 0.1)], 0.4)
    >>> [(span.start, span.end, span.style) for span in drawn.spans]
    [(3, 7, 'bold reverse not dim'), (8, 12, 'bold not dim')]
    """
    line = safe_text(text, keep_newlines=False)
    drawn = Text(line, style="dim")
    letters = "".join(_plain_letter(letter) for letter in line)
    begin = 0
    for word, weight in words:
        found = letters.find("".join(_plain_letter(letter) for letter in word), begin, begin + _AHEAD)
        if found < 0:
            continue
        begin = found + len(word)
        share = weight / heaviest if heaviest > 0 else 0.0
        drawn.stylize(next(style for least, style in _SHADES if share >= least), found, begin)
    return drawn


def _plain_letter(letter: str) -> str:
    """One small letter without its accent, so that places in the text stay what they are."""
    return unicodedata.normalize("NFD", letter)[0].lower()[:1]
