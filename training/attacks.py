"""Messages as they are really typed, and as somebody types them who wants to confuse a ranker.

Each attack takes a text and a seeded generator and returns the text changed; the meaning stays readable for a person.
The character edits follow Pruthi et al. 2019, "Combating Adversarial Misspellings with Robust Word Recognition": one
edit inside one word of four letters or more, its first and last letters untouched.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Attack = Callable[[str, random.Random], str]

_WORD = re.compile(r"[^\W\d_]{4,}")
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
# Not derived from what `conversations.text` undoes: an attack that the defence defines measures nothing.
_LOOKALIKES = str.maketrans(
    "aceiopsxyABCEHIKMOPTX",
    "\u0430\u0441\u0435\u0456\u043e\u0440\u0455\u0445\u0443"
    "\u0410\u0412\u0421\u0415\u041d\u0406\u041a\u041c\u041e\u0420\u0422\u0425",
)
_ZERO_WIDTH_SPACE = "\u200b"


def neighbours(letter: str) -> str:
    """Letters beside this one on a QWERTY keyboard, in the same case; none for other letters.

    >>> neighbours("g"), neighbours("Q"), neighbours("é")
    ('fh', 'W', '')
    """
    for row in _KEYBOARD:
        place = row.find(letter.lower())
        if place >= 0:
            beside = row[max(place - 1, 0) : place] + row[place + 1 : place + 2]
            return beside.upper() if letter.isupper() else beside
    return ""


def typo(text: str, generator: random.Random) -> str:
    """One letter replaced by its neighbour on the keyboard."""

    def edit(word: str, place: int) -> str:
        return word[:place] + generator.choice(neighbours(word[place]) or word[place]) + word[place + 1 :]

    return _inside_a_word(text, generator, edit)


def swap(text: str, generator: random.Random) -> str:
    """Two neighbouring letters of a word exchanged."""
    return _inside_a_word(
        text, generator, lambda word, place: word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    )


def deletion(text: str, generator: random.Random) -> str:
    """One letter of a word left out."""
    return _inside_a_word(text, generator, lambda word, place: word[:place] + word[place + 1 :])


def homoglyphs(text: str, generator: random.Random) -> str:
    """Every Latin letter that has a Cyrillic lookalike replaced by it, in half of the words."""
    return _WORD.sub(lambda found: found[0].translate(_LOOKALIKES) if generator.random() < 0.5 else found[0], text)


def invisible(text: str, generator: random.Random) -> str:
    """A character that nobody sees inside half of the words."""

    def split(found: re.Match[str]) -> str:
        place = generator.randrange(1, len(found[0]))
        return found[0][:place] + _ZERO_WIDTH_SPACE + found[0][place:] if generator.random() < 0.5 else found[0]

    return _WORD.sub(split, text)


def capitals(text: str, generator: random.Random) -> str:
    """Everything shouted."""
    del generator
    return text.upper()


def no_punctuation(text: str, generator: random.Random) -> str:
    """All punctuation left out, and no capitals.

    >>> no_punctuation("Where's my parcel, please?", random.Random(0))
    'wheres my parcel please'
    """
    del generator
    return re.sub(r"[^\w\s<>]", "", text).lower()


def _inside_a_word(text: str, generator: random.Random, edit: Callable[[str, int], str]) -> str:
    """One edit at an inner letter of one long word; a text without such a word stays as it is."""
    words = list(_WORD.finditer(text))
    if not words:
        return text
    found = generator.choice(words)
    place = generator.randrange(1, len(found[0]) - 2)
    return text[: found.start()] + edit(found[0], place) + text[found.end() :]


def copied_question(text: str, generator: random.Random) -> str:
    """The question itself, posing as its answer."""
    del generator
    return text


def stuffing(text: str, generator: random.Random) -> str:
    """The question's words three times over in no order: found by every search, and no answer to anything."""
    words = 3 * re.findall(r"[^\W_]+", text)
    generator.shuffle(words)
    return " ".join(words)


ATTACKS: dict[str, Attack] = {
    "typo": typo,
    "swap": swap,
    "deletion": deletion,
    "homoglyphs": homoglyphs,
    "invisible": invisible,
    "capitals": capitals,
    "no-punctuation": no_punctuation,
}
"""By the names that `attendant evaluate --attack` takes."""
PLANTED: dict[str, Attack] = {"copied-question": copied_question, "stuffing": stuffing}
"""What somebody plants among the candidates, made from the question; by the same kind of names."""
