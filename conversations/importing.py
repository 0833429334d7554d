"""Logs into a desk: read, de-identified, paired and stored, each conversation whole or not at all."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from conversations.errors import LogError
from conversations.model import Conversation
from conversations.pairs import extract_pairs
from conversations.privacy import PRIVACY_VERSION, Redactor
from conversations.readers import Rejected, read_logs
from conversations.readers.rows import earlier_names
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
    """Conversations that the desk had already, just as they are."""
    unanswered: int
    """Of the new or grown ones those in which no agent answers the customer: kept, though they give no pairs."""
    warning: str = ""


@dataclass(slots=True)
class _Prepared:
    """A conversation ready to be written."""

    conversation: Conversation
    digest: str
    earlier_names: list[str]


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
        kept = asdict(rejected) | {"raw": self._redactor.redact(raw)[0] if self._redactor else raw}
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
    """Imports logs into a desk. The same log twice adds nothing; a conversation that grew replaces itself.

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
    redactor = Redactor(salt) if redact else None
    rejects = _Rejects(rejects_dir, redactor)
    before = desk_store.counts()
    added = turns = pairs = redactions = unchanged = unanswered = 0
    read: set[str] = set()
    for batch in _batches(read_logs(paths, on_progress), rejects):
        new: list[_Prepared] = []
        for conversation in batch:
            # What stands in these logs beside the longer one is another conversation that began in the same words.
            earlier = [name for name in earlier_names(conversation) if name not in read]
            read.add(conversation.id)
            digest = _digest(conversation, salt, redact)
            if desk_store.conversation_digest(conversation.id) == digest:
                unchanged += 1
                continue
            told, count = redactor.redact_conversation(conversation) if redactor else (conversation, 0)
            redactions += count
            new.append(_Prepared(told, digest, earlier))
        with desk_store.transaction():
            # With the first of them: an import that brings nothing changes nothing.
            desk_store.set_setting("redact", redact)
            for prepared in new:
                _drop_earlier_states(desk_store, prepared)
                found = extract_pairs(prepared.conversation)
                own_pairs = desk_store.add_conversation(prepared.conversation, prepared.digest, found)
                pairs += own_pairs
                unanswered += not own_pairs
                turns += len(prepared.conversation.turns)
        added += len(new)
    if added == unchanged == 0:
        _raise_nothing(rejects)
    if added:
        desk_store.compact()
    return ImportReport(
        conversations=added,
        turns=turns,
        pairs=pairs,
        answers=max(0, desk_store.counts()["answers"] - before["answers"]),
        redactions=redactions,
        rejected=rejects.count,
        rejects_file=str(rejects.path) if rejects.count else None,
        unchanged=unchanged,
        unanswered=unanswered,
        warning=""
        if redact
        else "Personal data were stored as they are: names, numbers and addresses can reach customers.",
    )


def _drop_earlier_states(desk_store: Store, prepared: _Prepared) -> None:
    """Removes what a conversation without an id was before it grew: the same words of the same customer at the same
    times, so far as the log names them.
    """
    grown = prepared.conversation
    for earlier in list(desk_store.conversations(prepared.earlier_names)):
        same_times = all(before.at == now.at for before, now in zip(earlier.turns, grown.turns, strict=False))
        if same_times and (earlier.source, earlier.customer) == (grown.source, grown.customer):
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


def _digest(conversation: Conversation, salt: str, redact: bool) -> str:
    """Of the conversation as it was logged and of how it is de-identified; salted, for it comes from personal
    data.
    """
    content = json.dumps([asdict(conversation), PRIVACY_VERSION if redact else None], sort_keys=True)
    return hashlib.blake2b(content.encode("utf-8"), key=salt.encode("ascii"), digest_size=16).hexdigest()
