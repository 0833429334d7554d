"""The agent turns of logs as requests to a pipeline, each with what the agent said, read as a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bot.dialogue import Request
from bot.pipeline import Pipeline
from conversations.model import Conversation
from conversations.pairs import extract_pairs
from conversations.privacy import redactor_of
from conversations.readers import Rejected, log_files, read_logs
from conversations.store import Store


@dataclass(frozen=True, slots=True)
class LoggedTurn:
    """One agent turn of a log."""

    request: Request
    """The dialogue up to it; its own conversation is not to be seen."""
    conversation: str
    answer: str
    """What the agent said."""

    @property
    def question(self) -> str:
        """What the customer said last."""
        return self.request.turns[-1].text


class LoggedTurns:
    """The agent turns of some logs, de-identified as the desk's own are."""

    def __init__(
        self, pipeline: Pipeline, paths: Iterable[Path], on_progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Finds the files; they are opened as they are read.

        Args:
            pipeline: of the desk that is to be asked.
            paths: logs in any format that import reads.
            on_progress: called with (bytes read, bytes in all).

        Raises:
            LogError: a log is not there.
        """
        self._store = pipeline.store
        self._files = log_files(list(paths))
        self._size = sum(file.stat().st_size for file in self._files)
        self._on_progress = on_progress
        self.rejected = 0
        """Lines that could not be read so far."""

    def batches(self, size: int, limit: int | None = None) -> Iterator[list[LoggedTurn]]:
        """All turns, or the first so many, in lists."""
        turns = islice(self._turns(), limit)
        while batch := list(islice(turns, size)):
            yield batch

    def _show(self, read: int) -> None:
        if self._on_progress:
            self._on_progress(read, self._size)

    def _turns(self) -> Iterator[LoggedTurn]:
        redactor = redactor_of(self._store) if self._store.setting("redact", True) else None
        for entry in read_logs(self._files, self._show):
            if isinstance(entry, Rejected):
                self.rejected += 1
                continue
            conversation = redactor.redact_conversation(entry)[0] if redactor else entry
            began = conversation.turns[0].at if conversation.turns else None
            is_known = conversation.customer and began
            earlier = self._store.earlier_turns(str(conversation.customer), began) if is_known else ()
            for pair in extract_pairs(conversation):
                request = Request(pair.dialogue, pair.conversation, earlier=earlier)
                yield LoggedTurn(request, pair.conversation, pair.answer)


def read_conversations(
    store: Store, paths: Iterable[Path], on_progress: Callable[[int, int], None] | None = None
) -> Iterator[Conversation]:
    """The conversations of some logs, de-identified as the desk's own are; what cannot be read is passed over.

    Args:
        store: of the desk.
        paths: logs in any format that import reads.
        on_progress: called with (bytes read, bytes in all).

    Raises:
        LogError: a log is not there.
    """
    files = log_files(list(paths))
    size = sum(file.stat().st_size for file in files)
    redactor = redactor_of(store) if store.setting("redact", True) else None
    for entry in read_logs(files, lambda read: on_progress(read, size) if on_progress else None):
        if not isinstance(entry, Rejected):
            yield redactor.redact_conversation(entry)[0] if redactor else entry
