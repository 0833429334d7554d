"""Logs into a desk: read, de-identified, paired and stored, each conversation whole or not at all."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from conversations.errors import LogError
from conversations.forgotten import Forgotten
from conversations.known_ids import KnownIds
from conversations.logged_state import relation, state_of
from conversations.model import Conversation
from conversations.moments import read_moment
from conversations.pairs import extract_pairs
from conversations.privacy import Redactor
from conversations.privacy_ids import without_addresses
from conversations.readers import Rejected, read_logs
from conversations.readers.rows import earlier_names, is_earlier_state
from conversations.store import Store

_BATCH = 500
"""Conversations a transaction: a kill loses at most these, and leaves no half of one."""
_RAW_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    conversations: int
    """New or grown."""
    turns: int
    pairs: int
    answers: int
    """New distinct answers."""
    redactions: int
    rejected: int
    rejects_file: str | None
    unchanged: int
    """Conversations that the desk had already, just as they are or further on."""
    replaced: int
    """Of the new or grown ones those that took the place of other words under the same id."""
    forgotten: int
    """Conversations of customers who were forgotten; they were left out."""
    unread_times: int
    """Times of turns that were not understood; they are kept as they are."""
    unanswered: int
    """Of the new or grown ones those in which no agent answers the customer: kept, though they give no pairs."""
    with_bot: int
    """Of the new or grown ones those with the bot: kept as history, without pairs."""
    warning: str = ""


@dataclass(slots=True)
class _Prepared:
    """A conversation ready to be written."""

    conversation: Conversation
    digest: str
    earlier_names: list[str]
    says_the_same: bool
    """Whether the desk has it shorter or de-identified by other rules, not with other turns."""


class _Rejects:
    """The file of what could not be imported; made when the first piece comes."""

    def __init__(self, directory: Path, redactor: Redactor | None) -> None:
        self._redactor = redactor
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        self.path = directory / f"{stamp}-{secrets.token_hex(3)}.jsonl"
        self.count = 0
        self.first: Rejected | None = None

    def add(self, rejected: Rejected) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        raw = rejected.raw[:_RAW_KEPT]
        kept = asdict(rejected) | {"raw": raw}
        if self._redactor:
            kept |= {what: without_addresses(self._redactor.redact(kept[what])[0]) for what in ("raw", "reason")}
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(kept) + "\n")
        self.count += 1
        self.first = self.first or rejected


def import_logs(
    desk_store: Store,
    paths: Iterable[Path | str],
    redact: bool = True,
    on_progress: Callable[[int], None] | None = None,
    rejects_dir: Path = Path("rejects"),
) -> ImportReport:
    """Imports logs into a desk. The same log twice adds nothing; a conversation that grew replaces itself, and one
    that the desk knows further on stays.

    Args:
        desk_store: The store, with the desk's writing lock held.
        paths: Log files and directories of them.
        redact: Whether personal data are replaced by placeholders before anything is stored.
        on_progress: Told the bytes read so far.
        rejects_dir: Where what could not be imported is kept.

    Raises:
        LogError: A file cannot be read at all, or none of the rows could be used.
        DeskError: The store cannot be written; all batches before are kept.
    """
    salt = desk_store.setting("salt")
    if salt is None:
        salt = secrets.token_hex(16)
        desk_store.set_setting("salt", salt)
    rejects = _Rejects(rejects_dir, Redactor(salt) if redact else None)
    importing = _Import(desk_store, salt, redact)
    before = desk_store.counts()
    for batch in _batches(read_logs(paths, on_progress), rejects):
        importing.take(batch)
    if importing.is_empty:
        _raise_nothing(rejects)
    if importing.conversations:
        desk_store.compact()
    return ImportReport(
        conversations=importing.conversations,
        turns=importing.turns,
        pairs=importing.pairs,
        answers=max(0, desk_store.counts()["answers"] - before["answers"]),
        redactions=importing.redactions,
        rejected=rejects.count,
        rejects_file=str(rejects.path) if rejects.count else None,
        unchanged=importing.unchanged,
        replaced=importing.replaced,
        forgotten=importing.forgotten,
        unread_times=importing.unread_times,
        unanswered=importing.unanswered,
        with_bot=importing.with_bot,
        warning=""
        if redact
        else "Personal data were stored as they are: names, numbers and addresses can reach customers.",
    )


class _Import:
    """One import going on: what it writes, and counts."""

    def __init__(self, desk_store: Store, salt: str, redact: bool) -> None:
        self._store = desk_store
        self._salt = salt
        self._redact = redact
        self._redactor = Redactor(salt)
        self._ids = KnownIds(desk_store, redact)
        self._forgotten = Forgotten(desk_store)
        self._is_switching = desk_store.setting("redact", redact) != redact
        self._read: set[str] = set()
        self.conversations = self.turns = self.pairs = self.redactions = 0
        self.unchanged = self.replaced = self.forgotten = self.unread_times = 0
        self.unanswered = self.with_bot = 0

    @property
    def is_empty(self) -> bool:
        """Whether no conversation came."""
        return not self._read

    def take(self, batch: list[Conversation]) -> None:
        """Writes what is new in a batch, all of it or nothing; no id stands in it twice."""
        new = [prepared for one in batch if (prepared := self._prepared(one)) is not None]
        with self._store.transaction():
            if new:  # an import that brings nothing changes nothing
                self._store.set_setting("redact", self._redact)
            for prepared in new:
                self._write(prepared)

    def _prepared(self, conversation: Conversation) -> _Prepared | None:
        """A conversation as it is to be written; None for one that the desk knows, as it is or further."""
        # What stands in these logs beside the longer one is another conversation that began in the same words.
        earlier = [name for name in earlier_names(conversation) if name not in self._read]
        was_read = conversation.id in self._read
        self._read.add(conversation.id)
        if self._forgotten.has(conversation):
            self.forgotten += 1
            return None
        state = state_of(conversation, self._salt, self._redact)
        name = self._ids.of(conversation.id)
        found = relation(state, self._store.conversation_digest(name))
        # One that is de-identified in another way from now on is written even where it is only a beginning.
        if found == "same" or (found == "beginning" and (was_read or not self._is_switching)):
            self.unchanged += 1
            return None
        self.replaced += found == "another"
        told, count = self._redactor.redact_conversation(conversation) if self._redact else (conversation, 0)
        self.redactions += count
        return _Prepared(replace(told, id=name), state, earlier, found in ("grown", "beginning"))

    def _write(self, prepared: _Prepared) -> None:
        _drop_earlier_states(self._store, prepared)
        found, name = extract_pairs(prepared.conversation), prepared.conversation.id
        withdrawn = self._store.service.withdrawn_turns(name) if prepared.says_the_same else {}
        pairs = self._store.add_conversation(prepared.conversation, prepared.digest, found)
        self._store.service.keep_withdrawn(name, withdrawn)
        self.conversations += 1
        self.pairs += pairs
        is_with_bot = prepared.conversation.is_with_bot
        self.with_bot += is_with_bot
        self.unanswered += not pairs and not is_with_bot
        turns = prepared.conversation.turns
        self.turns += len(turns)
        self.unread_times += sum(turn.at is not None and read_moment(turn.at) is None for turn in turns)


def _drop_earlier_states(desk_store: Store, prepared: _Prepared) -> None:
    """Removes what a conversation was under another name: one without an id before it grew; a row of a FAQ that was
    named without its file.
    """
    for earlier in list(desk_store.conversations(prepared.earlier_names)):
        if is_earlier_state(earlier, prepared.conversation):
            desk_store.delete_conversation(earlier.id)


def _raise_nothing(rejects: _Rejects) -> None:
    if rejects.first is None:
        raise LogError("The logs hold no conversations.", "Check that the right files were named.")
    first = rejects.first
    raise LogError(
        f"None of the {rejects.count} rows could be used; the first, {first.file}:{first.line}: {first.reason}.",
        f"All of them are in {rejects.path}.",
    )


def _batches(items: Iterator[Conversation | Rejected], rejects: _Rejects) -> Iterator[list[Conversation]]:
    """Conversations in batches, no id twice in one; what was rejected goes to its file."""
    batch: dict[str, Conversation] = {}
    for item in items:
        if isinstance(item, Rejected):
            rejects.add(item)
            continue
        if item.id in batch or len(batch) >= _BATCH:
            yield list(batch.values())
            batch = {}
        batch[item.id] = item
    if batch:
        yield list(batch.values())
