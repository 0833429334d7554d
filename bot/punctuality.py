"""What a person should know of followed conversations that come too late to be tested, or by another clock.

Who follows logs waits for alarms: none can come of what counts nowhere, so it is said while it happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.periods import Periods
from conversations.model import Conversation
from conversations.moments import names_no_zone, read_moment

LOOKS = 5
"""In a row that must find the same difference between two clocks: logs that are written in batches have many."""
_EXACTLY = timedelta(minutes=3)
_HALF_HOUR = timedelta(minutes=30)
_FARTHEST = timedelta(hours=14)


class Punctuality:
    """Looks at what comes, and says what is wrong with its times."""

    def __init__(self, periods: Periods) -> None:
        """Has seen nothing.

        Args:
            periods: that are tested.
        """
        self._periods = periods
        self._late = 0
        self._told_at: datetime | None = None
        self._difference = timedelta()
        self._looks = 0
        """In a row that found it."""
        self._has_told_difference = False

    def notices(self, new: Sequence[Conversation], late: int, now: datetime) -> list[str]:
        """What is to be said after a look at the logs.

        Args:
            new: what it found, as each conversation stands now.
            late: conversations so far that came after their period was tested.
            now: UTC.
        """
        return [*self._of_late(late, now), *self._of_difference(new, now)]

    def _of_late(self, late: int, now: datetime) -> list[str]:
        is_due = self._told_at is None or now - self._told_at >= self._periods.length
        if late == self._late or not is_due:
            return []
        self._late, self._told_at = late, now
        return [
            f"Conversations come after their period was tested and are left out, {late:,} so far. Log them while "
            f"they run, or take a longer --period; times that name no zone are read in {self._periods.zone} "
            "(--time-zone)."
        ]

    def _of_difference(self, new: Sequence[Conversation], now: datetime) -> list[str]:
        found = {self._between_clocks(time, now) for one in new if names_no_zone(time := one.turns[-1].at)}
        if self._has_told_difference or not found:
            return []
        difference = found.pop()
        is_same = not found and difference == self._difference
        self._looks, self._difference = self._looks + 1 if is_same else 1, difference
        if not difference or self._looks < LOOKS:
            return []
        self._has_told_difference = True
        side = "behind" if difference > timedelta() else "ahead of"
        hours = f"{abs(difference) / timedelta(hours=1):g} hours {side}"
        return [
            f"The logs' times name no zone, are read in {self._periods.zone}, and are about {hours} this machine's "
            "clock. Name their zone, such as --time-zone America/New_York."
        ]

    def _between_clocks(self, time: str | None, now: datetime) -> timedelta:
        """By how much a time that was just logged is behind the clock, in half hours, as zones are; 0 for others."""
        read = read_moment(time, self._periods.zone)
        behind = now - read if read else timedelta()
        zones = round(behind / _HALF_HOUR) * _HALF_HOUR
        is_other_zone = 2 * _HALF_HOUR <= abs(zones) <= _FARTHEST and abs(behind - zones) <= _EXACTLY
        return zones if is_other_zone else timedelta()
