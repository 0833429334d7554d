"""`/forget` in a running dialogue: removes its customer from the desk, once that was asked for twice in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from bot.customer import Customer
    from conversations.desk import Desk

FROM_LOG = 'the followed log has to name them ("customer": "ID")'
"""How that gets known where a log is followed."""


class Forgetting:
    """Listens for the second `/forget`, and obeys it."""

    def __init__(self, known_by: str, tell: Callable[[str], None]) -> None:
        """Has heard nothing yet.

        Args:
            known_by: how it gets known who the customer is, as it is said where it is not.
            tell: shows a line from the program itself.
        """
        self.known_by = known_by
        self._tell = tell
        self._warned_of: str | None = None
        """Whom the line before was told that it would remove."""
        self._asked_again_for: str | None = None
        self.is_going_on = False
        """Whether the customer is being removed: nothing more may be kept of the dialogue."""

    def hear(self, name: str) -> None:
        """Takes note of every line: with anything between, two are not in a row.

        Args:
            name: of the command that the line calls; empty for a message.
        """
        self._asked_again_for = self._warned_of if name == "forget" else None
        self._warned_of = None

    def is_confirmed(self, customer: Customer | None) -> TypeGuard[Customer]:
        """Whether this `/forget` is to remove the customer; says so where it is not.

        Args:
            customer: of the dialogue.
        """
        if customer is None:
            self._tell(f"It is not known who the customer is: {self.known_by}.")
            return False
        if self._asked_again_for != customer.name:
            # Also where a followed log has begun another customer's dialogue in between.
            self._warned_of = customer.name
            self._tell(f"This removes all that the desk holds of customer {customer.name}. /forget again does it.")
            return False
        return True

    def forget(self, desk: Desk, customer: Customer) -> str:
        """Removes the customer, and says what was removed.

        The dialogue should end then: what it has open still knows them.
        """
        from bot.customer import forget_customer

        self.is_going_on = True
        try:
            removed = forget_customer(desk, customer.name)
        except BaseException:
            self.is_going_on = False
            raise
        counted = ", ".join(f"{count} {what}" for what, count in removed.items())
        return f"Removed: {counted}. Later imports leave them out."
