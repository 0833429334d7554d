"""The customer in front of the bot: what the desk knows from before, and forgetting all of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from conversations.desk import Desk
from conversations.errors import DeskError
from conversations.model import Turn
from conversations.privacy import Redactor
from conversations.store import Store
from index.forgetting import forget_in_indexes

_DID_NOT_HELP = re.compile(
    r"""
      (?:did|do|does|has|have|is|was)(?:n.?t|\snot)\s(?:\w+\s){0,2}?(?:help|work|fix|solve|change|do\sanything)
    | \b(?:no|without)\s(?:any\s)?(?:luck|success|difference|change|joy|effect|improvement)\b
    | \bstill\s(?:not?|broken|stuck|fail|isn.?t|doesn.?t|won.?t|can.?t|cannot|the\ssame|says|shows|nothing|an?)\b
    | \b(?:same|that)\s(?:old\s)?(?:problem|error|issue|fault|message|thing)\s(?:again|as\sbefore|is\sback|came\sback)
    | \b(?:already|have)\s(?:tried|done)\s(?:that|this|it|all|the)\b
    | \bnothing\s(?:has\s)?(?:changed|happens|happened|helped|works|worked)\b
    | \b(?:made|makes)\s(?:it|things)\sworse\b
    | \b(?:useless|to\sno\savail|in\svain)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Customer:
    """A customer as one desk knows them."""

    name: str
    """The id in the logs; only ever in memory."""
    key: str
    """As the desk stores it: a pseudonym, where it de-identifies."""
    earlier: tuple[Turn, ...] = ()
    """Their last few conversations, oldest turn first."""
    failed: tuple[str, ...] = ()
    """Answers that they were given before and that did not help."""

    @property
    def summary(self) -> str:
        """What is known, in one line."""
        if not self.earlier:
            return f"Customer {self.name}: nothing is known from before."
        failed = f", {len(self.failed)} answers that did not help" if self.failed else ""
        return f"Customer {self.name}: {len(self.earlier)} turns of earlier conversations{failed}."

    def failed_before(self, turns: Sequence[Turn]) -> tuple[str, ...]:
        """Answers not to give now: those that failed, and the latest one where this dialogue begins by saying so."""
        return (*self.failed, *failed_answers([*self.earlier[-1:], *turns[:1]]))


def known_customer(store: Store, name: str) -> Customer:
    """What a desk knows of a customer; one it does not know has no earlier turns.

    Args:
        store: of the desk.
        name: the customer's id as the logs have it.
    """
    key = Redactor(str(store.setting("salt", ""))).pseudonym(name) if store.setting("redact", True) else name
    earlier = store.earlier_turns(key)
    bad = [given.answer_id for given in store.feedback(key) if given.verdict == "bad"]
    failed = [*failed_answers(earlier), *(answer.text for answer in store.answers(bad))]
    return Customer(name, key, earlier, tuple(dict.fromkeys(failed)))


def failed_answers(turns: Sequence[Turn]) -> list[str]:
    """What agents said right before the customer said that it did not help.

    >>> turns = [Turn("agent", "Press the button for ten seconds."), Turn("customer", "No luck, still a red light.")]
    >>> failed_answers(turns)
    ['Press the button for ten seconds.']
    """
    return [
        said.text
        for said, reply in pairwise(turns)
        if said.role == "agent" and reply.role == "customer" and _DID_NOT_HELP.search(reply.text)
    ]


def forget_customer(desk: Desk, name: str) -> dict[str, int]:
    """Removes a customer from a desk: conversations, answers only they were given, feedback, vectors, token states.

    Models that were trained before keep what they learned; the next training does without.

    Args:
        desk: where to.
        name: the customer's id as the logs have it.

    Returns:
        What was removed, counted.

    Raises:
        DeskError: the desk knows no such customer.
    """
    with desk.writing(), desk.store() as store:
        removed: dict[str, int] = {}
        # A desk may hold logs from before it de-identified.
        for key in (name, Redactor(str(store.setting("salt", ""))).pseudonym(name)):
            gone = store.delete_customer(key)
            removed = {what: removed.get(what, 0) + count for what, count in gone.items()}
        store.compact()
        # Even for a customer nobody knows: a run killed here before may have left the index as it was.
        removed["vectors"] = forget_in_indexes(desk.index_path, store)
        if not any(removed.values()):
            raise DeskError(
                f"The desk {desk.name} knows no customer {name!r}.", "Give the id as it stands in the logs."
            )
    return removed
