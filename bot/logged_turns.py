"""Logs as a desk reads them: conversations, and their agent turns as requests to a pipeline; read as a stream."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from bot.dialogue import Request
from bot.pipeline import Pipeline
from conversations.forgotten import LEFT_OUT, Forgotten
from conversations.known_ids import KnownIds
from conversations.model import Conversation, Pair
from conversations.moments import first_moment, read_moment
from conversations.pairs import WITH_BOT, extract_pairs
from conversations.privacy import Redactor, redactor_of
from conversations.readers import Rejected, log_files, read_logs
from conversations.readers.rows import earlier_names
from conversations.store import Store
from index.twins import OwnIds

MOST_TOLD = 3
"""Pieces that cannot be read of which it is told where and why."""
MOST_ENDS = 20
"""Including those after which a file ends early."""
LONGEST_REASON = 300


class NumberedConversation(NamedTuple):
    """One conversation of some logs."""

    entry: int
    """Its number, from 0."""
    conversation: Conversation
    """De-identified as a desk's own are."""
    earlier_names: list[str]
    """What it was named with fewer turns, where it is named after its content."""
    new_id: str
    """The id that it would have as one that the desk does not have yet."""


class LoggedConversations:
    """The conversations of some logs, de-identified as a desk's own are; without those of forgotten customers."""

    def __init__(
        self, store: Store, paths: Iterable[Path], on_progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Finds the files; they are opened as they are read.

        Args:
            store: of the desk.
            paths: logs in any format that import reads.
            on_progress: called with (bytes read, bytes in all).

        Raises:
            LogError: a log is not there.
        """
        self._store = store
        self._paths = list(paths)
        self._size = sum(file.stat().st_size for file in log_files(self._paths))
        self._on_progress = on_progress
        self._told: list[Rejected] = []
        self.rejected = 0
        """Pieces that could not be read so far."""
        self._forgotten = 0
        self.with_bot = 0
        """Conversations with the bot so far."""

    def read(self) -> Iterator[Conversation]:
        """Reads all of them; what cannot be read is passed over and counted."""
        return (logged.conversation for logged in self.numbered())

    def numbered(self, is_wanted: Callable[[int], bool] = lambda _: True) -> Iterator[NumberedConversation]:
        """Reads those that are wanted by their numbers, or all."""
        redacted, ids, forgotten = redaction_of(self._store), KnownIds(self._store), Forgotten(self._store)
        entry = 0
        for read in read_logs(self._paths, self._show):
            if isinstance(read, Rejected):
                self._note_rejected(read)
                continue
            if forgotten.has(read):
                self._forgotten += 1
            else:
                self.with_bot += read.is_with_bot
                if is_wanted(entry):
                    # The names come from what was said, before anything in it was replaced.
                    yield NumberedConversation(entry, redacted(read), earlier_names(read), ids.new(read.id))
            entry += 1

    def _note_rejected(self, piece: Rejected) -> None:
        self.rejected += 1
        if len(self._told) < MOST_TOLD or (piece.is_end and len(self._told) < MOST_ENDS):
            self._told.append(piece)

    @property
    def problems(self) -> tuple[str, ...]:
        """Where something could not be read and why: the first few places, and all where a file ends early; and how
        much was left out on purpose.
        """
        redact = text_redaction_of(self._store)
        places = [f"{one.file}:{one.line}: {redact(one.reason)[:LONGEST_REASON]}" for one in self._told]
        return (*places, *self._left_out)

    @property
    def trouble(self) -> str:
        """What a person should know of what was not read; empty where all was."""
        if not self._told:
            return " ".join(self._left_out)
        unread = f"{self.rejected:,} pieces of the logs; the first, {self.problems[0]}."
        return " ".join([f"Passed over, since they cannot be read: {unread}", *self._left_out])

    @property
    def _left_out(self) -> list[str]:
        """How much was left out on purpose so far, in a sentence."""
        return [LEFT_OUT.format(self._forgotten)] if self._forgotten else []

    def _show(self, read: int) -> None:
        if self._on_progress:
            self._on_progress(read, self._size)


@dataclass(frozen=True, slots=True)
class LoggedTurn:
    """One agent turn of a log."""

    request: Request
    """The dialogue up to it; its own conversation is not to be seen."""
    logged: Conversation
    """The conversation that it stands in, de-identified as the desk's are."""
    pair: Pair
    entry: int
    """Which conversation of the logs it stands in, from 0."""
    number: int
    """Which question of its conversation, from 1."""
    copies: int
    """How many conversations of the desk are its own, by the id or by how they open, and were hidden."""
    is_placed: bool
    """As of its day: whether it is known of all that it may see that it came before."""
    new_id: str
    """Of its conversation, as one that the desk does not have yet: the same before and after an import."""

    @property
    def conversation(self) -> str:
        """The id of its conversation."""
        return self.logged.id

    @property
    def answer(self) -> str:
        """What the agent said."""
        return self.pair.answer

    @property
    def question(self) -> str:
        """What the customer said last."""
        return self.pair.question


class LoggedTurns:
    """The agent turns of some logs, de-identified as the desk's own are."""

    def __init__(
        self,
        pipeline: Pipeline,
        paths: Iterable[Path],
        on_progress: Callable[[int, int], None] | None = None,
        as_of: bool = False,
    ) -> None:
        """Finds the files; they are opened as they are read.

        Args:
            pipeline: of the desk that is to be asked.
            paths: logs in any format that import reads.
            on_progress: called with (bytes read, bytes in all).
            as_of: whether what was said after a conversation began is invisible as well.

        Raises:
            LogError: a log is not there.
        """
        self._store, self._retriever = pipeline.store, pipeline.retriever
        self._conversations = LoggedConversations(pipeline.store, paths, on_progress)
        self._as_of = as_of

    @property
    def rejected(self) -> int:
        """Pieces of the logs that could not be read so far."""
        return self._conversations.rejected

    @property
    def problems(self) -> tuple[str, ...]:
        """See `LoggedConversations.problems`; and how much gives no turns, being with the bot."""
        return (*self._conversations.problems, *self._of_bot)

    @property
    def trouble(self) -> str:
        """See `LoggedConversations.trouble`; and how much gave no turns, being with the bot."""
        return " ".join([*filter(None, [self._conversations.trouble]), *self._of_bot])

    @property
    def _of_bot(self) -> list[str]:
        count = self._conversations.with_bot
        return [WITH_BOT.format(count)] if count else []

    def batches(
        self, size: int, limit: int | None = None, done: tuple[int, int] = (0, 0)
    ) -> Iterator[list[LoggedTurn]]:
        """All turns, or the first so many, in lists.

        Args:
            size: turns in a list.
            limit: at most so many turns.
            done: conversations to pass over, and turns of the one after them.
        """
        turns = islice(self._turns(*done), limit)
        while batch := list(islice(turns, size)):
            yield batch

    def some(self, wanted: Collection[tuple[int, int]]) -> Iterator[LoggedTurn]:
        """The turns of some `entry` and `number`, in the order of the logs, which are read anew for them."""
        entries = {entry for entry, _ in wanted}
        numbered = self._conversations.numbered(entries.__contains__)
        for turn in self._turns_of(islice(numbered, len(entries))):
            if (turn.entry, turn.number) in wanted:
                yield turn

    def _turns(self, done: int, done_turns: int) -> Iterator[LoggedTurn]:
        for turn in self._turns_of(self._conversations.numbered(lambda entry: entry >= done)):
            if turn.entry > done or turn.number > done_turns:
                yield turn

    @cached_property
    def _own_ids(self) -> OwnIds:
        return OwnIds(self._store)

    def _turns_of(self, numbered: Iterable[NumberedConversation]) -> Iterator[LoggedTurn]:
        for entry, conversation, names, new_id in numbered:
            hidden = self._own_ids.of(conversation, names)
            copies = len(self._store.conversation_ordinals(hidden))
            began = first_moment(conversation.turns)
            is_known = conversation.customer and began
            earlier = self._store.earlier_turns(str(conversation.customer), began, hidden) if is_known else ()
            if self._as_of:
                # An earlier conversation may have gone on after this one began.
                earlier = tuple(turn for turn in earlier if _is_before(turn.at, began))
            as_of = (began or "") if self._as_of else None
            is_placed = as_of is None or self._retriever.is_placed(hidden, as_of)
            for number, pair in enumerate(extract_pairs(conversation), 1):
                request = Request(pair.dialogue, pair.conversation, earlier=earlier, as_of=as_of, twins=hidden[1:])
                yield LoggedTurn(request, conversation, pair, entry, number, copies, is_placed, new_id)


def _is_before(at: str | None, moment: str | None) -> bool:
    """Whether a time is known to lie before another."""
    read, limit = read_moment(at), read_moment(moment)
    return read is not None and limit is not None and read < limit


def redaction_of(store: Store) -> Callable[[Conversation], Conversation]:
    """What de-identifies conversations as the desk's own are; leaves them as they are where the desk does. One that
    the desk has gets the id that it has there.
    """
    redactor, ids = _redactor_in_use(store), KnownIds(store)

    def redacted(logged: Conversation) -> Conversation:
        told = redactor.redact_conversation(logged)[0] if redactor else logged
        return replace(told, id=ids.of(logged.id))

    return redacted


def text_redaction_of(store: Store) -> Callable[[str], str]:
    """What de-identifies a text as the desk's own are; leaves it as it is where the desk does."""
    redactor = _redactor_in_use(store)
    return (lambda text: redactor.redact(text)[0]) if redactor else (lambda text: text)


def _redactor_in_use(store: Store) -> Redactor | None:
    return redactor_of(store) if store.setting("redact", True) else None
