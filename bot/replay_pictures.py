"""The pictures of a replay's page, each with its title and what it says in numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from bot.charts import Axis, bars, lines
from bot.replay_figures import Decided, ReplayReport
from conversations.replay_tables import ReplayRun
from conversations.replays import Replays
from training.metrics import recall_at, reliability, risk_coverage

Floats = npt.NDArray[np.float64]

WAITS_A_BAR = 10
"""Timed turns to a bar, on average: with fewer the bars show chance."""
MOST_BARS = 20
SLOWEST_SHOWN = 99
"""Percentile where the axis of waiting times ends: one turn that took ten times as long would squeeze all others."""
DEEPEST = 50


def share_words(value: float | None) -> str:
    """A share as people read it."""
    return "-" if value is None else f"{100 * value:.1f} %"


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"


def pictures(replays: Replays, run: ReplayRun, report: ReplayReport) -> list[tuple[str, str, Markup]]:
    """Title, what it says in numbers, and the picture."""
    numbers = replays.numbers(run.id, ("rank", "is_right", "confidence", "wait"))
    rank, confidence = numbers["rank"], numbers["confidence"]
    right, waits = numbers["is_right"] > 0, numbers["wait"][np.isfinite(numbers["wait"])]
    recall = [(float(k), recall_at(rank, k)) for k in range(1, DEEPEST + 1)]
    counts, quickest, slowest = waiting_bars(waits)
    known = [(1.0, report.known), (float(DEEPEST), report.known)]
    of_confidence = _pictures_of_confidence(report.decided, confidence, right) if report.decided else []
    return [
        (
            "Recall at k",
            f"The agent's answer is ranked first in {share_words(report.recall_at_1)} of the turns and among five in "
            f"{share_words(report.recall_at_5)}; the desk knows it in {share_words(report.known)} (dashed).",
            lines("Recall at k", Axis("first k answers", 0, DEEPEST), _share_axis("recall"), [recall], (), known),
        ),
        *of_confidence,
        (
            "Waiting time",
            f"Median {_milliseconds(report.p50_ms)}, 95th percentile {_milliseconds(report.p95_ms)}, of {len(waits)} "
            "turns asked one at a time; what took longer than the axis stands in the last bar.",
            bars(
                "Distribution of waiting times",
                Axis("milliseconds", quickest, slowest),
                Axis("turns", 0.0, float(max(*counts, 1))),
                counts,
            ),
        ),
    ]


def _pictures_of_confidence(
    decided: Decided, confidence: Floats, right: npt.NDArray[np.bool_]
) -> list[tuple[str, str, Markup]]:
    """As `pictures`, of what a decision rests on."""
    trusted = reliability(confidence, right)
    coverage, risk = risk_coverage(confidence, right)
    return [
        (
            "Reliability",
            f"ECE {decided.calibration}; a perfect confidence would show {decided.calibration.noise:.3f} by chance. "
            "Dots on the dashed line say the truth.",
            lines(
                "Reliability diagram",
                _share_axis("confidence"),
                _share_axis("right"),
                [[(mean, part) for mean, part, _ in trusted]],
                [(mean, part) for mean, part, _ in trusted],
                [(0.0, 0.0), (1.0, 1.0)],
            ),
        ),
        (
            "Risk and coverage",
            f"AURC {decided.aurc:.3f}; {share_words(decided.careful_coverage)} could be answered with 5 % of the "
            "answers wrong (dashed), in hindsight: attendant tune says what can be promised.",
            lines(
                "Risk-coverage curve",
                _share_axis("answered"),
                _share_axis("wrong among these"),
                [list(zip(coverage.tolist(), risk.tolist(), strict=True))],
                (),
                [(0.0, 0.05), (1.0, 0.05)],
            ),
        ),
    ]


def waiting_bars(waits: Floats) -> tuple[list[int], float, float]:
    """How many turns waited how long: a number a bar, and where the first begins and the last, open one, ends.

    Args:
        waits: (turns,) milliseconds.

    >>> waiting_bars(np.array([20.0, 25.0, 30.0] * 20 + [900.0]))
    ([20, 0, 0, 20, 0, 21], 20.0, 30.0)
    """
    if not len(waits):
        return [0], 0.0, 1.0
    low, high = float(waits.min()), float(np.percentile(waits, SLOWEST_SHOWN, method="lower"))
    high = high if high > low else low + 1.0
    bins = min(max(len(waits) // WAITS_A_BAR, 1), MOST_BARS)
    counts, _ = np.histogram(np.minimum(waits, high), bins, (low, high))
    return counts.tolist(), low, high


def _share_axis(label: str) -> Axis:
    return Axis(label, 0.0, 1.0, as_percent=True)
