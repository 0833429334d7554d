"""The figures of a stored replay.

Every turn counts in every figure, once, also where the desk knows no answer that says what the agent said. Recall and
MRR are of the ranking, whatever was decided; of what was answered right, every hand-over and question back is a miss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bot.comparison import METRICS, Floats, Numbers
from conversations.replay_tables import ReplayRun
from conversations.replays import Replays
from training.calibration import careful_coverage
from training.metrics import (
    Calibration,
    aurc,
    calibration,
    mean_reciprocal_rank,
    percentile,
    recall_at,
)


@dataclass(frozen=True)
class Decided:
    """What would have been said, and how true the confidence is that decides it."""

    answered: int
    asked: int
    """How often it would have asked which of two answers is meant."""
    handed_over: int
    coverage: float
    """Share of the turns that were answered rather than asked back or handed over."""
    answered_right: float
    """Share of the turns that were answered, and rightly."""
    answered_right_other_figure: float | None
    """Share of these whose answer names a figure that the agent's own does not; see `other_figure_first`."""
    accuracy_when_answered: float | None
    """None where nothing was answered."""
    calibration: Calibration
    aurc: float
    """Mean share of wrong answers over all thresholds."""
    careful_coverage: float
    """Share that could be answered with 5 % of the answers wrong."""


@dataclass(frozen=True)
class ReplayReport:
    """The figures of one replay."""

    run: int
    """Its number among the desk's stored runs."""
    turns: int
    repeated: int
    """How often the logs hold one of them once more, which is left out."""
    known: float
    """Share of the turns whose answer the desk knows: no ranker can reach a recall above it."""
    recall_at_1: float
    """Share of the turns whose right answer was ranked first, whether or not it was given."""
    other_figure_first: float | None
    """Share of these whose answer names a figure that the agent's own does not (`index.named_figures`). None where
    there are none, or where an earlier version did not look for it."""
    recall_at_5: float
    recall_at_10: float
    mrr: float
    decided: Decided | None
    """None of a ranker that no desk answers with; see `ReplayRun.decides`."""
    p50_ms: float | None
    p95_ms: float | None
    """Of the turns that were asked one at a time; None where none is left of them."""
    turns_per_second: float
    rejected: int
    """Lines of the log that could not be read."""
    problems: tuple[str, ...]
    """Where and why; see `ReplayRun.problems`."""
    conversations: int
    in_desk: int
    """Of the conversations those that the desk holds too; they were hidden from themselves."""
    under_other_ids: int
    """Of these those that it holds under other ids."""
    not_placed: int
    """Replayed as of their day though they or the desk do not tell what came after it: what is of no known time was
    not hidden from them."""

    def as_json(self) -> dict[str, Any]:
        """Under the names that scripts rely on."""
        return {
            "run": self.run,
            "turns": self.turns,
            "repeated": self.repeated,
            "known": self.known,
            "recall@1": self.recall_at_1,
            "recall@1_other_figure": self.other_figure_first,
            "recall@5": self.recall_at_5,
            "recall@10": self.recall_at_10,
            "mrr": self.mrr,
            **_decided_json(self.decided),
            "latency_ms": {"p50": self.p50_ms, "p95": self.p95_ms},
            "turns_per_second": self.turns_per_second,
            "rejected": self.rejected,
            "problems": list(self.problems),
            "conversations": self.conversations,
            "in_desk": self.in_desk,
            "under_other_ids": self.under_other_ids,
            "not_placed": self.not_placed,
        }

    @property
    def remarks(self) -> list[str]:
        """What a reader of the figures should know of the logs, as sentences."""
        found = []
        if self.repeated:
            found.append(f"{self.repeated:,} turns that the logs hold once more are left out.")
        if self.in_desk:
            others = f", {self.under_other_ids:,} of them under other ids" if self.under_other_ids else ""
            found.append(
                f"{self.in_desk:,} of {self.conversations:,} conversations are in the desk{others}: "
                "each was hidden from itself."
            )
        if self.not_placed:
            found.append(
                f"{self.not_placed:,} of {self.conversations:,} conversations are not in the desk, and they or pairs "
                "of the desk tell no time: what may have been said after they began was not hidden from them."
            )
        if self.rejected:
            found.append(f"Pieces of the logs that could not be read and were passed over: {self.rejected:,}.")
        return [*found, *self.problems]


def report_of(replays: Replays, run: ReplayRun) -> ReplayReport:
    """Computes the figures of a run from its stored turns."""
    columns = ("rank", "is_known", "is_right", "confidence", "wait", "decision = 'answer'", "decision = 'ask'")
    numbers = replays.numbers(run.id, columns)
    rank, known, right, _, wait, *_ = numbers.values()
    copies, twins, placed, other = replays.numbers(run.id, ("copies", "twins", "is_placed", "other_figures")).values()
    groups, repeated = replays.groups(run.id), replays.repeats(run.id)
    is_right = right > 0
    waits = wait[np.isfinite(wait)]
    turns = len(rank)
    return ReplayReport(
        run=run.id,
        turns=turns,
        repeated=repeated,
        known=float(known.mean()) if turns else 0.0,
        recall_at_1=recall_at(rank, 1),
        other_figure_first=_share(other[is_right]),
        recall_at_5=recall_at(rank, 5),
        recall_at_10=recall_at(rank, 10),
        mrr=mean_reciprocal_rank(rank),
        decided=_decided(numbers, other) if run.decides else None,
        p50_ms=percentile(waits, 50) if len(waits) else None,
        p95_ms=percentile(waits, 95) if len(waits) else None,
        turns_per_second=(turns + repeated) / run.seconds if run.seconds else 0.0,
        rejected=run.rejected,
        problems=run.problems,
        conversations=len(np.unique(groups)),
        in_desk=len(np.unique(groups[copies > 0])),
        under_other_ids=len(np.unique(groups[twins > 0])),
        not_placed=len(np.unique(groups[placed == 0])) if run.settings.get("as_of") else 0,
    )


def _decided(numbers: Numbers, other: Floats) -> Decided:
    """From columns of the turns."""
    answered, asked = numbers["decision = 'answer'"], numbers["decision = 'ask'"]
    is_right, is_answered, confidence = numbers["is_right"] > 0, answered > 0, numbers["confidence"]
    turns = len(answered)
    return Decided(
        answered=int(answered.sum()),
        asked=int(asked.sum()),
        handed_over=int(turns - answered.sum() - asked.sum()),
        coverage=float(answered.mean()) if turns else 0.0,
        answered_right=float(METRICS["answered_right"](numbers).mean()) if turns else 0.0,
        answered_right_other_figure=_share(other[is_right & is_answered]),
        accuracy_when_answered=float(is_right[is_answered].mean()) if is_answered.any() else None,
        calibration=calibration(confidence, is_right),
        aurc=aurc(confidence, is_right),
        careful_coverage=careful_coverage(confidence, is_right),
    )


def _decided_json(decided: Decided | None) -> dict[str, Any]:
    """Under the names that scripts rely on, each None where nothing is told."""

    def told(name: str) -> float | None:
        return getattr(decided, name, None)

    error = decided.calibration.as_json() if decided else dict.fromkeys(("ece", "ece_noise", "ece_excess", "ece_p"))
    return {
        "decisions": {"answer": told("answered"), "ask": told("asked"), "handoff": told("handed_over")},
        **{name: told(name) for name in ("coverage", "answered_right", "answered_right_other_figure")},
        "accuracy_when_answered": told("accuracy_when_answered"),
        **error,
        **{name: told(name) for name in ("aurc", "careful_coverage")},
    }


def _share(flags: Floats) -> float | None:
    """Of those that are set; None of none, and where some are not known."""
    return float(flags.mean()) if len(flags) and np.isfinite(flags).all() else None
