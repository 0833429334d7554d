"""`attendant evaluate`: ranking a data set with known right answers, by its published protocol.

- pool (answer selection): the question's own pool is ranked; questions whose pool holds no right answer are left out.
- corpus (answer selection): all answers are ranked; every question counts.
- bank (reply bank): all distinct replies are ranked at every labelled agent turn.

Ties count against the ranker. A reranker orders the best `depth` by retrieval score; the others keep their places
below. The order in which a pool is given plays no part.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from conversations.errors import ModelError, TrainingError
from conversations.text import clean_text
from index.candidates import read_dialogues
from index.embedder import Embedder
from training.attacks import ATTACKS
from training.datasets import Query, load_task
from training.linear_map import load_linear_map
from training.metrics import mean_reciprocal_rank, percentile, rank_of_right, recall_at
from training.rankers import Ranker
from training.rankers.cross_attention import CrossAttentionRanker
from training.registry import ENCODER, base_model_path, load_model
from training.task_index import TaskIndex

Floats = npt.NDArray[np.float32]
PROTOCOLS = {"answer selection": ("pool", "corpus"), "reply bank": ("bank",)}
RANKERS = "bm25, cosine, retrieval, linear-map:FILE, max-sim[:PATH], cross-attention[:MODEL], cross-encoder:PATH"


@dataclass(frozen=True)
class EvaluationReport:
    """The figures of one ranker on one split."""

    protocol: str
    ranker: str
    queries: int
    top1: float
    recall_at_5: float
    recall_at_10: float
    recall_at_100: float
    mrr: float
    p50_ms: float
    p95_ms: float
    attack: str | None = None
    """What was done to every question, one of `training.attacks.ATTACKS`."""

    def as_json(self) -> dict[str, Any]:
        """Under the names that scripts rely on."""
        figures: dict[str, Any] = {
            "protocol": self.protocol,
            "ranker": self.ranker,
            "queries": self.queries,
            "top1": self.top1,
            "mrr": self.mrr,
            "recall@5": self.recall_at_5,
            "recall@10": self.recall_at_10,
            "latency_ms": {"p50": self.p50_ms, "p95": self.p95_ms},
        }
        if self.attack:
            figures["attack"] = self.attack
        if self.protocol == "corpus":
            figures |= {"hit@1": self.top1, "hit@10": self.recall_at_10, "hit@100": self.recall_at_100}
        return figures


def evaluate(
    directory: Path,
    split: str,
    ranker: str,
    protocol: str | None = None,
    depth: int = 100,
    limit: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> EvaluationReport:
    """Ranks one split of a data set; see `evaluate_attacked`, of which this is the case without an attack."""
    return evaluate_attacked(directory, split, ranker, (), protocol, depth, limit, on_progress)[0]


def evaluate_attacked(
    directory: Path,
    split: str,
    ranker: str,
    attacks: Sequence[str],
    protocol: str | None = None,
    depth: int = 100,
    limit: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[EvaluationReport]:
    """Ranks one split of a data set as it is, and once more under each attack.

    Args:
        directory: see `training.datasets.load_task`.
        split: "dev" for `dev.jsonl.gz`.
        ranker: one of `RANKERS`; without MODEL the base reranker.
        attacks: of `training.attacks.ATTACKS`, each done to the last turn of every dialogue.
        protocol: by default "pool" where there are pools, else "corpus" or "bank".
        depth: how many of the best by retrieval score a reranker orders.
        limit: only the first so many queries.
        on_progress: called with (done, total).

    Raises:
        TrainingError: the data set cannot be read, or the protocol does not fit it.
        ModelError: the ranker is unknown or cannot be loaded.
    """
    task = load_task(directory, split)
    chosen = protocol or _default_protocol(task.kind, task.queries)
    if chosen not in PROTOCOLS[task.kind]:
        raise TrainingError(
            f"The protocol {chosen!r} does not fit {directory}, which is for {task.kind}.",
            f"Choose {' or '.join(PROTOCOLS[task.kind])}.",
        )
    queries = [query for query in task.queries if chosen != "pool" or query.right & set(query.pool or ())][:limit]
    if not queries:
        raise TrainingError(f"No query of {directory}, {split}, can be ranked by the protocol {chosen!r}.")
    kind, _, model_path = ranker.partition(":")
    make, embedder, states_below = _recipe(kind, model_path)
    total = len(task.answers) + len(queries) * (1 + len(attacks))
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        if on_progress:
            on_progress(done, total)

    reports = []
    with tempfile.TemporaryDirectory(prefix="attendant-") as scratch:
        index = TaskIndex(task, embedder, states_below, Path(scratch), lambda sofar, _: count(sofar - done))
        order = make(index)
        for attack in (None, *attacks):
            ranks, waits = [], []
            for number, query in enumerate(queries):
                asked = _attacked(query, attack, number) if attack else query
                started = time.perf_counter()
                scores, rows = order(asked, query.pool if chosen == "pool" else None, depth)
                waits.append(1000 * (time.perf_counter() - started))
                ranks.append(rank_of_right(scores, np.isin(rows, list(query.right))))
                count(1)
            reports.append(_report(chosen, ranker, ranks, waits, attack))
    return reports


def _report(protocol: str, ranker: str, ranks: list[int], waits: list[float], attack: str | None) -> EvaluationReport:
    return EvaluationReport(
        protocol=protocol,
        ranker=ranker,
        queries=len(ranks),
        top1=recall_at(ranks, 1),
        recall_at_5=recall_at(ranks, 5),
        recall_at_10=recall_at(ranks, 10),
        recall_at_100=recall_at(ranks, 100),
        mrr=mean_reciprocal_rank(ranks),
        p50_ms=percentile(waits, 50),
        p95_ms=percentile(waits, 95),
        attack=attack,
    )


def _attacked(query: Query, attack: str, number: int) -> Query:
    """The query with its last turn changed, and then cleaned as a chat cleans what is typed."""
    *before, last = query.dialogue
    text = clean_text(ATTACKS[attack](last.text, random.Random(f"{attack} {number}")))
    return replace(query, dialogue=(*before, replace(last, text=text)))


Order = Callable[[Query, tuple[int, ...] | None, int], tuple[Floats, npt.NDArray[np.int64]]]
"""Scores of all allowed rows for one query, and the rows."""


def _recipe(kind: str, path: str) -> tuple[Callable[[TaskIndex], Order], Embedder | None, int]:
    """How a ranker orders queries over an index; the embedder; and the token states it needs of answers."""
    if kind == "bm25":
        return _word_order, None, 0
    if kind in ("cosine", "retrieval"):
        embedder = _model_embedder(path) if path else Embedder()
        if kind == "retrieval":
            return lambda index: _fused_order(index, embedder), embedder, 0
        return lambda index: _vector_order(index, embedder, lambda vector: vector), embedder, 0
    if kind == "linear-map" and path:
        embedder = Embedder()
        mapped = load_linear_map(Path(path), embedder.identity).map
        return lambda index: _vector_order(index, embedder, mapped), embedder, 0
    if kind == "cross-attention":
        embedder = _model_embedder(path) if path else Embedder()
        model = load_model(Path(path) if path else base_model_path(), embedder.identity)

        def make(index: TaskIndex) -> Order:
            if index.states is None:
                raise ModelError("The answers have no token states.")
            index.weights = model.reranker.config.signal_weights
            return _reranked_order(
                CrossAttentionRanker(model.reranker, index.states, None, embedder.device), index, embedder
            )

        return make, embedder, model.reranker.config.blocks
    peer = _peer(kind, path)
    embedder = Embedder()
    return lambda index: _reranked_order(peer, index, embedder), embedder, 0


def _peer(kind: str, path: str) -> Ranker:
    """A ranker of sentence-transformers, to measure against."""
    if kind == "max-sim":
        from training.rankers.max_sim import MaxSimRanker

        return MaxSimRanker(path)
    if kind == "cross-encoder" and path:
        from training.rankers.cross_encoder import CrossEncoderRanker

        return CrossEncoderRanker(path)
    raise ModelError(f"There is no ranker {':'.join(filter(None, (kind, path)))!r}.", f"Choose one of: {RANKERS}.")


def _model_embedder(path: str) -> Embedder:
    """The encoder that a model brings, or the bundled one."""
    own = Path(path) / ENCODER
    if not Path(path).is_dir():
        raise ModelError(f"There is no model directory {path}.", "Check the path.")
    return Embedder(str(own)) if own.is_dir() else Embedder()


def _word_order(index: TaskIndex) -> Order:
    def order(query: Query, pool: tuple[int, ...] | None, depth: int) -> tuple[Floats, npt.NDArray[np.int64]]:
        del depth
        rows = _allowed(index, pool)
        return index.word_scores(query.dialogue[-1].text)[rows], rows

    return order


def _vector_order(index: TaskIndex, embedder: Embedder, mapped: Callable[[Floats], Floats]) -> Order:
    """By the cosine of the answer and what the dialogue's vector is mapped to."""

    def order(query: Query, pool: tuple[int, ...] | None, depth: int) -> tuple[Floats, npt.NDArray[np.int64]]:
        del depth
        rows = _allowed(index, pool)
        return index.vectors[rows] @ mapped(embedder.encode_dialogues([query.dialogue])[0]), rows

    return order


def _fused_order(index: TaskIndex, embedder: Embedder) -> Order:
    def order(query: Query, pool: tuple[int, ...] | None, depth: int) -> tuple[Floats, npt.NDArray[np.int64]]:
        del depth
        (context,) = read_dialogues(embedder, [query.dialogue])
        return index.candidates(context, pool, 1)[1:]

    return order


def _allowed(index: TaskIndex, pool: tuple[int, ...] | None) -> npt.NDArray[np.int64]:
    return np.arange(len(index.vectors)) if pool is None else np.array(pool)


def _reranked_order(ranker: Ranker, index: TaskIndex, embedder: Embedder) -> Order:
    def order(query: Query, pool: tuple[int, ...] | None, depth: int) -> tuple[Floats, npt.NDArray[np.int64]]:
        (context,) = read_dialogues(embedder, [query.dialogue], ranker.states_below)
        candidates, scores, rows = index.candidates(context, pool, depth)
        ranked = ranker.rank(context, candidates)
        place = {int(row): number for number, row in enumerate(rows)}
        # What was reranked stands above all the rest, which keeps its retrieval order.
        lowest = min((entry.score for entry in ranked), default=0.0)
        merged = scores - (float(scores.max(initial=0.0)) - lowest) - 1.0
        for entry in ranked:
            merged[place[entry.candidate.answer_id]] = entry.score
        return merged, rows

    return order


def _default_protocol(kind: str, queries: tuple[Query, ...]) -> str:
    if kind == "answer selection" and not any(query.pool for query in queries):
        return "corpus"
    return PROTOCOLS[kind][0]
