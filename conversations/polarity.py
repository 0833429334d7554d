"""Which words turn a sentence round: negations, and words that differ by a negative prefix."""

from __future__ import annotations

from collections.abc import Set

from conversations.text import word_set

NEGATIONS = word_set(
    """
    no nope not never none nothing nobody nor neither without cannot unable
    cant wont dont doesnt didnt isnt arent wasnt werent hasnt havent hadnt couldnt wouldnt shouldnt
    不 没 沒 無 无 未 非 别 別 勿 否 莫
    nicht kein keine keinen keinem keiner nichts nie niemals ohne weder nein
    ne pas non jamais sans aucun aucune rien ni
    nunca jamás sin ningún ninguna nada tampoco mai senza nessun nessuna niente
    não sem nenhum nenhuma nem niet geen nooit zonder niets
    не нет ни без нельзя никогда ничего 불 못 안 없 않
    """
)
_PREFIXES = ("un", "in", "im", "dis", "non", "ir")
_LEAST_LETTERS = 4
"""Of a word before which a prefix negates: "into" is not the opposite of "to"."""


def is_negation(word: str) -> bool:
    """Whether a word, in its normal form, turns its sentence round.

    >>> is_negation("isn't"), is_negation("unopened")
    (True, False)
    """
    return word in NEGATIONS or word.endswith("n't")


def have_opposites(first: Set[str], second: Set[str]) -> bool:
    """Whether a word of one side is a word of the other with a negative prefix.

    >>> have_opposites({"if", "unopened"}, {"opened"}), have_opposites({"into"}, {"to"})
    (True, False)
    """
    return not (second.isdisjoint(without_prefix(first)) and first.isdisjoint(without_prefix(second)))


def without_prefix(words: Set[str]) -> set[str]:
    """What is left of those words that begin as if with a negative prefix: "information" does too.

    >>> sorted(without_prefix({"unopened", "information", "into", "box"}))
    ['formation', 'opened']
    """
    return {
        word.removeprefix(prefix)
        for word in words
        for prefix in _PREFIXES
        if word.startswith(prefix) and len(word) >= len(prefix) + _LEAST_LETTERS
    }
