"""A control chart of moods: does this period sound worse than what was usual before, by more than chance?

Decisions:
- The unit is the conversation, not the turn: turns of one conversation sound alike, conversations do not know of each
  other.
- What is tested is how calm conversations are (`bot.mood.calmness`), not the mood that is shown beside: that is drawn
  to its ends where a mild complaint and an open one are nearly the same.
- A period is held against all earlier ones by a rank-sum test (Mann and Whitney 1947): it assumes nothing of how
  calm conversations usually are, and a topic on which customers mostly complain has its own baseline. In STAR's log
  it told all of 28 bursts of which a test of the share of negative conversations told 24.
- The stated rate of false alarms is for a whole period: it is shared out among the series tested in it (Bonferroni).
- What alarmed is not taken as usual, until it has alarmed so often that it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

LEAST_BASELINE = 20
"""Conversations that must have been heard of a series before it is tested."""
MOST_BASELINE = 5_000
"""The latest conversations that are kept of a series."""
LEAST_HEARD = 3
"""Conversations of a period that are worth a test."""
NEW_USUAL = 5
"""Alarms running after which a series' baseline is what it has been since the first of them."""
EXPANDED = 2e-4
"""Chances down to which the expansion of `_chance` is true to a tenth."""


class Sound(NamedTuple):
    """How one conversation sounds."""

    mood: float
    """From -1 to 1, to be shown."""
    calm: float
    """On any scale, lower is worse: what is tested."""


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
    """Chance of conversations as little calm as these, if nothing has changed; None where it was not tested."""
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
        self._usual: dict[str, list[Sound]] = {}
        self._running: dict[str, list[list[Sound]]] = {}

    def close(self, sounds: Mapping[str, Sequence[Sound]]) -> list[Reading]:
        """Tests a period that is over, and takes what did not alarm into the baseline.

        Args:
            sounds: by series those of its conversations; each conversation counts in every series it belongs to.
        """
        readings = self.read(sounds)
        for reading in readings:
            series, new = reading.series, list(sounds[reading.series])
            before = self._running.pop(series, []) if reading.p_value is not None else []
            running = [*before, new] if reading.is_alarm else []
            if len(running) >= NEW_USUAL:
                self._usual[series] = [sound for period in running for sound in period]
            elif reading.is_alarm:
                self._running[series] = running
            else:
                self._usual[series] = [*self._usual.get(series, []), *new][-MOST_BASELINE:]
        return readings

    def read(self, sounds: Mapping[str, Sequence[Sound]]) -> list[Reading]:
        """How a period stands that may still run; nothing is learned from it."""
        tested = {
            series: _chance(new, usual)
            for series, new in sounds.items()
            if len(new) >= LEAST_HEARD and len(usual := self._usual.get(series, [])) >= LEAST_BASELINE
        }
        limit = self.false_alarms / max(len(tested), 1)
        readings = []
        for series, new in sounds.items():
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


def _chance(new: Sequence[Sound], usual: Sequence[Sound]) -> float:
    """One-sided p-value of the rank-sum test that the new conversations are less calm.

    By the normal approximation with the correction for ties, and one term of the Edgeworth expansion for the tails
    (Fix and Hodges 1955): the normal ones are too heavy for few conversations, which would alarm less than they may.
    Below `EXPANDED` the expansion is not true any more, and the normal approximation has the word.

    >>> calm = [Sound(0.0, step / 50) for step in range(50)]
    >>> round(_chance([Sound(0.0, -0.1)] * 3, calm), 4), round(_chance(calm[20:30], calm), 1)
    (0.0004, 0.5)
    """
    from scipy.stats import norm, rankdata, tiecorrect

    ranks = rankdata([sound.calm for sound in (*new, *usual)])
    few, many, ties = len(new), len(usual), float(tiecorrect(ranks))
    if not ties:
        return 1.0
    products = few * many
    variance = products * (few + many + 1) / 12
    below = float(ranks[:few].sum()) - few * (few + 1) / 2 - products / 2
    z = (below + 0.5) / (variance * ties) ** 0.5
    normal = float(norm.cdf(z))
    fourth = -products * (few + many + 1) * (few**2 + many**2 + products + few + many) / 120
    expanded = normal - float(norm.pdf(z)) * fourth / variance**2 / 24 * (z**3 - 3 * z)
    return float(min(max(expanded, min(normal, EXPANDED)), 1.0))


def _mean(sounds: Sequence[Sound]) -> float:
    return sum(sound.mood for sound in sounds) / len(sounds) if sounds else 0.0
