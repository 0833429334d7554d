"""What customers ask and no past answer covers: found in logs, grouped by meaning, biggest group first.

Every message of a customer is looked at, answered or not. It is a gap where nothing like it was asked before (see
`bot.coverage`); a logged conversation that is in the desk is invisible while its own messages are looked at. Gaps are
grouped by average-linkage clustering of their vectors (Sokal and Michener 1958), so that a group is about one thing
however it is worded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage

from bot.coverage import asks_something, covered_from
from bot.logged_turns import LoggedConversations
from bot.pipeline import Pipeline
from conversations.errors import LogError
from conversations.pairs import messages_in
from index.twins import OwnIds

APART = 0.55
"""Mean cosine distance from which on two groups are about different things. Of .4 to .75 it found CLINC150's intents
best, in 400 requests (adjusted Rand index .63) and in 3,000 (.62)."""
MOST_GROUPED = 4_000
"""Uncovered questions that are grouped, the first ones: clustering takes memory by the square of them."""
BATCH = 32

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Gap:
    """Questions about one thing that nobody asked the desk before."""

    questions: int
    conversations: int
    nearness: float
    """Mean cosine to the nearest past questions, all too far."""
    examples: tuple[str, ...]
    """The questions nearest to the group's middle, the nearest first; no two alike."""


@dataclass(frozen=True)
class GapReport:
    """What the logs ask and the desk does not know."""

    turns: int
    """Customer messages that ask something."""
    asks_nothing: int
    """Others: courtesy, and numbers or names that were asked for."""
    uncovered: int
    """Of those that ask something, how many are like nothing that was asked before."""
    covered_from: float
    """The cosine to the nearest past question from which on a question is covered."""
    grouped: int
    rejected: int
    """Pieces of the logs that could not be read."""
    gaps: tuple[Gap, ...]
    """Biggest first."""

    def as_json(self) -> dict[str, Any]:
        """Plain values, nested."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A customer's question in a log."""

    hidden: tuple[str, ...]
    """Its conversation, under every id under which the desk has it."""
    question: str


class _Messages:
    """The customers' messages of some logs that ask something; counts the others."""

    def __init__(self, logged: LoggedConversations, own_ids: OwnIds) -> None:
        self._logged = logged
        self._own_ids = own_ids
        self.others = 0

    def __iter__(self) -> Iterator[_Asked]:
        for _, conversation, names, _ in self._logged.numbered():
            hidden = self._own_ids.of(conversation, names)
            for dialogue in messages_in(conversation):
                if asks_something(dialogue):
                    yield _Asked(hidden, dialogue[-1].text)
                else:
                    self.others += 1


def find_gaps(
    pipeline: Pipeline,
    paths: Sequence[Path],
    limit: int | None = None,
    examples: int = 3,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[GapReport, str]:
    """Compares all that customers ask in some logs with what a desk was asked before, and groups what is new.

    Args:
        pipeline: the desk.
        paths: logs in any format that import reads.
        limit: at most so many messages.
        examples: questions shown of each group.
        on_progress: called with (bytes read, bytes in all).

    Returns:
        The report, and what a person should know of what could not be read.

    Raises:
        LogError: no customer's message could be read.
    """
    logged = LoggedConversations(pipeline.store, paths, on_progress)
    messages = _Messages(logged, OwnIds(pipeline.store))
    least = covered_from(pipeline.store, pipeline.embedder, pipeline.retriever)
    asked = uncovered = 0
    kept: list[tuple[_Asked, float, Floats]] = []
    for batch in _batches(islice(messages, limit)):
        asked += len(batch)
        vectors = pipeline.embedder.encode([one.question for one in batch])
        near = pipeline.retriever.nearness(vectors, [one.hidden for one in batch])
        new = [row for row in range(len(batch)) if near[row] < least]
        uncovered += len(new)
        kept += [(batch[row], float(near[row]), vectors[row]) for row in new[: MOST_GROUPED - len(kept)]]
    if not asked + messages.others:
        raise LogError("No customer turn could be read.", logged.trouble or "Check that the logs name customers.")
    groups = group_alike(np.array([vector for _, _, vector in kept], dtype=np.float32))
    found = [_gap([kept[row] for row in rows], examples) for rows in groups]
    gaps = tuple(sorted(found, key=lambda gap: -gap.questions))
    report = GapReport(asked, messages.others, uncovered, least, len(kept), logged.rejected, gaps)
    return report, logged.trouble


def _batches(messages: Iterable[_Asked]) -> Iterator[list[_Asked]]:
    stream = iter(messages)
    while batch := list(islice(stream, BATCH)):
        yield batch


def group_alike(vectors: Floats) -> list[list[int]]:
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


def _gap(group: Sequence[tuple[_Asked, float, Floats]], examples: int) -> Gap:
    own = np.stack([vector for _, _, vector in group])
    nearest = np.argsort(-(own @ own.mean(axis=0)), kind="stable")
    ordered = dict.fromkeys(" ".join(group[place][0].question.split()) for place in nearest.tolist())
    return Gap(
        questions=len(group),
        conversations=len({asked.hidden[0] for asked, _, _ in group}),
        nearness=float(np.mean([near for _, near, _ in group])),
        examples=tuple(list(ordered)[:examples]),
    )
