"""Equal periods of time by the clock of a place: its days begin at its midnight, its weeks on Monday."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from conversations.moments import read_moment

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Periods:
    """Periods of one length, counted from the beginning of year 1 on the place's clock.

    >>> from zoneinfo import ZoneInfo
    >>> days = Periods(timedelta(days=1), ZoneInfo("America/New_York"))
    >>> began = days.of("2026-11-26T10:02:00")
    >>> began.isoformat(), days.end(began).isoformat()
    ('2026-11-26T05:00:00+00:00', '2026-11-27T05:00:00+00:00')
    """

    length: timedelta
    zone: tzinfo = UTC
    """Of the place. A time that names no zone is taken to be its clock's."""

    def of(self, time: str | None) -> datetime | None:
        """When the period began in which a time lies, UTC; None where it cannot be read.

        Args:
            time: ISO 8601.
        """
        moment = read_moment(time, self.zone)
        try:
            return self._began(moment) if moment is not None else None
        except OverflowError:  # the place's clock shows no such year
            return None

    def end(self, began: datetime) -> datetime:
        """When a period is over, UTC.

        Args:
            began: when it began, as `of` gives it.
        """
        local = began.astimezone(self.zone)
        try:
            return self._utc(self._first(local) + self.length, self._fold(local))
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)

    def shown(self, began: datetime) -> datetime:
        """A moment by the place's clock."""
        return began.astimezone(self.zone)

    def _began(self, moment: datetime) -> datetime:
        local = moment.astimezone(self.zone)
        return self._utc(self._first(local), self._fold(local))

    def _first(self, local: datetime) -> datetime:
        """What the clock shows when a period begins."""
        shows = local.replace(tzinfo=None)
        return shows - (shows - datetime.min) % self.length

    def _fold(self, local: datetime) -> int:
        """Which of the two hours it is where the clock is set back; longer periods hold both."""
        return local.fold if self.length <= _HOUR else 0

    def _utc(self, shows: datetime, fold: int) -> datetime:
        return shows.replace(tzinfo=self.zone, fold=fold).astimezone(UTC)
