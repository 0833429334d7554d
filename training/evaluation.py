"""`attendant evaluate`: ranking a data set with known right answers, by its published protocol.

- pool (answer selection): the question's own pool is ranked; questions whose pool holds no right answer are left out.
- corpus (answer selection): all answers are ranked; every question counts.
- bank (reply bank): all distinct replies are ranked at every labelled agent turn.
- intents: all labels are ranked; out-of-scope requests are to be told apart by the confidence (Larson et al. 2019).

Ties count against the ranker. A reranker orders the best `depth` by retrieval score; the others keep their places
below. The order in which a pool is given plays no part.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from conversations.errors import TrainingError
from conversations.text import clean_text
from training.attacks import ATTACKS, PLANTED
from training.calibration import careful_coverage
from training.datasets import Query, RankingTask, load_task
from training.metrics import (
    Calibration,
    calibration,
    mean_reciprocal_rank,
    percentile,
    rank_of_right,
    recall_at,
    reciprocal_ranks,
    scope_figures,
    sure_figures,
)
from training.orders import Order, Recipe, recipe
from training.significance import paired_p_value
from training.task_index import TaskIndex

OPTIONAL = (
    "fooled",
    "in_scope_accuracy",
    "out_of_scope_recall",
    "careful_coverage",
    "sure",
    "right_when_sure",
    "against",
    "p_top1",
    "p_mrr",
)
"""Figures that only some reports have."""
PROTOCOLS = {"answer selection": ("pool", "corpus"), "reply bank": ("bank",), "intents": ("intents",)}


@dataclass(frozen=True)
class EvaluationReport:
    """The figures of one ranker on one split."""

    protocol: str
    ranker: str
    ranks: list[int] = field(repr=False)
    """Per query with a right answer the rank of the best right one, 0 for none."""
    groups: list[str] = field(repr=False)
    """Per such query its conversation."""
    waits_ms: list[float] = field(repr=False)
    attack: str | None = None
    """What was done to every question, one of `training.attacks.ATTACKS` or `PLANTED`."""
    fooled: float | None = None
    """Share of the queries in which the planted candidate came first."""
    in_scope_accuracy: float | None = None
    """Share of the in-scope requests whose right label came first with enough confidence to be told."""
    out_of_scope_recall: float | None = None
    """Share of the out-of-scope requests that were not confident enough, at the threshold of `scope_figures`."""
    calibration: Calibration | None = None
    """Of the confidence in the first, where the ranker was calibrated."""
    careful_coverage: float | None = None
    """Share of the queries above the threshold at which 5 % of the firsts are wrong; chosen on these."""
    sure: float | None = None
    """Share of the queries with a confidence of 80 % or more."""
    right_when_sure: float | None = None
    """Share of these whose first was right."""
    against: str | None = None
    """The best ranker of the table, that this one was tested against."""
    p_top1: float | None = None
    """How likely so large a difference in top-1 to that one is by chance (`training.significance`)."""
    p_mrr: float | None = None

    @property
    def top1(self) -> float:
        """Share of the queries whose right answer came first."""
        return recall_at(self.ranks, 1)

    @property
    def mrr(self) -> float:
        """Mean reciprocal rank."""
        return mean_reciprocal_rank(self.ranks)

    def as_json(self) -> dict[str, Any]:
        """Under the names that scripts rely on."""
        figures: dict[str, Any] = {"protocol": self.protocol, "ranker": self.ranker}
        if self.attack:
            figures["attack"] = self.attack
        figures |= {
            "queries": len(self.ranks),
            "top1": self.top1,
            "mrr": self.mrr,
            "recall@5": recall_at(self.ranks, 5),
            "recall@10": recall_at(self.ranks, 10),
            "latency_ms": {"p50": percentile(self.waits_ms, 50), "p95": percentile(self.waits_ms, 95)},
        }
        if self.protocol == "corpus":
            names = (("hit@1", 1), ("hit@10", 10), ("hit@100", 100))
            figures |= {name: recall_at(self.ranks, k) for name, k in names}
        figures |= self.calibration.as_json() if self.calibration else {}
        return figures | {name: getattr(self, name) for name in OPTIONAL if getattr(self, name) is not None}


def evaluate(
    directory: Path,
    split: str,
    rankers: Sequence[str],
    attacks: Sequence[str] = (),
    protocol: str | None = None,
    depth: int = 100,
    limit: int | None = None,
    cache: Path | None = None,
    candidates_by: str = "",
    on_progress: Callable[[str, int, int], None] | None = None,
) -> list[EvaluationReport]:
    """Ranks one split of a data set with each ranker, as it is and once more under each attack.

    Args:
        directory: see `training.datasets.load_task`.
        split: "dev" for `dev.jsonl.gz`.
        rankers: of `training.orders.RANKERS`.
        attacks: of `training.attacks.ATTACKS`, each done to the last turn of every dialogue, or of `PLANTED`, each
            adding a candidate that answers nothing.
        protocol: by default "pool" where there are pools, else what fits the data set.
        depth: how many of the best by retrieval score a reranker orders.
        limit: only the first so many queries.
        cache: keeps the encoded answers for the next evaluation or training; by default they are thrown away.
        candidates_by: the model whose retrieval chooses what rankers reorder that have none of their own; by default
            the bundled encoder's.
        on_progress: called with (what is done, done, total).

    Returns:
        Per ranker one report without an attack and one for each. With several rankers, each report says how likely
        its difference to the best one under the same attack is by chance.

    Raises:
        TrainingError: the data set cannot be read, or the protocol does not fit it.
        ModelError: a ranker is unknown or cannot be loaded.
    """
    task = load_task(directory, split)
    chosen = protocol or _default_protocol(task)
    if chosen not in PROTOCOLS[task.kind]:
        raise TrainingError(
            f"The protocol {chosen!r} does not fit {directory}, which is for {task.kind}.",
            f"Choose {' or '.join(PROTOCOLS[task.kind])}.",
        )
    queries = [query for query in task.queries if chosen != "pool" or query.right & set(query.pool or ())][:limit]
    if not any(query.right for query in queries):
        raise TrainingError(
            f"No query of {directory}, {split}, can be ranked by the protocol {chosen!r}.",
            "Use a split, or a --limit, with queries whose right answer may be ranked.",
        )
    recipes = {name: recipe(name, candidates_by) for name in dict.fromkeys(rankers)}
    planted = [attack for attack in attacks if attack in PLANTED]
    show = on_progress or (lambda stage, done, total: None)
    reports = []
    with tempfile.TemporaryDirectory(prefix="attendant-") as scratch:
        examined = _Examined(replace(task, queries=tuple(queries)), chosen, planted, cache or Path(scratch))
        for name, one in recipes.items():
            needed = max(r.states_below for r in recipes.values() if r.encoder == one.encoder)
            order = one.order(examined.index(one, needed, show))
            calibrated = one.is_calibrated
            for attack in (None, *attacks):
                stage = f"{name}, {attack}" if attack else name
                reports.append(examined.under(attack, name, order, depth, calibrated, partial(show, stage)))
    return _tested(reports)


class _Examined:
    """The queries of one evaluation, and the answers with what is planted among them."""

    def __init__(self, task: RankingTask, protocol: str, planted: Sequence[str], directory: Path) -> None:
        self._queries, self._protocol, self._directory = task.queries, protocol, directory
        self._genuine = np.arange(len(task.answers))
        self._first_planted = {
            attack: len(task.answers) + place * len(task.queries) for place, attack in enumerate(planted)
        }
        self._traps = [
            PLANTED[attack](query.dialogue[-1].text, random.Random(f"{attack} {number}"))
            for attack in planted
            for number, query in enumerate(task.queries)
        ]
        self._task = task
        self._indexes: dict[str, TaskIndex] = {}

    def index(self, ranker: Recipe, states_below: int, show: Callable[[str, int, int], None]) -> TaskIndex:
        """The answers as this ranker's encoder reads them, encoded once for all rankers that share it."""
        if ranker.encoder not in self._indexes:
            counter = partial(show, "embedding answers")
            made = TaskIndex(self._task, ranker.embedder, states_below, self._directory, counter, self._traps)
            self._indexes[ranker.encoder] = made
        return self._indexes[ranker.encoder]

    def under(
        self,
        attack: str | None,
        name: str,
        order: Order,
        depth: int,
        is_calibrated: bool,
        on_progress: Callable[[int, int], None],
    ) -> EvaluationReport:
        """What one ranker makes of the queries under an attack, or without one."""
        ranks, groups, waits, traps = [], [], [], []
        confidence, hit = np.zeros(len(self._queries)), np.zeros(len(self._queries), dtype=bool)
        for number, query in enumerate(self._queries):
            asked = _attacked(query, attack, number) if attack in ATTACKS and attack else query
            rows = np.array(query.pool) if self._protocol == "pool" else self._genuine
            trap = self._first_planted[attack] + number if attack in self._first_planted and attack else None
            rows = rows if trap is None else np.append(rows, trap)
            started = time.perf_counter()
            ordered = order(asked, rows, depth)
            waits.append(1000 * (time.perf_counter() - started))
            right = np.isin(rows, list(query.right))
            rank = rank_of_right(ordered.scores, right)
            confidence[number], hit[number] = ordered.confidence, rank == 1
            if query.right:
                ranks.append(rank)
                groups.append(query.group)
            if trap is not None:
                traps.append(rank_of_right(ordered.scores, rows == trap) == 1)
            on_progress(number + 1, len(self._queries))
        known = np.array([bool(query.right) for query in self._queries])
        sure, right_when_sure = sure_figures(confidence, hit) if is_calibrated else (None, None)
        accuracy, recall = scope_figures(confidence, hit, known) if self._protocol == "intents" else (None, None)
        return EvaluationReport(
            self._protocol,
            name,
            ranks,
            groups,
            waits,
            attack,
            fooled=float(np.mean(traps)) if traps else None,
            in_scope_accuracy=accuracy,
            out_of_scope_recall=recall,
            calibration=calibration(confidence, hit) if is_calibrated else None,
            careful_coverage=careful_coverage(confidence, hit) if is_calibrated else None,
            sure=sure,
            right_when_sure=right_when_sure,
        )


def _tested(reports: list[EvaluationReport]) -> list[EvaluationReport]:
    """The reports with the paired tests against the best ranker under the same attack."""
    tested = []
    for report in reports:
        rivals = [one for one in reports if one.attack == report.attack]
        best = max(rivals, key=lambda one: one.mrr)
        if best is report:
            tested.append(report)
            continue
        (hits, reciprocal), (best_hits, best_reciprocal) = _figures(report), _figures(best)
        tested.append(
            replace(
                report,
                against=best.ranker,
                p_top1=paired_p_value(hits, best_hits, report.groups),
                p_mrr=paired_p_value(reciprocal, best_reciprocal, report.groups),
            )
        )
    return tested


def _figures(report: EvaluationReport) -> tuple[list[float], list[float]]:
    """Per query whether it was a hit, and the reciprocal rank."""
    return [float(rank == 1) for rank in report.ranks], reciprocal_ranks(report.ranks)


def _attacked(query: Query, attack: str, number: int) -> Query:
    """The query with its last turn changed, and then cleaned as a chat cleans what is typed."""
    *before, last = query.dialogue
    text = clean_text(ATTACKS[attack](last.text, random.Random(f"{attack} {number}")))
    return replace(query, dialogue=(*before, replace(last, text=text)))


def _default_protocol(task: RankingTask) -> str:
    if task.kind == "answer selection" and not any(query.pool for query in task.queries):
        return "corpus"
    return PROTOCOLS[task.kind][0]
