"""Mending slips of the finger before a message is read: one wrong, missing, doubled or exchanged letter in a word.

Norvig 2007, "How to Write a Spelling Corrector": the words at one edit's distance are made and looked up. Only a
word that neither the desk nor the encoder knows is touched, and only towards one that stands in the desk, so names,
product codes and whatever else customers may mean stay as they are. What people see is never changed, only what is
searched with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from functools import lru_cache
from typing import Any

from conversations.model import Turn
from conversations.store import Store
from index.embedder import Embedder

SHORTEST = 4
"""Letters of a word from which on it is mended; shorter ones have too many neighbours."""
LONGEST = 30
"""A longer run of letters is no word, and would only cost time."""
KNOWN_FROM = 2
"""Times a word must stand in the desk to be known."""
SLIP = 50
"""A word that the encoder does not know is a slip in the log itself where a neighbour is so many times as usual."""
MOST_WORDS = 6
"""Unknown words of a message past which it is not mended: it is in another language, or not in any."""
Frequencies = Callable[[Sequence[str]], Mapping[str, int]]

_WORD = re.compile(r"[^\W\d_]+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_KEPT = 4_096


class Spelling:
    """Mends messages towards the words of one desk."""

    def __init__(self, frequencies: Frequencies, general: Set[str]) -> None:
        """Remembers where words are looked up.

        Args:
            frequencies: how often each of some lower-case words stands in the desk, without those that do not.
            general: words of the encoder's vocabulary (`encoder_words`).
        """
        self._frequencies = frequencies
        self._general = general
        self.mended = lru_cache(_KEPT)(self._mended)

    def mended_dialogue(self, dialogue: Sequence[Turn]) -> tuple[Turn, ...]:
        """The dialogue with the customer's turns mended."""
        return tuple(
            replace(turn, text=self.mended(turn.text)) if turn.role == "customer" else turn for turn in dialogue
        )

    def _mended(self, text: str) -> str:
        """The text with every unknown word that one edit makes a known one replaced by it.

        >>> desk = {"parcel": 9, "where": 4, "refund": 5}
        >>> spelling = Spelling(lambda words: {word: desk[word] for word in words if word in desk}, set())
        >>> spelling.mended("Wheer is my parecl, XJ-9?")
        'Where is my parcel, XJ-9?'
        """
        words = {word for word in words_in(text) if SHORTEST <= len(word) <= LONGEST}
        found = self._frequencies(sorted(words))
        strange = [word for word in sorted(words) if word not in self._general]
        if not strange or len(strange) > MOST_WORDS:
            return text
        better = {word: self._nearest(word, found.get(word, 0)) for word in strange}
        return _WORD.sub(lambda match: _in_case(match[0], better.get(match[0].lower())), text)

    def _nearest(self, word: str, times: int) -> str | None:
        """The most usual word of the desk at one edit's distance; None where this one is as good."""
        found = self._frequencies(sorted(edits(word)))
        best = max(found, key=lambda one: (found[one], one in self._general), default=None)
        least = KNOWN_FROM if times < KNOWN_FROM else SLIP * times
        return best if best is not None and found[best] >= least else None


def desk_spelling(store: Store, embedder: Embedder) -> Spelling:
    """Mends towards the words of a desk."""
    return Spelling(store.word_frequencies, encoder_words(embedder.tokenizer))


def words_in(text: str) -> list[str]:
    """The words of a text in lower case, as the spelling counts them; without names written in capitals.

    >>> words_in("Is the TSP a good plan?")
    ['is', 'the', 'a', 'good', 'plan']
    """
    is_shouted = text.isupper()
    return [word.lower() for word in _WORD.findall(text) if is_shouted or not (len(word) > 1 and word.isupper())]


def edits(word: str) -> set[str]:
    """All strings that one slip of the finger could have turned into this word; its first letter is believed.

    >>> {"parcel", "parsley"} & edits("parecl")
    {'parcel'}
    """
    splits = [(word[:place], word[place:]) for place in range(1, len(word) + 1)]
    left_out = {head + tail[1:] for head, tail in splits if tail}
    exchanged = {head + tail[1] + tail[0] + tail[2:] for head, tail in splits if len(tail) > 1}
    wrong = {head + letter + tail[1:] for head, tail in splits if tail for letter in _LETTERS}
    missing = {head + letter + tail for head, tail in splits for letter in _LETTERS}
    return (left_out | exchanged | wrong | missing) - {word}


def encoder_words(tokenizer: Any) -> frozenset[str]:  # noqa: ANN401 - of any kind
    """Whole words of a tokenizer's vocabulary, in lower case."""
    vocabulary = tokenizer.get_vocab()
    # Pieces inside a word are marked in some vocabularies (##ing), starts of a word in others (\u2581the).
    starts = "\u2581" if any(token.startswith("\u2581") for token in vocabulary) else ""
    words = (token.removeprefix(starts) for token in vocabulary if token.startswith(starts))
    return frozenset(word.lower() for word in words if word.isalpha() and len(word) >= 3)


def _in_case(written: str, word: str | None) -> str:
    if word is None:
        return written
    if written.isupper():
        return word.upper()
    return word.capitalize() if written[0].isupper() else word
