"""The reading half of the store: everything by pages, so that a large desk is never in memory at once."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence, Sized
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from conversations.database import DeskFile, Row
from conversations.errors import DeskError
from conversations.model import Conversation, Feedback, StoredAnswer, StoredPair, Turn
from conversations.moments import read_moment
from conversations.pairs import answer_at, question_before

_PAGE = 500
SAID_AT = """(SELECT at FROM turns WHERE turns.conversation = pairs.conversation
                   AND position <= pairs.turn AND at IS NOT NULL ORDER BY position DESC LIMIT 1)"""
"""When a pair was said: the time of its turn, else of the last one before it in its conversation."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_ALL = 2**62
_Key = TypeVar("_Key", int, str)


def counts(file: DeskFile) -> dict[str, int]:
    """Numbers of rows of the four tables that people ask about."""
    return {
        table: int(file.rows(f"SELECT count(*) FROM {table}")[0][0])
        for table in ("conversations", "turns", "pairs", "answers")
    }


def conversations(file: DeskFile, ids: Iterable[str] | None) -> Iterator[Conversation]:
    """Conversations in the order they were imported: all, or those named."""
    columns = "SELECT ordinal, id, language, source, customer, meta FROM conversations"
    for page in _pages(file, columns, order="ordinal", key="id", keys=ids):
        turns = _turns(file, [row[0] for row in page])
        for ordinal, name, language, source, customer, meta in page:
            yield Conversation(name, turns.get(ordinal, ()), language, source, customer, json.loads(meta))


def openings(file: DeskFile, most: int) -> Iterator[tuple[str, tuple[Turn, ...]]]:
    """The id of every conversation with the first turns of it, in the order they were imported."""
    for page in _pages(file, "SELECT ordinal, id FROM conversations", order="ordinal", key="ordinal"):
        turns = _turns(file, [ordinal for ordinal, _ in page], most)
        yield from ((str(name), turns.get(ordinal, ())) for ordinal, name in page)


def earlier_turns(
    file: DeskFile, customer: str | tuple[str, ...], before: str | None, most: int, hidden: Collection[str]
) -> tuple[Turn, ...]:
    """What was said in the customer's latest conversations that began before a moment, oldest turn first.

    Args:
        file: the desk.
        customer: as it is stored, or all that it is stored as.
        before: ISO 8601; conversations without a time that can be read are then left out, and all of them where
            this one cannot be. None takes all.
        most: conversations.
        hidden: ids of those that are left out.
    """
    customers = (customer,) if isinstance(customer, str) else customer
    rows = file.rows(
        f"""SELECT ordinal, at, id FROM conversations JOIN turns ON turns.conversation = ordinal AND position = 0
           WHERE customer IN ({marks(customers)})""",
        customers,
    )
    began = {ordinal: read_moment(at) for ordinal, at, name in rows if name not in hidden}
    if before is not None:
        limit = read_moment(before)
        began = {ordinal: at for ordinal, at in began.items() if at and limit and at < limit}
    latest = sorted(began, key=lambda ordinal: (began[ordinal] or _LONG_AGO, ordinal))[-most:]
    turns = _turns(file, latest)
    return tuple(turn for ordinal in latest for turn in turns[ordinal])


def conversations_of(file: DeskFile, customer: str) -> list[str]:
    """The ids of a customer's conversations."""
    return [str(row[0]) for row in file.rows("SELECT id FROM conversations WHERE customer = ?", (customer,))]


def customer_of(file: DeskFile, conversation: str) -> tuple[str, str] | None:
    """The customer of a conversation and when it began, where both are known."""
    rows = file.rows(
        """SELECT customer, at FROM conversations JOIN turns ON turns.conversation = ordinal AND position = 0
           WHERE conversations.id = ? AND customer IS NOT NULL AND at IS NOT NULL""",
        (conversation,),
    )
    return (str(rows[0][0]), str(rows[0][1])) if rows else None


def pairs(file: DeskFile, after_id: int, ids: Iterable[int] | None) -> Iterator[StoredPair]:
    """Pairs by id with their dialogues."""
    columns = """SELECT pairs.id, pairs.answer, conversations.id, pairs.conversation, pairs.turn,
                 pairs.question
                 FROM pairs JOIN conversations ON conversations.ordinal = pairs.conversation"""
    for page in _pages(file, columns, order="pairs.id", key="pairs.id", after=after_id, keys=ids):
        turns = _turns(file, list({row[3] for row in page}))
        for pair, answer, name, ordinal, turn, question in page:
            context, _ = question_before(turns[ordinal], turn)
            yield StoredPair(pair, answer, name, turn, question, (*context, Turn("customer", question)))


def pair_moments(file: DeskFile, ids: Iterable[int]) -> dict[int, tuple[str, int, str]]:
    """Where each pair was said and asked: conversation, position of the agent's turn, question; no
    dialogues.
    """
    return {
        pair: (name, turn, question)
        for page in in_pages(ids)
        for pair, name, turn, question in file.rows(
            "SELECT pairs.id, conversations.id, pairs.turn, pairs.question FROM pairs JOIN conversations"
            f" ON conversations.ordinal = pairs.conversation WHERE pairs.id IN ({marks(page)})",
            page,
        )
    }


def answers(file: DeskFile, ids: Iterable[int] | None) -> Iterator[StoredAnswer]:
    """Answers by id: all, or those named."""
    for page in _pages(file, "SELECT id, text FROM answers", order="id", key="id", keys=ids):
        for answer, text in page:
            yield StoredAnswer(answer, text)


def first_said(file: DeskFile, answer: int) -> str | None:
    """An answer as its first evidence says it; None where no evidence is left."""
    first = file.rows("SELECT conversation, turn FROM pairs WHERE answer = ? ORDER BY id LIMIT 1", (answer,))
    return next((answer_at(_turns(file, [ordinal])[ordinal], turn) for ordinal, turn in first), None)


def is_said(file: DeskFile, answer: int, text: str) -> bool:
    """Whether some evidence of an answer says exactly this text."""
    in_one_turn = file.rows(
        """SELECT 1 FROM pairs JOIN turns ON turns.conversation = pairs.conversation AND position = pairs.turn
           WHERE answer = ? AND text = ? LIMIT 1""",
        (answer, text),
    )
    if in_one_turn:
        return True
    columns = "SELECT pairs.id, conversation, turn FROM pairs"
    for page in _pages(file, columns, order="pairs.id", key="pairs.answer", keys=[answer]):
        turns = _turns(file, list({ordinal for _, ordinal, _ in page}))
        if any(answer_at(turns[ordinal], turn) == text for _, ordinal, turn in page):
            return True
    return False


def ids(file: DeskFile, table: str) -> NDArray[np.int64]:
    """All ids of a table, ascending."""
    return np.array(file.rows(f"SELECT id FROM {table} ORDER BY id"), dtype=np.int64).reshape(-1)


def pair_answers(file: DeskFile) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """For every pair, by id: its id, its answer's id and the ordinal of its conversation."""
    table = np.array(file.rows("SELECT id, answer, conversation FROM pairs ORDER BY id"), dtype=np.int64)
    table = table.reshape(-1, 3)
    return table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy()


def pair_times(file: DeskFile) -> dict[int, str]:
    """When each pair was said, see `SAID_AT`; without those of which the log does not tell."""
    return {
        int(pair): str(at)
        for pair, at in file.rows(f"SELECT pairs.id, {SAID_AT} AS said FROM pairs WHERE said IS NOT NULL")
    }


def conversation_ordinals(file: DeskFile, names: Iterable[str]) -> dict[str, int]:
    """The ordinals of those of the named conversations that are here."""
    return {
        name: ordinal
        for page in in_pages(names)
        for name, ordinal in file.rows(f"SELECT id, ordinal FROM conversations WHERE id IN ({marks(page)})", page)
    }


class FeedbackState(NamedTuple):
    """What is another whenever feedback was added or removed: no id is given twice."""

    last: int = 0
    """The highest id."""
    kept: int = 0
    """How many."""


def feedback_state(file: DeskFile) -> FeedbackState:
    """What feedback there is, at a glance."""
    last, count = file.rows("SELECT max(id), (SELECT count(*) FROM feedback) FROM feedback")[0]
    return FeedbackState(last or 0, count)


def feedback(file: DeskFile, customer: str | None = None, after_id: int = 0) -> Iterator[Feedback]:
    """Feedback, oldest first: all, or one customer's; of it what came after an id."""
    columns = (
        "SELECT id, at, conversation_key, question, answer, verdict, source, who, customer, shown, vector, encoder"
        " FROM feedback"
    )
    keys = None if customer is None else [customer]
    for page in _pages(file, columns, order="id", key="customer", after=after_id, keys=keys):
        for _, at, key, question, answer, verdict, source, who, whose, shown, vector, encoder in page:
            seen = tuple(json.loads(shown))
            yield Feedback(at, key, question, answer, verdict, source, who, whose, seen, vector, encoder)


def problems(file: DeskFile) -> list[str]:
    """What SQLite's own checks say; empty when the file is whole."""
    try:
        said = [str(row[0]) for row in file.rows("PRAGMA quick_check(10)")]
        broken = [f"{row[0]} points to a missing {row[2]}" for row in file.rows("PRAGMA foreign_key_check")]
    except DeskError as error:
        return [str(error)]
    return [line for line in said if line != "ok"] + broken[:10]


def _turns(file: DeskFile, ordinals: Sequence[int], most: int = _ALL) -> dict[int, tuple[Turn, ...]]:
    """The turns of several conversations, or the first so many of each, by ordinal."""
    found: dict[int, list[Turn]] = {}
    for page in in_pages(ordinals):
        for ordinal, role, text, at, agent, action in file.rows(
            f"""SELECT conversation, role, text, at, agent, action FROM turns
                WHERE conversation IN ({marks(page)}) AND position < ? ORDER BY conversation, position""",
            (*page, most),
        ):
            found.setdefault(ordinal, []).append(Turn(role, text, at, agent, action))
    return {ordinal: tuple(turns) for ordinal, turns in found.items()}


def _pages(
    file: DeskFile, columns: str, *, order: str, key: str, after: int = 0, keys: Iterable[_Key] | None = None
) -> Iterator[list[Row]]:
    """Pages of rows by ascending first column: all those after a value, or those whose key is named.

    Each page is a query of its own, so a writer is never held up by a reader who takes long.
    """
    if keys is not None:
        named = _ordinals_in_order(file, columns, order, key, keys)
        for page in in_pages(number for number in named if number > after):
            yield file.rows(f"{columns} WHERE {order} IN ({marks(page)}) ORDER BY {order}", page)
        return
    while page_rows := file.rows(f"{columns} WHERE {order} > ? ORDER BY {order} LIMIT {_PAGE}", (after,)):
        yield page_rows
        after = page_rows[-1][0]


def _ordinals_in_order(file: DeskFile, columns: str, order: str, key: str, keys: Iterable[_Key]) -> list[int]:
    """The values of the first column for the named keys, ascending."""
    if order == key:
        return sorted({int(value) for value in keys})
    _, _, source = columns.partition(" FROM ")
    return sorted(
        int(row[0])
        for page in in_pages(dict.fromkeys(keys))
        for row in file.rows(f"SELECT {order} FROM {source} WHERE {key} IN ({marks(page)})", page)
    )


def in_pages(items: Iterable[_Key]) -> Iterator[list[_Key]]:
    """The items in lists short enough for one statement."""
    iterator = iter(items)
    while chunk := list(islice(iterator, _PAGE)):
        yield chunk


def marks(values: Sized) -> str:
    """One question mark for every value."""
    return ",".join("?" * len(values))
