"""A control chart of shares: is this period worse than what was usual before, by more than chance?

Decisions:
- The unit is the conversation, not the turn: turns of one conversation sound alike, conversations do not know of each
  other.
- A count of a new period is held against what the earlier periods let expect of it: the beta-binomial predictive
  distribution under Jeffreys' prior (Gelman et al., Bayesian Data Analysis, 2.4), so that a short baseline alarms as
  rarely as a long one. Counts are whole numbers, so alarms are rarer than stated, never more frequent.
- The stated rate is for a whole period: it is shared out among the series tested in it (Bonferroni).
- What alarmed is not taken as usual, until it has alarmed so often that it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

LEAST_BASELINE = 20
"""Conversations that must have been seen of a series before it is tested."""
LEAST_COUNT = 3
"""Conversations of a period that are worth a test."""
NEW_USUAL = 5
"""Alarms running after which a series' baseline is what it has been since the first of them."""


@dataclass(frozen=True, slots=True)
class Count:
    """Conversations, and how many of them turned negative."""

    conversations: int = 0
    negative: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.conversations + other.conversations, self.negative + other.negative)

    @property
    def share(self) -> float:
        """The negative ones' share; 0 of none."""
        return self.negative / self.conversations if self.conversations else 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """One series in one period."""

    series: str
    count: Count
    baseline: Count
    """Of the periods before."""
    p_value: float | None
    """Chance of so many negative conversations or more, if nothing has changed; None where it was not tested."""
    is_alarm: bool = False


class ControlChart:
    """Keeps a baseline for every series and tests each period that ends against it."""

    def __init__(self, false_alarms: float = 0.01) -> None:
        """Begins without any baseline.

        Args:
            false_alarms: of all periods in which nothing has changed, at most this share alarms.

        Raises:
            ValueError: it is not between 0 and 1.
        """
        if not 0.0 < false_alarms < 1.0:
            raise ValueError("The share of false alarms must be between 0 and 1.")
        self.false_alarms = false_alarms
        self._usual: dict[str, Count] = {}
        self._running: dict[str, list[Count]] = {}

    def close(self, counts: Mapping[str, Count]) -> list[Reading]:
        """Tests a period that is over, and takes what did not alarm into the baseline.

        Args:
            counts: by series; each conversation counts in every series that it belongs to.
        """
        readings = self.read(counts)
        for reading in readings:
            series = reading.series
            running = [*self._running.pop(series, []), reading.count] if reading.is_alarm else []
            if len(running) >= NEW_USUAL:
                self._usual[series] = sum(running, Count())
            elif reading.is_alarm:
                self._running[series] = running
            else:
                self._usual[series] = reading.baseline + reading.count
        return readings

    def read(self, counts: Mapping[str, Count]) -> list[Reading]:
        """How a period stands that may still run; nothing is learned from it."""
        tested = {
            series: _chance(count, self._usual[series])
            for series, count in counts.items()
            if count.conversations >= LEAST_COUNT and self._usual.get(series, Count()).conversations >= LEAST_BASELINE
        }
        limit = self.false_alarms / max(len(tested), 1)
        return [
            Reading(
                series=series,
                count=count,
                baseline=self._usual.get(series, Count()),
                p_value=tested.get(series),
                is_alarm=tested.get(series, 1.0) <= limit,
            )
            for series, count in counts.items()
        ]


def _chance(count: Count, baseline: Count) -> float:
    """Probability of as many negative conversations or more, by what was seen before.

    >>> round(_chance(Count(10, 6), Count(100, 10)), 5), _chance(Count(10, 0), Count(100, 10))
    (0.00045, 1.0)
    """
    from scipy.stats import betabinom

    if count.negative == 0:
        return 1.0
    others = baseline.conversations - baseline.negative
    as_many = np.arange(count.negative, count.conversations + 1)
    # Summed here: the distribution's own tail function is a hundred times slower.
    chances = betabinom.pmf(as_many, count.conversations, baseline.negative + 0.5, others + 0.5)
    return min(float(chances.sum()), 1.0)
