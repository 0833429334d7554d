"""Which answers are in service: what a desk may still say, and what was withdrawn because it is no longer true.

Decisions:
- A withdrawn answer stays in the desk and in the index with its evidence, and is never served: it can be restored at
  once, and nothing has to be encoded again.
- It is kept by its id, and by a salted digest of its words without the greeting: where its row goes with its last
  evidence, the same words that come back under another id are withdrawn again. The words themselves are not kept, for
  they may be a forgotten customer's.
- What becomes one answer with a withdrawn one is withdrawn.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

from conversations import store_reading as reading
from conversations.database import DeskFile
from conversations.merging import greetless_key
from conversations.moments import read_moment, this_moment
from conversations.word_search import WordSearch


class Withdrawal(NamedTuple):
    """That an answer was taken out of service."""

    at: str
    """When, ISO 8601."""
    because: str | None
    """Why, in the words of whoever did it."""


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer and how it was used."""

    id: int
    text: str
    given: int
    """How often."""
    conversations: int
    """In how many."""
    last: str | None
    """When it was given last, as the log has it; None where that does not tell."""
    withdrawal: Withdrawal | None
    """None where it is in service."""


class Service:
    """The answers of one desk, as whoever is answerable for them sees them."""

    def __init__(
        self, file: DeskFile, words: WordSearch, new_state: Callable[[], AbstractContextManager[None]]
    ) -> None:
        """Stands on a desk's file.

        Args:
            file: of the desk.
            words: its word index.
            new_state: a transaction that leaves the desk in a state which replays do not mix with the one before.
        """
        self._file, self._words, self._new_state = file, words, new_state

    def withdraw(self, answers: Iterable[int], because: str | None = None) -> None:
        """Takes answers out of service; those that are not here or out already are passed over."""
        with self._new_state():
            mark = Withdrawal(this_moment(), because)
            named = set(answers)
            for answer in reading.answers(self._file, named - self.withdrawn_among(named)):
                withdraw_as(self._file, answer.id, answer.text, mark)

    def restore(self, answers: Iterable[int]) -> None:
        """Puts answers back into service; those that are in it are passed over."""
        with self._new_state():
            self._file.run_many("DELETE FROM withdrawn WHERE answer = ?", [(answer,) for answer in answers])

    def withdrawn(self) -> frozenset[int]:
        """The ids of all withdrawn answers that are here."""
        rows = self._file.rows("SELECT answer FROM withdrawn WHERE answer IS NOT NULL")
        return frozenset(int(row[0]) for row in rows)

    def withdrawn_among(self, answers: Iterable[int]) -> frozenset[int]:
        """Those of some answers that are withdrawn."""
        rows = self._file.rows(
            "SELECT answer FROM withdrawn WHERE answer IN (SELECT value FROM json_each(?))", (_listed(answers),)
        )
        return frozenset(int(row[0]) for row in rows)

    def remembered(self) -> int:
        """How many withdrawn texts the desk does not hold at present."""
        return int(self._file.rows("SELECT count(DISTINCT key) FROM withdrawn WHERE answer IS NULL")[0][0])

    def withdrawn_turns(self, conversation: str) -> dict[int, Withdrawal]:
        """The turns of a conversation in which an answer was given that is withdrawn now."""
        rows = self._file.rows(
            """SELECT turn, at, because FROM withdrawn JOIN pairs ON pairs.answer = withdrawn.answer
               JOIN conversations ON ordinal = pairs.conversation WHERE conversations.id = ?""",
            (conversation,),
        )
        return {int(turn): Withdrawal(at, because) for turn, at, because in rows}

    def keep_withdrawn(self, conversation: str, turns: Mapping[int, Withdrawal]) -> None:
        """To be called where a conversation was written anew that says the same in these turns, only de-identified by
        other rules or longer: what it alone says there is withdrawn as it was before.
        """
        if not turns:
            return
        rows = self._file.rows(
            """SELECT turn, answers.id, text FROM pairs JOIN conversations ON ordinal = pairs.conversation
               JOIN answers ON answers.id = pairs.answer WHERE conversations.id = ?
               AND NOT EXISTS (SELECT 1 FROM pairs AS other WHERE other.answer = answers.id AND other.id <> pairs.id)
               AND answers.id NOT IN (SELECT answer FROM withdrawn WHERE answer IS NOT NULL)""",
            (conversation,),
        )
        for turn, answer, text in rows:
            if turn in turns:
                withdraw_as(self._file, answer, text, turns[turn])

    def records(
        self,
        words: str | None = None,
        ids: Iterable[int] | None = None,
        withdrawn_only: bool = False,
        limit: int | None = None,
    ) -> tuple[list[AnswerRecord], int]:
        """Answers with how they were used, those most often given first, and how many there are without the limit.

        Args:
            words: only those that hold all of these, or words that begin so; without any word in it, none.
            ids: only these.
            withdrawn_only: only those that are withdrawn.
            limit: at most so many.
        """
        conditions: list[str] = ["1"]
        values: list[str | None] = []
        if words is not None:
            conditions.append("pairs.id IN (SELECT rowid FROM pair_words WHERE pair_words MATCH ?)")
            values.append(self._words.in_answers(words))
        if ids is not None:
            conditions.append("answer IN (SELECT value FROM json_each(?))")
            values.append(_listed(ids))
        if withdrawn_only:
            conditions.append("answer IN (SELECT answer FROM withdrawn)")
        if None in values:
            return [], 0
        rows = self._file.rows(
            f"""SELECT answer, count(*) AS given, count(DISTINCT conversation), count(*) OVER () FROM pairs
                WHERE {" AND ".join(conditions)} GROUP BY answer ORDER BY given DESC, answer LIMIT ?""",
            (*values, -1 if limit is None else limit),
        )
        shown = [int(row[0]) for row in rows]
        texts = {answer.id: answer.text for answer in reading.answers(self._file, shown)}
        last, out = self._given_last(shown), self._withdrawals(shown)
        records = [
            AnswerRecord(answer, texts[answer], given, conversations, last.get(answer), out.get(answer))
            for answer, given, conversations, _ in rows
        ]
        return records, int(rows[0][3]) if rows else 0

    def _given_last(self, answers: Iterable[int]) -> dict[int, str]:
        rows = self._file.rows(
            f"""SELECT answer, {reading.SAID_AT} AS said FROM pairs
                WHERE answer IN (SELECT value FROM json_each(?)) AND said IS NOT NULL""",
            (_listed(answers),),
        )
        moments = [(moment, int(answer), str(at)) for answer, at in set(rows) if (moment := read_moment(at))]
        return {answer: at for _, answer, at in sorted(moments)}

    def _withdrawals(self, answers: Iterable[int]) -> dict[int, Withdrawal]:
        rows = self._file.rows(
            """SELECT answer, at, because FROM withdrawn
               WHERE answer IN (SELECT value FROM json_each(?)) ORDER BY at DESC""",
            (_listed(answers),),
        )
        return {int(answer): Withdrawal(at, because) for answer, at, because in rows}


def withdraw_as(file: DeskFile, answer: int, text: str, withdrawal: Withdrawal) -> None:
    """Keeps that an answer with this text is withdrawn."""
    values = (_key(file, text), answer, withdrawal.at, withdrawal.because)
    file.run("INSERT INTO withdrawn (key, answer, at, because) VALUES (?, ?, ?, ?)", values)


def withdraw_known(file: DeskFile, answer: int, text: str) -> None:
    """To be called for a new answer: it is withdrawn where the same words were, when the desk held them before."""
    if file.rows("SELECT 1 FROM withdrawn WHERE answer IS NULL LIMIT 1"):
        file.run("UPDATE withdrawn SET answer = ? WHERE key = ? AND answer IS NULL", (answer, _key(file, text)))


def withdraw_joined(file: DeskFile, answer: int, other: int, text: str) -> None:
    """To be called where an answer's evidence is to be that of another with this text: withdraws that one too, where
    the first is withdrawn.
    """
    for at, because in file.rows("SELECT at, because FROM withdrawn WHERE answer = ? LIMIT 1", (answer,)):
        withdraw_as(file, other, text, Withdrawal(at, because))


def _key(file: DeskFile, text: str) -> str:
    """What an answer's words are known by when its row is gone."""
    rows = file.rows("SELECT value FROM settings WHERE name = 'salt'")
    salt = str(json.loads(rows[0][0])) if rows else ""
    words = greetless_key(text).encode("utf-8", "replace")
    return hashlib.blake2b(words, key=salt.encode("ascii"), digest_size=16).hexdigest()


def _listed(ids: Iterable[int]) -> str:
    return json.dumps([int(one) for one in ids])
