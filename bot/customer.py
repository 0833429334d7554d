"""The customer in front of the bot: what the desk knows from before, and forgetting all of it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.failures import one_line
from conversations.desk import Desk
from conversations.errors import AttendantError, DeskError
from conversations.known_ids import KnownIds
from conversations.model import Turn
from conversations.privacy import redactor_of
from conversations.privacy_ids import holds_person
from conversations.store import Store
from index.forgetting import forget_in_indexes, is_any_behind

_AS_IN_LOGS = "Give the id as it stands in the logs."


@dataclass(frozen=True)
class Customer:
    """A customer as one desk knows them."""

    name: str
    """The id in the logs; a desk that de-identifies never stores it, /save writes it into the transcript."""
    key: str
    """As the desk stores it: a pseudonym, where it de-identifies."""
    earlier: tuple[Turn, ...] = ()
    """What was said in their earlier conversations, oldest turn first; see `Store.earlier_turns`."""
    disliked: tuple[str, ...] = ()
    """Answers that were called bad in an earlier chat with them, by them or by the agent."""

    @property
    def summary(self) -> str:
        """What is known, in one line."""
        if not self.earlier:
            return f"Customer {self.name}: nothing is known from before."
        return f"Customer {self.name}: {len(self.earlier)} turns of earlier conversations."


def known_customer(store: Store, name: str) -> Customer:
    """What a desk knows of a customer; one it does not know has no earlier turns.

    Args:
        store: of the desk.
        name: the customer's id as the logs have it.
    """
    keys = _keys_of(store, name)
    key = keys[1] if store.setting("redact", True) else name
    judged = [given for one in keys for given in store.feedback(one)]
    bad = [given.answer_id for given in judged if given.verdict == "bad" and given.answer_id is not None]
    return Customer(name, key, store.earlier_turns(keys), tuple(answer.text for answer in store.answers(bad)))


def _keys_of(store: Store, name: str) -> tuple[str, str]:
    """A customer as they stand in the logs, and as a pseudonym: a desk may hold logs from before it de-identified,
    and from after it ceased to.
    """
    return name, redactor_of(store).pseudonym(name)


def forget_customer(desk: Desk, name: str) -> dict[str, int]:
    """Removes a customer from a desk, and keeps later imports from bringing them back.

    Conversations, answers only they were given, feedback, vectors, token states, turns in stored replays.

    Models that were trained before keep what they learned; the next training does without.

    Args:
        desk: where to.
        name: the customer's id as the logs have it.

    Returns:
        What was removed, counted.

    Raises:
        DeskError: the desk knows no such customer, they are gone from its store alone since files could not be
            written, or its index lacks an answer that goes on in the words of others.
    """
    with desk.writing(), desk.store() as store:
        keys = _keys_of(store, name)
        # Where a log names no customers, the id of a conversation may be the person's address or number.
        ids = KnownIds(store)
        named = ids.both(name) if holds_person(name) else ()
        replayed = _forget_replayed(desk, store, ids, keys, named)
        removed: dict[str, int] = {}
        # Together: the same command, given again, would not know any more that imports are to leave them out.
        with store.transaction():
            for key in keys:
                gone = store.delete_customer(key, store.conversation_ordinals(named))
                removed |= {what: removed.get(what, 0) + count for what, count in gone.items()}
            if any(removed.values()):
                store.leave_out(keys[1])
        # Even for a customer nobody knows: a run that ended here before may have left the index as it was.
        removed["vectors"] = _forget_traces(desk, store, name)
        removed["replayed turns"] = replayed
        _complete_indexes(desk, store, name)
        if not any(removed.values()):
            was_known = keys[1] in store.forgotten()
            remedy = "They were forgotten before: nothing of them is left." if was_known else _AS_IN_LOGS
            raise DeskError(f"The desk {desk.name} knows no customer {name!r}.", remedy)
    return removed


def _forget_traces(desk: Desk, store: Store, name: str) -> int:
    """Writes what the store no longer holds out of all files; how many vectors that were."""
    try:
        if not all([store.compact(), _write_out_replays(desk)]):
            raise DeskError("Another command is reading them.")
        return forget_in_indexes(desk.index_path, store)
    except (OSError, AttendantError) as error:
        raise DeskError(
            f"Customer {name!r} is removed from the store, but files may still hold traces: {one_line(error)}",
            "Once that is over, forget them again: it finishes this.",
        ) from error


def _complete_indexes(desk: Desk, store: Store, name: str) -> None:
    """Brings in answers that go on in the words of others: to the index they are new ones."""
    if not is_any_behind(desk.index_path, store):
        return
    from index.builder import update_index
    from training.registry import desk_embedder

    try:
        update_index(desk.index_path, store, desk_embedder(desk.models_path, store))
    except (OSError, AttendantError) as error:
        raise DeskError(
            f"Customer {name!r} is removed, but an answer that others were given too cannot be found yet: "
            f"{one_line(error)}",
            f"The next command that answers mends this, and so does attendant doctor --repair --desk {desk.name}.",
        ) from error


def _write_out_replays(desk: Desk) -> bool:
    if not desk.replays_path.exists():
        return True
    with desk.replays() as replays:
        return replays.write_out()


def allow_customer(desk: Desk, name: str) -> None:
    """Lets later imports bring a forgotten customer again.

    Args:
        desk: that forgot them.
        name: the customer's id as the logs have it.

    Raises:
        DeskError: the desk has not forgotten such a customer.
    """
    with desk.writing(), desk.store() as store:
        _, pseudonym = _keys_of(store, name)
        if pseudonym not in store.forgotten():
            raise DeskError(f"The desk {desk.name} has forgotten no customer {name!r}.", _AS_IN_LOGS)
        store.leave_out(pseudonym, is_left_out=False)


def _forget_replayed(desk: Desk, store: Store, ids: KnownIds, keys: tuple[str, ...], named: tuple[str, ...]) -> int:
    """Removes a customer's turns from stored replays; while the store still knows which conversations were theirs."""
    if not desk.replays_path.exists():
        return 0
    own = {*named, *(one for key in keys for kept in store.conversations_of(key) for one in ids.both(kept))}
    with desk.replays() as replays:
        # A replay may be older than what the desk calls a conversation now.
        return replays.forget(keys, lambda name: not own.isdisjoint(ids.both(name)))
