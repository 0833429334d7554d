"""What a CrossEncoder is trained on: for every query a list of answers, one of them right."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index.embedder import Embedder
from training.datasets import Query, RankingTask
from training.encoded_answers import vectors_of
from training.loop import OnProgress, counter
from training.rankers.cross_encoder import dialogue_text


@dataclass(frozen=True, slots=True)
class RankedList:
    """One training example."""

    dialogue: str
    answers: list[str]
    """Shortest first: the loss does not depend on their order, the padding does."""
    right: int
    """Place of the right one among them."""


def make_lists(
    task: RankingTask,
    queries: Sequence[Query],
    size: int,
    seed: int,
    report: OnProgress,
    embedder: Embedder | None = None,
) -> list[RankedList]:
    """A list for every query that has a right and a wrong answer: one right, negatives half hard and half random.

    Args:
        task: where the answers are.
        queries: each of them with a right answer.
        size: answers in a list; fewer where the pool has no more.
        seed: of the drawing.
        report: called with the progress of the embedding.
        embedder: finds the hard negatives; by default the bundled encoder.
    """
    everything = range(len(task.answers))
    pools = [everything if query.pool is None else query.pool for query in queries]
    embedder = embedder or Embedder()
    asked = embedder.encode_dialogues([query.dialogue for query in queries])
    needed = sorted(set().union(*pools))
    answers = vectors_of(task.answers, needed, embedder, counter("embedding answers", report))
    generator = random.Random(seed)
    made = []
    for query, pool, vector in zip(queries, pools, asked, strict=True):
        right = sorted(query.right)
        own = task.answers[generator.choice(right)]
        # An answer may stand in the data set twice: its twin is not wrong.
        right_texts = {task.answers[row] for row in right}
        wrong = [row for row in pool if task.answers[row] not in right_texts]
        if not wrong or size < 2:
            continue
        order = np.argsort(-(answers[wrong] @ vector), kind="stable")
        hard = [wrong[place] for place in order[: size // 2]]
        rest = [wrong[place] for place in order[size // 2 :]]
        drawn = generator.sample(rest, min(size - 1 - len(hard), len(rest)))
        texts = sorted([own, *(task.answers[row] for row in [*hard, *drawn])], key=len)
        made.append(RankedList(dialogue_text(query.dialogue), texts, texts.index(own)))
    return made
