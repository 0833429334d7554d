"""Whether one answer denies what another says, told by their words clause by clause.

A negation turns round the clause that it stands in, not the answer: "Not for that part, I'm afraid. Batteries are
covered for one year." says of batteries what is said without the first sentence. So two answers contradict each other
where a clause of one is like a clause of the other and only one of the two is negated.

Read by hand, of pairs that share enough words to count as the same (tests/benchmarks/equal_pairs.py): of 3,183 of
STAR's dev log this parts 37, of which 35 say another thing ("has a balcony", "does not have a balcony") and two the
same; of 211 of the sample's replay log it parts none, where 44 differ in whether they hold a negation anywhere, and
43 of these give the same answer. Of 2,460 answers to which a negation was added 2,446 were told from what they had
been.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from conversations.merging import words_said
from conversations.polarity import NEGATIONS, have_opposites, is_negation, without_prefix
from conversations.text import plain_letters, word_set

ALIKE = 0.6
"""Jaccard similarity of two clauses' words from which on they are about the same."""
REMEMBERED = 4_096
"""Texts whose clauses are kept: an answer is compared with many."""

_BREAK = re.compile(r"[.!?;:,)]+(?=\s|$)|\s[-\u2013\u2014]+\s|[\n(。！？；：，、…（）]")
_NO_NEGATION = re.compile(
    r"\bno (?:problem|worries|doubt|rush)\b|\b(?:don['’]t|do not) (?:worry|hesitate)\b|\bnot only\b"
    "|非常|[特分区级性个类]别|别[的人]|不[仅但过管论]|无论|对不起|差不多"
    r"|(.)[不没]\1",  # 能不能: whether one can
    re.IGNORECASE,
)
_UNSAID = word_set(
    """
    yes can could will would shall should may might must do does did
    """
)
"""Words that a clause has or lacks with its negation, "you can" and "you cannot"; a bare yes is like a bare no."""


class _Clause(NamedTuple):
    words: frozenset[str]
    """Without negations and what goes with them."""
    is_negated: bool


def contradict(text: str, other: str) -> bool:
    """Whether one of two answers denies what the other says.

    >>> contradict("Yes, you can return it.", "I'm sorry, you can't return it.")
    True
    >>> contradict("No problem. You can return it.", "You can return it.")
    False
    """
    first, second = _clauses(text), _clauses(other)
    return any(_is_denied(one, another) for one in first - second for another in second - first)


@lru_cache(maxsize=1 << 16)
def may_deny(word: str) -> bool:
    """Whether a word, or two neighbouring Chinese characters, could make an answer contradict one without it."""
    return is_negation(word) or not NEGATIONS.isdisjoint(word) or bool(without_prefix({word}))


def _is_denied(one: _Clause, other: _Clause) -> bool:
    common = one.words & other.words
    if len(common) < ALIKE * len(one.words | other.words):
        return False
    # Not available and unavailable are one.
    return (one.is_negated != other.is_negated) != have_opposites(one.words - common, other.words - common)


@lru_cache(maxsize=REMEMBERED)
def _clauses(text: str) -> frozenset[_Clause]:
    clauses = (words_said(clause) for clause in _BREAK.split(_NO_NEGATION.sub(" ", plain_letters(text))))
    return frozenset(
        _Clause(
            frozenset(word for word in words if not is_negation(word) and word not in _UNSAID),
            any(map(is_negation, words)),
        )
        for words in clauses
        if words
    )
