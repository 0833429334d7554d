"""Replay: what would have been answered at each agent turn of a log, and how often that was what the agent said?

The answer counts as right when it is the agent's own or one that says the same (`index.equality`: by words, so that
every ranker and encoder is judged alike). Every turn counts in every figure: where the desk knows no such answer, or
hands over, recall and coverage show it. A replayed conversation that is in the desk is invisible while it is scored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bot.answers import Answer
from bot.logged_turns import LoggedTurn, LoggedTurns
from bot.pipeline import Pipeline
from conversations.errors import LogError
from index.equality import AnswerEquality
from training.metrics import (
    calibration_noise,
    expected_calibration_error,
    mean_reciprocal_rank,
    percentile,
    rank_of_right,
    recall_at,
)

TIMED_TURNS = 40
"""Turns asked once more, one at a time, for the time that a person would wait."""


@dataclass(frozen=True)
class ReplayReport:
    """The figures of one replay; see the module's docstring for what is right."""

    turns: int
    known: float
    """Share of the turns whose answer the desk knows: no ranker can reach a recall above it."""
    recall_at_1: float
    recall_at_5: float
    recall_at_10: float
    mrr: float
    coverage: float
    """Share of the turns that were answered rather than handed over."""
    accuracy_when_answered: float
    ece: float
    ece_noise: float
    """The ECE that a perfect confidence would show on as many turns."""
    p50_ms: float
    p95_ms: float
    turns_per_second: float
    rejected: int
    """Lines of the log that could not be read."""

    def as_json(self) -> dict[str, Any]:
        """Under the names that scripts rely on."""
        return {
            "turns": self.turns,
            "known": self.known,
            "recall@1": self.recall_at_1,
            "recall@5": self.recall_at_5,
            "recall@10": self.recall_at_10,
            "mrr": self.mrr,
            "coverage": self.coverage,
            "accuracy_when_answered": self.accuracy_when_answered,
            "ece": self.ece,
            "ece_noise": self.ece_noise,
            "latency_ms": {"p50": self.p50_ms, "p95": self.p95_ms},
            "turns_per_second": self.turns_per_second,
            "rejected": self.rejected,
        }


@dataclass(slots=True)
class Outcome:
    """One replayed turn."""

    rank: int
    is_known: bool
    is_answered: bool
    is_right: bool
    confidence: float


def replay(
    pipeline: Pipeline,
    paths: Iterable[Path],
    batch_size: int = 32,
    limit: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> ReplayReport:
    """Replays logs against a desk.

    Args:
        pipeline: the desk, with the ranker to use.
        paths: logs in any format that import reads; read as a stream.
        batch_size: dialogues answered together.
        limit: at most so many turns.
        on_progress: called with (bytes read, bytes in all).

    Raises:
        LogError: no agent turn could be read.
    """
    logged = LoggedTurns(pipeline, paths, on_progress)
    equality = AnswerEquality(pipeline.store.answers())
    outcomes: list[Outcome] = []
    timed: list[LoggedTurn] = []
    started = time.perf_counter()
    for batch in logged.batches(batch_size, limit):
        outcomes += score_turns(pipeline, equality, batch)
        timed = (timed + batch)[:TIMED_TURNS]
    seconds = time.perf_counter() - started
    if not outcomes:
        raise LogError("No agent turn could be replayed.", "Check that the logs hold agents' answers to customers.")
    waits = [pipeline.answer_many([turn.request])[0].timings_ms["total"] for turn in timed]
    ranks = [outcome.rank for outcome in outcomes]
    right = np.array([outcome.is_right for outcome in outcomes])
    answered = np.array([outcome.is_answered for outcome in outcomes])
    confidence = np.array([outcome.confidence for outcome in outcomes])
    return ReplayReport(
        turns=len(outcomes),
        known=float(np.mean([outcome.is_known for outcome in outcomes])),
        recall_at_1=recall_at(ranks, 1),
        recall_at_5=recall_at(ranks, 5),
        recall_at_10=recall_at(ranks, 10),
        mrr=mean_reciprocal_rank(ranks),
        coverage=float(answered.mean()),
        accuracy_when_answered=float(right[answered].mean()) if answered.any() else 0.0,
        ece=expected_calibration_error(confidence, right),
        ece_noise=calibration_noise(confidence),
        p50_ms=percentile(waits, 50),
        p95_ms=percentile(waits, 95),
        turns_per_second=len(outcomes) / seconds,
        rejected=logged.rejected,
    )


def score_turns(pipeline: Pipeline, equality: AnswerEquality, turns: list[LoggedTurn]) -> list[Outcome]:
    """What would be answered at some turns, and how right that is; answered as one batch."""
    answers = pipeline.answer_many([turn.request for turn in turns])
    equal = equality.equal([turn.answer for turn in turns])
    return [
        _outcome(answer, right, pipeline.retriever.known_outside(right, turn.conversation))
        for answer, right, turn in zip(answers, equal, turns, strict=True)
    ]


def _outcome(answer: Answer, right: frozenset[int], is_known: bool) -> Outcome:
    scores = np.array([candidate.score for candidate in answer.candidates])
    is_right = [candidate.answer_id in right for candidate in answer.candidates]
    rank = rank_of_right(scores, is_right) if is_right else 0
    return Outcome(
        rank=rank,
        is_known=is_known,
        is_answered=answer.decision == "answer",
        is_right=bool(is_right) and is_right[0],
        confidence=answer.confidence,
    )
