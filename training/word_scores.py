"""BM25 over a data set's answers, and what it says of answers that are planted beside them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
_K1, _B = 1.2, 0.75
"""As SQLite, which serves a desk."""


class WordScores:
    """BM25 of questions against answers; how rare a word is and how long an answer, only the genuine ones say."""

    def __init__(self, answers: Sequence[str], planted: Sequence[str] = ()) -> None:
        """Counts words.

        Args:
            answers: rows from 0.
            planted: rows after these.
        """
        import bm25s

        logging.getLogger("bm25s").setLevel(logging.WARNING)
        self._bm25 = bm25s.BM25(k1=_K1, b=_B)
        counted = bm25s.tokenize(list(answers), stopwords=None, show_progress=False)
        self._columns: dict[str, int] = {}
        if any(counted.ids):
            self._bm25.index(counted, show_progress=False)
            self._columns = self._bm25.vocab_dict
        self._answers = len(answers)
        self._mean_length = max(sum(map(len, counted.ids)) / self._answers, 1.0)
        self._planted = [Counter(words) for words in _words_of(planted)]

    def of(self, question: str, rows: npt.NDArray[np.int64]) -> Floats:
        """The score of each of some rows: (rows,)."""
        (words,) = _words_of([question])
        scores = np.zeros(len(rows), np.float32)
        is_planted = rows >= self._answers
        if known := [word for word in words if word in self._columns]:
            scores[~is_planted] = self._bm25.get_scores(known)[rows[~is_planted]]
        for place in np.flatnonzero(is_planted):
            scores[place] = self._of_planted(words, self._planted[rows[place] - self._answers])
        return scores

    def _of_planted(self, words: Sequence[str], said: Counter[str]) -> float:
        """Robertson's BM25 in the form of Lucene, as bm25s computes it of the others."""
        length = _K1 * (1.0 - _B + _B * said.total() / self._mean_length)
        return sum(self._rarity(word) * said[word] / (said[word] + length) for word in words if word in said)

    def _rarity(self, word: str) -> float:
        holding = 0
        if (column := self._columns.get(word)) is not None:
            begin, end = self._bm25.scores["indptr"][column : column + 2]
            holding = int(end - begin)
        return float(np.log1p((self._answers - holding + 0.5) / (holding + 0.5)))


def _words_of(texts: Sequence[str]) -> list[list[str]]:
    import bm25s

    found: list[list[str]] = bm25s.tokenize(list(texts), stopwords=None, return_ids=False, show_progress=False)
    return found
