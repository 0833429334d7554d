"""Cases to train on and to judge by: dialogues whose answer is known, each with what would be served for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from index.builder import STATES_BELOW
from index.candidates import Candidate, ReadDialogue, read_dialogues
from index.embedder import Embedder
from index.equality import ALIKE, AnswerEquality
from training.augmentation import augment
from training.datasets import Query
from training.examples import Case
from training.task_index import TaskIndex

BATCH = 64
SERVED = 50
"""Candidates of a data set's query before sampling."""
Serve = Callable[[Sequence[Query]], list[tuple[ReadDialogue, list[Candidate]]]]
"""For each of some queries the dialogue as it was read, and its candidates."""


def served_cases(
    queries: Sequence[Query],
    serve: Serve,
    equality: AnswerEquality | None,
    on_progress: Callable[[int, int], None],
    roughening: random.Random | None = None,
    *,
    equal_is_right: bool = False,
) -> Iterator[Case]:
    """Each query as it would be served.

    Args:
        queries: with the ids of the answers that were given.
        serve: finds the candidates.
        equality: knows which answers are too similar to the right ones to be called wrong; None where none is.
        on_progress: called with (queries done, queries in all).
        roughening: decides which dialogues are roughened, and how; None for none.
        equal_is_right: whether an answer that says the same as the one that was given is right as well.
    """
    for begin in range(0, len(queries), BATCH):
        batch = queries[begin : begin + BATCH]
        if roughening:
            batch = [replace(query, dialogue=augment(query.dialogue, roughening)) for query in batch]
        right = [query.right for query in batch]
        near = equality.like(right, ALIKE) if equality else right
        rejected = [query.rejected for query in batch]
        if equality and equal_is_right:
            right, rejected = equality.like(right), equality.like(rejected)
        for row, (context, found) in enumerate(serve(batch)):
            yield Case(batch[row].group, context, found, right[row], near[row], rejected[row])
        on_progress(begin + len(batch), len(queries))


def task_cases(
    index: TaskIndex,
    embedder: Embedder,
    queries: Sequence[Query],
    on_progress: Callable[[int, int], None],
    roughening: random.Random | None = None,
) -> Iterator[Case]:
    """Queries of a data set as the trained model will be asked them; what is right is what the data set says.

    Args:
        index: of its answers.
        embedder: reads the dialogues.
        queries: of the data set.
        on_progress: called with (queries done, queries in all).
        roughening: as for `served_cases`.
    """

    def serve(batch: Sequence[Query]) -> list[tuple[ReadDialogue, list[Candidate]]]:
        contexts = read_dialogues(embedder, [query.dialogue for query in batch], STATES_BELOW, index.spelling)
        return [(context, index.candidates(context, None, SERVED)[0]) for context in contexts]

    return served_cases(queries, serve, index.equality, on_progress, roughening)
