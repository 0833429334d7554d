"""`/forget` in a running dialogue: removes its customer from the desk, once that was asked for twice in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from bot.customer import Customer
    from conversations.desk import Desk


class Forgetting:
    """Listens for the second `/forget`."""

    def __init__(self, command: str, tell: Callable[[str], None]) -> None:
        """Has heard nothing yet.

        Args:
            command: that names a customer when it begins, such as "attendant chat".
            tell: shows a line from the program itself.
        """
        self._command = command
        self._tell = tell
        self._is_warned = False
        """Whether the line before was told what would be removed."""
        self._is_asked_again = False

    def hear(self, name: str) -> None:
        """Takes note of every line: with anything between, two are not in a row.

        Args:
            name: of the command that the line calls; empty for a message.
        """
        self._is_asked_again = self._is_warned and name == "forget"
        self._is_warned = False

    def is_confirmed(self, customer: Customer | None) -> TypeGuard[Customer]:
        """Whether this `/forget` is to remove the customer; says so where it is not.

        Args:
            customer: of the dialogue.
        """
        if customer is None:
            self._tell(f"It is not known who the customer is: begin with {self._command} --customer ID.")
            return False
        if not self._is_asked_again:
            self._is_warned = True
            self._tell(f"This removes all that the desk holds of customer {customer.name}. /forget again does it.")
            return False
        return True


def forgotten(desk: Desk, customer: Customer) -> str:
    """Removes the customer, and says what was removed. The dialogue should end: what it has open still knows them."""
    from bot.customer import forget_customer

    removed = forget_customer(desk, customer.name)
    return f"Removed: {', '.join(f'{count} {what}' for what, count in removed.items())}."
