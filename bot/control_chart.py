"""A control chart of moods: does this period sound worse than what was usual before, by more than chance?

Decisions:
- The unit is the conversation, not the turn: turns of one conversation sound alike, conversations do not know of each
  other.
- A period is held against all earlier ones by a rank-sum test (Mann and Whitney 1947): it assumes nothing of how
  moods are spread, and a topic on which customers mostly complain has its own baseline. In STAR's log it told all of
  28 bursts of which a test of the share of negative conversations told 24.
- The stated rate of false alarms is for a whole period: it is shared out among the series tested in it (Bonferroni).
- What alarmed is not taken as usual, until it has alarmed so often that it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEAST_BASELINE = 20
"""Conversations that must have been heard of a series before it is tested."""
MOST_BASELINE = 5_000
"""The latest conversations that are kept of a series."""
LEAST_HEARD = 3
"""Conversations of a period that are worth a test."""
NEW_USUAL = 5
"""Alarms running after which a series' baseline is what it has been since the first of them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One series in one period."""

    series: str
    conversations: int
    mood: float
    """Their mean, from -1 to 1."""
    usual: float | None
    """Mean of the conversations before; None where there are none."""
    baseline: int
    """How many these are."""
    p_value: float | None
    """Chance of moods as low as these, if nothing has changed; None where it was not tested."""
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
        self._usual: dict[str, list[float]] = {}
        self._running: dict[str, list[list[float]]] = {}

    def close(self, moods: Mapping[str, Sequence[float]]) -> list[Reading]:
        """Tests a period that is over, and takes what did not alarm into the baseline.

        Args:
            moods: by series those of its conversations; each conversation counts in every series it belongs to.
        """
        readings = self.read(moods)
        for reading in readings:
            series, new = reading.series, list(moods[reading.series])
            before = self._running.pop(series, []) if reading.p_value is not None else []
            running = [*before, new] if reading.is_alarm else []
            if len(running) >= NEW_USUAL:
                self._usual[series] = [mood for period in running for mood in period]
            elif reading.is_alarm:
                self._running[series] = running
            else:
                self._usual[series] = [*self._usual.get(series, []), *new][-MOST_BASELINE:]
        return readings

    def read(self, moods: Mapping[str, Sequence[float]]) -> list[Reading]:
        """How a period stands that may still run; nothing is learned from it."""
        tested = {
            series: _chance(new, usual)
            for series, new in moods.items()
            if len(new) >= LEAST_HEARD and len(usual := self._usual.get(series, [])) >= LEAST_BASELINE
        }
        limit = self.false_alarms / max(len(tested), 1)
        readings = []
        for series, new in moods.items():
            usual = self._usual.get(series, [])
            readings.append(
                Reading(
                    series=series,
                    conversations=len(new),
                    mood=_mean(new),
                    usual=_mean(usual) if usual else None,
                    baseline=len(usual),
                    p_value=tested.get(series),
                    is_alarm=tested.get(series, 1.0) <= limit,
                )
            )
        return readings


def _chance(new: Sequence[float], usual: Sequence[float]) -> float:
    """One-sided p-value of the rank-sum test that the new moods are lower, by the normal approximation.

    For a few conversations the approximation is too large in the tail that alarms: they alarm less than they might.

    >>> round(_chance([-0.9, -0.8, -0.7], [0.0, 0.1, 0.2, 0.3] * 25), 4), _chance([0.1] * 3, [0.1] * 30)
    (0.0013, 1.0)
    """
    from scipy.stats import mannwhitneyu

    if min(new) == max(new) == min(usual) == max(usual):
        return 1.0
    return float(mannwhitneyu(new, usual, alternative="less", method="asymptotic").pvalue)


def _mean(moods: Sequence[float]) -> float:
    return sum(moods) / len(moods) if moods else 0.0
