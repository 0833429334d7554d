"""Words as they are compared and indexed."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

from conversations.text import plain_letters

_CJK_RUN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
# Thai, Lao, Burmese and Khmer are written without blanks too.
_UNSPACED_RUN = re.compile(r"[\u0e01-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1780-\u17d3]+")

# Marks that people leave out when they type: accents of Latin and Greek letters, stress in Russian and the dots of
# yo, vowel points of Hebrew and Arabic, hamza on alif. All others make another letter, as the breve of short i.
_LEFT_OUT = re.compile(
    "(?<=[a-z\u00c0-\u024f\u0370-\u03ff])[\u0300-\u036f]+"
    "|(?<=[\u0430-\u044f])[\u0300\u0301]+|(?<=\u0435)\u0308"
    "|(?<=[\u05d0-\u05ea])[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]+"
    "|(?<=[\u0621-\u064a\u066e-\u06d3])[\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc]+"
)
_WORD_CATEGORIES = frozenset({"Mn", "Mc", "Co"})


def indexed_form(text: str) -> str:
    """The text with lookalike letters plain, and runs of Chinese, Japanese or Korean as overlapping character pairs.

    >>> indexed_form("iPhone退货吗")
    'iPhone 退货 货吗 '
    """
    return _CJK_RUN.sub(_character_pairs, plain_letters(text))


def folded_form(text: str) -> str:
    """The text as it goes into the word index, and as that is asked: as `indexed_form`, in lower case, without the
    marks that people leave out.

    >>> folded_form("Où est мой заказ, τρόπος?")
    'ou est мой заказ, τροποσ?'
    """
    if text.isascii():
        return text.lower()
    # The marks of kana and hangul come back in the last step.
    bare = _LEFT_OUT.sub("", unicodedata.normalize("NFD", indexed_form(text).lower()))
    return _UNSPACED_RUN.sub(_character_pairs, unicodedata.normalize("NFC", bare).replace("ς", "σ"))


def folded_words(text: str) -> list[str]:
    """The words of a text as the word index has them, in order."""
    runs = groupby(folded_form(text), _is_of_a_word)
    return ["".join(run) for is_word, run in runs if is_word]


def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character) in _WORD_CATEGORIES


def _character_pairs(match: re.Match[str]) -> str:
    run = match.group()
    return " " + " ".join(run[at : at + 2] for at in range(max(1, len(run) - 1))) + " "
