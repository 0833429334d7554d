"""Search by words: SQLite's FTS5 with bm25, quick on common words and at home in Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from conversations.database import DeskFile
from conversations.store_reading import in_pages, marks
from conversations.word_forms import folded_form, folded_words

_MOST_WORDS = 16
_MOST_POSTINGS = 5_000
"""Rows that one query may touch, all its words together: what keeps it within milliseconds."""
_COMMON_SHARE = 0.15
"""A word in more of the pairs than this says little and costs most; it is used only where no rarer one is
left."""
_NEVER_COMMON = 300
"""Rows that cost nothing, however large their share of a small desk."""
_LONGEST_QUERY = 2_000
_MOST_FREQUENCIES = 20_000
"""Words whose frequencies are remembered: of a log without end ever new ones are asked for."""


class WordSearch:
    """The word index of one desk."""

    def __init__(self, file: DeskFile) -> None:
        self._file = file
        self._frequency = lru_cache(_MOST_FREQUENCIES)(self._count)
        self._pairs = 0
        self._version: int | None = None

    def add(self, rows: list[tuple[int, str, str]]) -> None:
        """Adds pairs: id, question, answer."""
        self._file.run_many(
            "INSERT INTO pair_words (rowid, question, answer) VALUES (?, ?, ?)",
            [(pair, folded_form(question), folded_form(answer)) for pair, question, answer in rows],
        )
        self._version = None

    def remove(self, rows: list[tuple[int, str, str]]) -> None:
        """Takes pairs out; the texts must be those that were added."""
        self._file.run_many(
            "INSERT INTO pair_words (pair_words, rowid, question, answer) VALUES ('delete', ?, ?, ?)",
            [(pair, folded_form(question), folded_form(answer)) for pair, question, answer in rows],
        )
        self._version = None

    def forget_frequencies(self) -> None:
        """To be called after a rollback: the counts may be of rows that are gone."""
        self._version = None

    def compact(self) -> None:
        """Merges the index into one piece: quicker to search, and nothing of removed pairs stays in it."""
        self._file.run("INSERT INTO pair_words (pair_words) VALUES ('optimize')")

    def search(self, query: str, limit: int) -> list[tuple[int, int, float]]:
        """Pairs that hold words of the query: pair id, answer id and bm25 score, best first."""
        words = self._telling_words(query)
        if not words or limit <= 0:
            return []
        match = " OR ".join(f'"{word}"' for word in words)
        rows = self._file.rows(
            """SELECT pairs.id, pairs.answer, -found.score FROM
               (SELECT rowid, rank AS score FROM pair_words WHERE pair_words MATCH ? ORDER BY rank LIMIT ?) AS
               found JOIN pairs ON pairs.id = found.rowid ORDER BY found.score, pairs.id""",
            (match, limit),
        )
        return [(int(pair), int(answer), float(score)) for pair, answer, score in rows]

    def in_answers(self, query: str) -> str | None:
        """What finds the pairs whose answer holds all words of a query, or longer ones that begin so, for MATCH; None
        for a query without words.
        """
        words = dict.fromkeys(folded_words(query[:_LONGEST_QUERY]))
        return "{answer} : (" + " AND ".join(f'"{word}" *' for word in words) + ")" if words else None

    def frequencies(self, words: Sequence[str]) -> dict[str, int]:
        """How many pairs hold each of some lower-case words; words that none does are left out.

        Not cached: the caller asks for many strings that are no words at all.
        """
        folded = {word: folded_form(word) for word in words}
        counts = {
            str(term): int(count)
            for page in in_pages(dict.fromkeys(folded.values()))
            for term, count in self._file.rows(
                f"SELECT term, doc FROM pair_vocabulary WHERE term IN ({marks(page)})", page
            )
        }
        return {word: counts[term] for word, term in folded.items() if term in counts}

    def _telling_words(self, query: str) -> list[str]:
        """The rarest words of the query that are known, within the limits above."""
        self._refresh()
        words = dict.fromkeys(folded_words(query[:_LONGEST_QUERY]))
        known = sorted((self._frequency(word), word) for word in words if self._frequency(word))
        common = max(_NEVER_COMMON, _COMMON_SHARE * self._pairs)
        chosen: list[str] = []
        postings = 0
        for frequency, word in known[:_MOST_WORDS]:
            if chosen and (frequency > common or postings + frequency > _MOST_POSTINGS):
                break
            chosen.append(word)
            postings += frequency
        return chosen

    def _refresh(self) -> None:
        """Forgets the cached frequencies when the desk has changed."""
        version = self._file.version()
        if version != self._version:
            self._frequency.cache_clear()
            self._pairs = int(self._file.rows("SELECT count(*) FROM pairs")[0][0])
            self._version = version

    def _count(self, word: str) -> int:
        """How many pairs hold the word."""
        rows = self._file.rows("SELECT doc FROM pair_vocabulary WHERE term = ?", (word,))
        return int(rows[0][0]) if rows else 0
