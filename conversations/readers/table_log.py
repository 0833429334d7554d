"""Tables with a header: questions with answers, conversations, and "Customer Support on Twitter"."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from conversations.model import Conversation
from conversations.readers.log_file import GATHERING, KEPT_OF_A_LINE, LogFile
from conversations.readers.rejected import Rejected, RowError
from conversations.readers.rows import faq_conversation
from conversations.readers.table_rows import table_rows
from conversations.readers.threads import ScratchTurn, Threads
from conversations.readers.tweets import TWEET_COLUMNS, Tweets

_NAMES = {
    "question": ("question", "q", "query", "customer_question", "faq_question", "问题"),
    "answer": ("answer", "a", "reply", "response", "agent_answer", "faq_answer", "答案", "回答"),
    "conversation": (
        "conversation_id", "conversation", "conversationid", "dialogue_id", "dialog_id", "thread_id",
        "chat_id",
        "ticket_id", "session_id", "id",
    ),
    "role": ("role", "speaker", "sender", "author", "from", "direction", "speaker_role"),
    "text": ("text", "message", "body", "content", "utterance"),
    "at": ("at", "timestamp", "created_at", "time", "date", "datetime"),
    "agent": ("agent", "agent_name"),
    "customer": ("customer", "customer_id"),
    "language": ("language", "lang", "locale"),
}  # fmt: skip
_LAYOUTS = {"conversations": {"conversation", "role", "text"}, "faq": {"question", "answer"}}


@dataclass(frozen=True, slots=True)
class TableLayout:
    """What the header of a table says."""

    kind: str
    """``conversations``, ``faq`` or ``tweets``."""
    delimiter: str
    columns: dict[str, int] = field(default_factory=dict)
    """Our name of a column to its place."""
    width: int = 0


def find_layout(header: str) -> TableLayout | None:
    """The layout that a header line names, or None where it names none."""
    if header.lstrip().startswith(("{", "[")):
        return None
    for delimiter in (",", "\t", ";", "|"):
        try:
            cells = next(csv.reader([header], delimiter=delimiter))
        except (csv.Error, StopIteration):
            continue
        names = [re.sub(r"\W+", "_", cell.strip().casefold()).strip("_") for cell in cells]
        if set(TWEET_COLUMNS) <= set(names):
            return TableLayout("tweets", delimiter, {name: names.index(name) for name in TWEET_COLUMNS}, len(names))
        columns = {
            ours: names.index(found)
            for ours, theirs in _NAMES.items()
            if (found := next((name for name in theirs if name in names), None)) is not None
        }
        for kind, needed in _LAYOUTS.items():
            if needed <= set(columns):
                return TableLayout(kind, delimiter, columns, len(names))
    return None


def read_table(log: LogFile, layout: TableLayout) -> Iterator[Conversation | Rejected]:
    """The conversations of a table."""
    if layout.kind == "faq":
        return _read_faq(log, layout)
    if layout.kind == "tweets":
        return _read_tweets(log, layout)
    return _read_turns(log, layout)


def _read_faq(log: LogFile, layout: TableLayout) -> Iterator[Conversation | Rejected]:
    for number, row in _rows(log, layout, 1.0):
        if isinstance(row, Rejected):
            yield row
            continue
        try:
            name, language = row.get("conversation"), row.get("language")
            yield faq_conversation(row["question"], row["answer"], name, language, log.path.name)
        except RowError as error:
            yield Rejected(log.name, number, str(error), _raw(row))


def _read_turns(log: LogFile, layout: TableLayout) -> Iterator[Conversation | Rejected]:
    # The rows of a conversation need not be together (exports are often sorted by time), so they are gathered
    # on disk.
    with Threads() as threads:
        for number, row in _rows(log, layout):
            if isinstance(row, Rejected):
                yield row
            elif not row["conversation"].strip():
                yield Rejected(log.name, number, "the row has no conversation id", _raw(row))
            else:
                threads.add(
                    row["conversation"].strip(),
                    ScratchTurn(
                        number, row["role"], row["text"], row.get("at"), row.get("agent"),
                        row.get("customer"),
                        row.get("language"),
                    ),
                )  # fmt: skip
        day_first = threads.day_first()
        count = threads.count()
        for done, (thread, turns) in enumerate(threads.gathered()):
            log.tell_gathered(done, count)
            try:
                yield threads.conversation(thread, turns, day_first)
            except RowError as error:
                raw = "\n".join(f"{turn.role}: {turn.text}" for turn in turns)[:KEPT_OF_A_LINE]
                yield Rejected(log.name, turns[0].line, f"conversation {thread[:80]!r}: {error}", raw)


def _read_tweets(log: LogFile, layout: TableLayout) -> Iterator[Conversation | Rejected]:
    with Tweets(log.name) as tweets:
        for number, row in _rows(log, layout):
            if isinstance(row, Rejected):
                yield row
                continue
            try:
                tweets.add(number, row)
            except RowError as error:
                yield Rejected(log.name, number, str(error), _raw(row))
        count = tweets.join()
        for done, found in enumerate(tweets.conversations()):
            log.tell_gathered(done, count)
            yield found


def _rows(
    log: LogFile, layout: TableLayout, share: float = GATHERING
) -> Iterator[tuple[int, dict[str, str] | Rejected]]:
    """The rows below the header, by our names of the columns, with their first lines; `share` as for `lines`."""
    is_below_header = False
    for row in table_rows(log, layout.delimiter, layout.width, share):
        if row.problem:
            yield row.number, Rejected(log.name, row.number, row.problem, row.raw)
        elif is_below_header:
            yield row.number, {name: row.cells[place] for name, place in layout.columns.items()}
        is_below_header = is_below_header or not row.problem


def _raw(row: dict[str, str]) -> str:
    return " | ".join(row.values())[:KEPT_OF_A_LINE]
