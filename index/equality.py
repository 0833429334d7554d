"""Which answers count as the same when a ranking is judged: by their words, so that no model judges itself.

Merged answers (`conversations.merging`) are nearly identical; here one may also have a sentence more or less. What
one affirms and the other denies is not the same (`index.contradictions`, where that is measured).
Read by hand, before denials were looked at: of 100 pairs that count as the same in other words (60 of STAR's dev log,
40 of the sample's replay log, tests/benchmarks/equal_pairs.py), 72 gave the same answer, 21 the same reply with
another fact in it (a time, a name, an amount: a desk's answers are to be templates there), 7 another answer. Of 30
pairs of the sample between .5 and .8, the 23 from .6 on gave the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from conversations.merging import AnswerMerger, words_said
from conversations.model import StoredAnswer
from conversations.text import key_tokens
from conversations.word_forms import indexed_form
from index.contradictions import contradict, may_deny

SAME = 0.6
"""Jaccard similarity of two answers' words from which on they count as the same."""
ALIKE = 0.4
"""Similarity from which on an answer is not called wrong while training."""
KEPT = 0.5
"""Share of a suggestion's words that what is sent must keep to be an edit of it; with fewer it was passed over."""
REMEMBERED = 2_048
"""Texts whose words are kept: each candidate is asked for them more than once, and comes again with the next key."""
AT_ONCE = 64
"""Texts compared with all answers in one go: each takes eight bytes an answer."""


def says_the_same(text: str, other: str) -> bool:
    """Whether two answers count as the same.

    >>> says_the_same("It takes five days.", "Yes, it takes five days.")
    True
    >>> says_the_same("It takes five days.", "No, it doesn't take five days.")
    False
    """
    words, others = words_of(text), words_of(other)
    if len(words & others) < SAME * max(len(words | others), 1):
        return False
    return not (any(map(may_deny, words | others)) and contradict(text, other))


def says_any_of(text: str, texts: Iterable[str]) -> bool:
    """Whether an answer says the same as one of some others."""
    return any(says_the_same(text, other) for other in texts)


@lru_cache(maxsize=REMEMBERED)
def words_of(text: str) -> frozenset[str]:
    """The words of an answer, in the form in which answers are compared; of Chinese, Japanese and Korean, which are
    written without blanks, every two neighbouring characters.

    >>> sorted(words_of("明天到达, OK"))
    ['ok', '到达', '天到', '明天']
    """
    return frozenset(key_tokens(indexed_form(text)))


def is_edit_of(text: str, suggestion: str) -> bool:
    """Whether a text was made from a suggestion, told by how many of its words it keeps.

    >>> is_edit_of("It takes seven days, Ann.", "It takes five days."), is_edit_of("Certainly!", "It takes long.")
    (True, False)
    >>> is_edit_of("您的包裹明天到达", "您的包裹今天到达")
    True
    """
    words, own = set(words_said(text)), set(words_said(suggestion))
    return len(words & own) >= KEPT * len(own)


class AnswerEquality:
    """Compares answers with those of a desk."""

    def __init__(self, answers: Iterable[StoredAnswer], withdrawn: Iterable[int] = ()) -> None:
        """Reads the desk's answers.

        Args:
            answers: of the desk.
            withdrawn: ids of those that are out of service, for `equal`: to a copy of one nothing is equal.
        """
        self._withdrawn = frozenset(withdrawn)
        self._vocabulary: dict[str, int] = {}
        self._ids: list[int] = []
        self._texts: list[str] = []
        for answer in answers:
            self._ids.append(answer.id)
            self._texts.append(answer.text)
        words = list(map(words_of, self._texts))
        for said in words:
            for word in said:
                self._vocabulary.setdefault(word, len(self._vocabulary))
        self._place = {identifier: place for place, identifier in enumerate(self._ids)}
        self._by_word = self._rows(words).T.tocsr()
        self._sizes = np.array([len(said) for said in words])
        self._may_deny = _may_deny(words)

    def equal(self, texts: Sequence[str]) -> list[frozenset[int]]:
        """For each text the ids of the desk's answers that say the same.

        A copy of a desk's answer (`conversations.merging`) is that answer, as when it is imported: what is the same
        as one is the same as the other, also without words.

        Args:
            texts: answers, de-identified as the desk's are.
        """
        copied = [self._merger.find(text) for text in texts]
        meant = [text if one is None else self._text(one) for text, one in zip(texts, copied, strict=True)]
        found = self._equal(meant, SAME)
        return [
            ids if one is None else frozenset() if one in self._withdrawn else ids | {one}
            for ids, one in zip(found, copied, strict=True)
        ]

    def like(self, given: Sequence[frozenset[int]], least: float = SAME) -> list[frozenset[int]]:
        """For each set of the desk's answers, these and all others that say the same as one of them.

        Args:
            given: ids of answers.
            least: Jaccard similarity of the words, |A and B| / |A or B|; what contradicts is never the same.
        """
        ids = sorted(frozenset().union(*given))
        of = dict(zip(ids, self._equal(list(map(self._text, ids)), least), strict=True))
        return [own.union(*(of[identifier] for identifier in own)) for own in given]

    @cached_property
    def _merger(self) -> AnswerMerger:
        merger = AnswerMerger()
        for identifier, text in zip(self._ids, self._texts, strict=True):
            merger.add(identifier, text)
        return merger

    def _text(self, identifier: int) -> str:
        return self._texts[self._place[identifier]]

    def _equal(self, texts: Sequence[str], least: float) -> list[frozenset[int]]:
        parts = (texts[begin : begin + AT_ONCE] for begin in range(0, len(texts), AT_ONCE))
        return [ids for part in parts for ids in self._alike(part, least)]

    def _alike(self, texts: Sequence[str], least: float) -> list[frozenset[int]]:
        words = list(map(words_of, texts))
        shared = (self._rows(words) @ self._by_word).toarray()
        union = np.array([len(said) for said in words])[:, None] + self._sizes - shared
        alike = shared >= least * np.maximum(union, 1)
        for row, place in np.argwhere(alike & (_may_deny(words)[:, None] | self._may_deny)).tolist():
            alike[row, place] = not contradict(texts[row], self._texts[place])
        return [frozenset(self._ids[place] for place in np.flatnonzero(row)) for row in alike]

    def _rows(self, words: Sequence[frozenset[str]]) -> csr_matrix:
        """(texts, vocabulary): one where a text holds a word."""
        known = [sorted(self._vocabulary[word] for word in said if word in self._vocabulary) for said in words]
        offsets = np.cumsum([0, *map(len, known)])
        columns = np.fromiter((column for row in known for column in row), np.int64, offsets[-1])
        return csr_matrix((np.ones(len(columns)), columns, offsets), shape=(len(words), len(self._vocabulary)))


def _may_deny(answers: Sequence[frozenset[str]]) -> npt.NDArray[np.bool_]:
    """(answers,): whether one of an answer's words could make it contradict another."""
    return np.array([any(map(may_deny, words)) for words in answers], bool)
