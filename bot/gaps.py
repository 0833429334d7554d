"""What customers ask and no past answer covers: found in logs, grouped by meaning, biggest group first.

A question is a gap where the desk would hand over: its confidence stays below the threshold. A logged conversation
that is in the desk is invisible while its own turns are asked. Questions are grouped by average-linkage clustering of
their vectors (Sokal and Michener 1958), so that a group is about one thing however it is worded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage

from bot.logged_turns import LoggedTurn, LoggedTurns
from bot.pipeline import Pipeline
from conversations.errors import LogError

APART = 0.55
"""Mean cosine distance from which on two groups are about different things. Of .4 to .75 it found CLINC150's intents
best, in 400 requests (adjusted Rand index .63) and in 3,000 (.62)."""
MOST_GROUPED = 4_000
"""Uncovered questions that are grouped, the first ones: clustering takes memory by the square of them."""
BATCH = 32


@dataclass(frozen=True)
class Gap:
    """Questions about one thing that the desk cannot answer."""

    questions: int
    conversations: int
    confidence: float
    """Mean confidence of the best past answers, all too low."""
    examples: tuple[str, ...]
    """The questions nearest to the group's middle, the nearest first; no two alike."""


@dataclass(frozen=True)
class GapReport:
    """What the logs ask and the desk does not know."""

    turns: int
    """Customer turns asked."""
    uncovered: int
    """Those for which it would hand over."""
    grouped: int
    gaps: tuple[Gap, ...]
    """Biggest first."""

    def as_json(self) -> dict[str, Any]:
        """Plain values, nested."""
        return asdict(self)


def find_gaps(
    pipeline: Pipeline,
    paths: Sequence[Path],
    limit: int | None = None,
    examples: int = 3,
    on_progress: Callable[[int, int], None] | None = None,
) -> GapReport:
    """Asks a desk all that customers ask in some logs, and groups what it would not answer.

    Args:
        pipeline: the desk.
        paths: logs in any format that import reads.
        limit: at most so many turns.
        examples: questions shown of each group.
        on_progress: called with (bytes read, bytes in all).

    Raises:
        LogError: no agent turn could be read.
    """
    logged = LoggedTurns(pipeline, paths, on_progress)
    asked = uncovered = 0
    turns: list[LoggedTurn] = []
    confidence: list[float] = []
    for batch in logged.batches(BATCH, limit):
        asked += len(batch)
        for turn, answer in zip(batch, pipeline.answer_many([one.request for one in batch]), strict=True):
            if answer.decision != "handoff":
                continue
            uncovered += 1
            if len(turns) < MOST_GROUPED:
                turns.append(turn)
                confidence.append(answer.confidence)
    if not asked:
        raise LogError("No customer turn could be read.", "Check that the logs hold agents' answers to customers.")
    vectors = pipeline.embedder.encode([turn.question for turn in turns])
    groups = group_alike(vectors)
    found = [_gap(rows, turns, vectors, confidence, examples) for rows in groups]
    return GapReport(asked, uncovered, len(turns), tuple(sorted(found, key=lambda gap: -gap.questions)))


def group_alike(vectors: npt.NDArray[np.float32]) -> list[list[int]]:
    """Groups of rows that mean about the same.

    Args:
        vectors: (texts, dimension), each of length 1.

    >>> group_alike(np.array([[1.0, 0.0], [0.0, 1.0], [0.9, 0.436]], dtype=np.float32))
    [[0, 2], [1]]
    """
    if len(vectors) < 2:
        return [[row] for row in range(len(vectors))]
    labels = fcluster(linkage(vectors, "average", metric="cosine"), APART, "distance")
    groups: dict[int, list[int]] = {}
    for row, label in enumerate(labels.tolist()):
        groups.setdefault(label, []).append(row)
    return sorted(groups.values())


def _gap(
    rows: Sequence[int],
    turns: Sequence[LoggedTurn],
    vectors: npt.NDArray[np.float32],
    confidence: Sequence[float],
    examples: int,
) -> Gap:
    own = vectors[list(rows)]
    nearest = np.argsort(-(own @ own.mean(axis=0)), kind="stable")
    ordered = dict.fromkeys(" ".join(turns[rows[place]].question.split()) for place in nearest.tolist())
    return Gap(
        questions=len(rows),
        conversations=len({turns[row].conversation for row in rows}),
        confidence=float(np.mean([confidence[row] for row in rows])),
        examples=tuple(list(ordered)[:examples]),
    )
