"""Taking answers out of service that are no longer true or turned out to be wrong, and putting them back.

Nothing else of the desk is written, so that this waits for no import or training: what these have read already they
go on with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conversations.desk import Desk
from conversations.errors import DeskError
from conversations.service import AnswerRecord
from conversations.store import Store
from index.equality import AnswerEquality


@dataclass(frozen=True)
class Change:
    """What became of one answer."""

    answer: AnswerRecord
    """As it is now."""
    is_new: bool
    """False where it was withdrawn, or in service, already."""
    alike: tuple[int, ...] = ()
    """Of a withdrawn answer, the answers in service that say nearly the same."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**record_json(self.answer), "changed": self.is_new, "alike": list(self.alike)}


def withdraw(desk: Desk, answers: Sequence[int], because: str | None = None) -> list[Change]:
    """Takes answers out of service, all or, where one is not known, none.

    Args:
        desk: that has them.
        answers: their ids.
        because: why.

    Raises:
        DeskError: the desk has no such answer.
    """
    with desk.store() as store:
        with store.transaction():
            before = _known(desk, store, answers)
            store.service.withdraw(answers, because)
            now = _known(desk, store, answers)
        out = store.service.withdrawn()
        said = AnswerEquality(store.answers()).like([frozenset({answer}) for answer in before])
        alike = {answer: tuple(sorted(same - out)) for answer, same in zip(before, said, strict=True)}
        return [Change(record, before[answer].withdrawal is None, alike[answer]) for answer, record in now.items()]


def restore(desk: Desk, answers: Sequence[int]) -> list[Change]:
    """Puts withdrawn answers back into service, all or none; arguments and errors as for `withdraw`."""
    with desk.store() as store, store.transaction():
        before = _known(desk, store, answers)
        store.service.restore(answers)
        now = _known(desk, store, answers)
    return [Change(record, before[answer].withdrawal is not None) for answer, record in now.items()]


def why_gone(store: Store, answer: int) -> str:
    """That an answer left the desk since it was shown, as a sentence; empty where it did not.

    Args:
        store: of the desk.
        answer: the id of the answer.
    """
    if not next(iter(store.answers([answer])), None):
        return f"Answer {answer} was forgotten since it was shown."
    is_out = store.service.withdrawn_among([answer])
    return f"Answer {answer} was taken out of service since it was shown." if is_out else ""


def record_json(record: AnswerRecord) -> dict[str, Any]:
    """An answer under the names that scripts rely on."""
    return {
        "answer_id": record.id,
        "given": record.given,
        "conversations": record.conversations,
        "last": record.last,
        "withdrawn": record.withdrawal and record.withdrawal._asdict(),
        "text": record.text,
    }


def _known(desk: Desk, store: Store, answers: Sequence[int]) -> dict[int, AnswerRecord]:
    """The answers by id, in the order in which they are named."""
    found = {record.id: record for record in store.service.records(ids=answers)[0]}
    unknown = [str(answer) for answer in dict.fromkeys(answers) if answer not in found]
    if unknown:
        raise DeskError(
            f"The desk {desk.name} has no answer {', '.join(unknown)}; nothing was changed.",
            f"Their numbers: attendant answers --desk {desk.name}",
        )
    return {answer: found[answer] for answer in dict.fromkeys(answers)}
