"""What a desk knows, in one SQLite file: the source of truth that the index and the models are derived from.

All SQL of the project is in this module, its reading half `store_reading`, `answer_texts`, `judgements`, `service`,
`word_search`, `replays`, `migrations` and `database`. (The log readers sort large logs in a file of their own.)
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from conversations import judgements
from conversations import store_reading as reading
from conversations.answer_texts import AnswerTexts
from conversations.database import DeskFile, OnFile
from conversations.known_feedback import KnownFeedback
from conversations.model import Conversation, Feedback, Json, Pair, StoredAnswer, StoredPair, Turn
from conversations.service import Service
from conversations.word_search import WordSearch

MOST_EARLIER = 30
"""Conversations of a customer that are looked back on, for what did not help; a reranker reads the end of them."""


class Store(OnFile):
    """A desk's conversations, pairs, answers, settings and feedback."""

    def __init__(self, path: Path) -> None:
        """Opens the store, makes it if it is not there, and brings it up to date.

        Raises:
            DeskError: The file is damaged, is not a desk, or was made by a newer version.
        """
        self._file = DeskFile(path)
        self._words = WordSearch(self._file)
        self._answers = AnswerTexts(self._file, self._words)
        self.known_feedback = KnownFeedback(self._file)
        self.service = Service(self._file, self._words, self._new_state)
        self._is_marked = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is kept together, or not at all."""
        self._is_marked = self._is_marked and self._file.is_writing()
        try:
            with self._file.atomic():
                yield
        except BaseException:
            self._answers.forget_known()
            self._words.forget_frequencies()
            self._is_marked = False
            raise

    # Settings

    def setting(self, name: str, default: Json = None) -> Json:
        """A setting of this desk, or the default."""
        rows = self._file.rows("SELECT value FROM settings WHERE name = ?", (name,))
        return json.loads(rows[0][0]) if rows else default

    def set_setting(self, name: str, value: Json) -> None:
        """Keeps a setting; the value must be JSON."""
        self._file.run("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (name, json.dumps(value)))

    # Writing conversations

    def last_writing(self) -> str:
        """The token of the latest writing of conversations; empty before the first."""
        rows = self._file.rows("SELECT token FROM writings ORDER BY number DESC LIMIT 1")
        return str(rows[0][0]) if rows else ""

    def has_written(self, token: str) -> bool:
        """Whether this file went through the state that a token names; one put back from a copy may not have."""
        return bool(self._file.rows("SELECT 1 FROM writings WHERE token = ?", (token,)))

    @contextmanager
    def _new_state(self) -> Iterator[None]:
        """A transaction that leaves a new token, one for all that the outermost of them writes."""
        with self.transaction():
            if not self._is_marked:
                self._file.run("INSERT INTO writings (token) VALUES (?)", (secrets.token_hex(8),))
                self._is_marked = True
            yield

    def conversation_digest(self, conversation_id: str) -> str | None:
        """The digest under which a conversation was stored: the same again means that nothing has to be done."""
        rows = self._file.rows("SELECT digest FROM conversations WHERE id = ?", (conversation_id,))
        return str(rows[0][0]) if rows else None

    def add_conversation(self, conversation: Conversation, digest: str, pairs: Iterable[Pair]) -> int:
        """Adds a conversation with its pairs, in the place of an earlier state of the same conversation.

        The pairs of a replaced conversation get new ids; answers that are still said in the same words keep theirs.

        Args:
            conversation: De-identified already, where the desk wants that.
            digest: What :meth:`conversation_digest` will say.
            pairs: The pairs of this conversation, as from :func:`conversations.pairs.extract_pairs`.

        Returns:
            The number of pairs.
        """
        about = (conversation.id, conversation.language, conversation.source, conversation.customer)
        with self._new_state():
            dropped = self._remove(conversation.id)
            ordinal = self._file.run(
                "INSERT INTO conversations (id, language, source, customer, meta, digest) VALUES (?, ?, ?, ?, ?, ?)",
                (*about, json.dumps(conversation.meta), digest),
            )
            self._file.run_many(
                "INSERT INTO turns (conversation, position, role, text, at, agent, action) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (ordinal, position, turn.role, turn.text, turn.at, turn.agent, turn.action)
                    for position, turn in enumerate(conversation.turns)
                ],
            )
            added = [self._add_pair(ordinal, pair) for pair in pairs]
            self._words.add(added)
            self._answers.settle(answer for _, answer, _, _ in dropped)
        return len(added)

    def _add_pair(self, ordinal: int, pair: Pair) -> tuple[int, str, str]:
        answer = self._answers.id_of(pair.answer)
        values = (ordinal, answer, pair.turn, pair.question)
        statement = "INSERT INTO pairs (conversation, answer, turn, question) VALUES (?, ?, ?, ?)"
        return self._file.run(statement, values), pair.question, self._answers.text_of(answer)

    # Deleting

    def delete_conversation(self, conversation_id: str) -> list[int]:
        """Removes a conversation with its pairs, and answers that only it held. Gives the removed pair ids."""
        with self._new_state():
            dropped = self._remove(conversation_id)
            self._answers.settle(answer for _, answer, _, _ in dropped)
        return [pair for pair, _, _, _ in dropped]

    def delete_customer(self, customer: str, named: Iterable[str] = ()) -> dict[str, int]:
        """Removes a customer: the conversations with all that only they held, and the feedback.

        Args:
            customer: as it is stored.
            named: ids of further conversations that are theirs.

        Returns:
            How many conversations, turns, pairs, answers and judgements are gone.
        """
        with self.transaction():
            before = self._held()
            for conversation in {*self.conversations_of(customer), *named}:
                self.delete_conversation(conversation)
            judgements.remove_of(self._file, customer)
            after = self._held()
        return {name: count - after[name] for name, count in before.items()}

    def leave_out(self, pseudonym: str, is_left_out: bool = True) -> None:
        """Keeps imports from bringing a customer back who was forgotten, or lets them again."""
        add, remove = "INSERT OR IGNORE INTO forgotten VALUES (?)", "DELETE FROM forgotten WHERE customer = ?"
        self._file.run(add if is_left_out else remove, (pseudonym,))

    def forgotten(self) -> frozenset[str]:
        """The pseudonyms of all customers who were forgotten."""
        return frozenset(str(row[0]) for row in self._file.rows("SELECT customer FROM forgotten"))

    def _held(self) -> dict[str, int]:
        """The counts, and that of judgements; those on a deleted answer go with it."""
        return self.counts() | {"feedback": int(self._file.rows("SELECT count(*) FROM feedback")[0][0])}

    def _remove(self, conversation: str) -> list[tuple[int, int, str, str]]:
        """Takes out a conversation; of its pairs id, answer id, question and answer."""
        dropped: list[tuple[int, int, str, str]] = self._file.rows(
            """SELECT pairs.id, answers.id, pairs.question, answers.text FROM pairs
               JOIN answers ON answers.id = pairs.answer
               JOIN conversations ON conversations.ordinal = pairs.conversation WHERE conversations.id = ?""",
            (conversation,),
        )
        self._words.remove([(pair, question, answer) for pair, _, question, answer in dropped])
        self._file.run_many("DELETE FROM pairs WHERE id = ?", [(pair,) for pair, _, _, _ in dropped])
        self._file.run("DELETE FROM conversations WHERE id = ?", (conversation,))
        return dropped

    def compact(self) -> bool:
        """Merges the word index, so that search is quick and deleted words leave the file; see `write_out`."""
        self._words.compact()
        return self.write_out()

    # Reading

    def counts(self) -> dict[str, int]:
        """Numbers of conversations, turns, pairs and answers."""
        return reading.counts(self._file)

    def conversations(self, ids: Iterable[str] | None = None) -> Iterator[Conversation]:
        """Conversations in the order they were imported: all, or those named."""
        return reading.conversations(self._file, ids)

    def conversation(self, conversation_id: str) -> Conversation | None:
        """One conversation, or None."""
        return next(self.conversations([conversation_id]), None)

    def openings(self, most: int) -> Iterator[tuple[str, tuple[Turn, ...]]]:
        """The id of every conversation with its first turns, at most so many, in the order they were imported."""
        return reading.openings(self._file, most)

    def conversations_of(self, customer: str) -> list[str]:
        """The ids of a customer's conversations; the customer as it is stored."""
        return reading.conversations_of(self._file, customer)

    def earlier_turns(
        self, customer: str | tuple[str, ...], before: str | None = None, hidden: Collection[str] = ()
    ) -> tuple[Turn, ...]:
        """What was said in the customer's last few conversations, oldest turn first.

        Args:
            customer: as it is stored: a pseudonym, where the desk de-identifies; both, where it did not always.
            before: ISO 8601: only conversations known to have begun before.
            hidden: ids of conversations that are left out, whenever they began.
        """
        return reading.earlier_turns(self._file, customer, before, MOST_EARLIER, hidden)

    def history_before(self, conversation_id: str, hidden: Collection[str] = ()) -> tuple[Turn, ...]:
        """What the customer of a stored conversation had said and been told before it; empty where it is unknown.

        Args:
            conversation_id: of that conversation.
            hidden: as for `earlier_turns`; the conversation itself is hidden anyway.
        """
        found = reading.customer_of(self._file, conversation_id)
        return self.earlier_turns(*found, {conversation_id, *hidden}) if found else ()

    def pairs(self, after_id: int = 0, ids: Iterable[int] | None = None) -> Iterator[StoredPair]:
        """Pairs by id with their dialogues: all those after an id, or those named."""
        return reading.pairs(self._file, after_id, ids)

    def pair_moments(self, ids: Iterable[int]) -> dict[int, tuple[str, int, str]]:
        """Conversation, position of the agent's turn and question of the named pairs, without their dialogues."""
        return reading.pair_moments(self._file, ids)

    def answers(self, ids: Iterable[int] | None = None) -> Iterator[StoredAnswer]:
        """Answers by id: all, or those named."""
        return reading.answers(self._file, ids)

    def pair_ids(self) -> NDArray[np.int64]:
        """The ids of all pairs, ascending."""
        return reading.ids(self._file, "pairs")

    def answer_ids(self) -> NDArray[np.int64]:
        """The ids of all answers, ascending."""
        return reading.ids(self._file, "answers")

    def pair_answers(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """For every pair, by id: its id, its answer's id and the ordinal of its conversation."""
        return reading.pair_answers(self._file)

    def pair_times(self) -> dict[int, str]:
        """When each pair was said, as the log has it; without those of which it does not tell."""
        return reading.pair_times(self._file)

    def conversation_ordinals(self, ids: Iterable[str]) -> dict[str, int]:
        """The ordinals, as in :meth:`pair_answers`, of those of the named conversations that are here."""
        return reading.conversation_ordinals(self._file, ids)

    def search_words(self, query: str, limit: int) -> list[tuple[int, int, float]]:
        """Pairs that hold words of the query: pair id, answer id and bm25 score, best first.

        The query is plain text in any script; it has no syntax.
        """
        return self._words.search(query, limit)

    def word_frequencies(self, words: Sequence[str]) -> dict[str, int]:
        """How many pairs hold each of some lower-case words; words that none does are left out."""
        return self._words.frequencies(words)

    def problems(self) -> list[str]:
        """What SQLite finds wrong in the file; empty when it is whole."""
        return reading.problems(self._file)

    # Feedback

    def add_feedback(self, feedback: Feedback) -> None:
        """Keeps what a person said about an answer.

        The question is kept as it is given: the caller de-identifies it, where the desk wants that.
        """
        judgements.add(self._file, feedback)

    def name_customer(self, conversation_key: str, customer: str) -> None:
        """Says of a running conversation's feedback whose it is, where that was not known; as it is stored."""
        judgements.name_customer(self._file, conversation_key, customer)

    def feedback(self, customer: str | None = None) -> Iterator[Feedback]:
        """All feedback, or that of one customer, oldest first."""
        return reading.feedback(self._file, customer)
