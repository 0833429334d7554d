"""How each ranker orders the answers of a data set: what `attendant evaluate --ranker NAME` stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from conversations.errors import ModelError
from index.candidates import ReadDialogue, read_dialogues
from index.embedder import Embedder
from index.fusion import BARE_WEIGHTS
from training.calibration import nearness
from training.datasets import Query
from training.linear_map import load_linear_map
from training.rankers import Ranked, Ranker
from training.rankers.named import NAMES, load_models, named_ranker, ranker_of
from training.registry import Model, load_model, model_embedder
from training.task_index import TaskIndex

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
RANKERS = f"bm25, cosine[:MODEL], retrieval[:MODEL], linear-map:FILE, {NAMES}"


@dataclass(frozen=True, slots=True)
class Ordered:
    """What a ranker makes of one query."""

    scores: Floats
    """One per row that may be ranked."""
    confidence: float
    """How sure it is of its first: between 0 and 1 where it was calibrated, else only comparable among queries."""


Order = Callable[[Query, Rows, int], Ordered]
"""Orders some rows for one query; the last argument is how many of the best by retrieval score a reranker reads."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a ranker needs of an index, and how it then orders."""

    embedder: Embedder | None
    states_below: int
    """Token states that it needs of the answers."""
    order: Callable[[TaskIndex], Order]
    is_calibrated: bool = False
    """Whether its confidence is meant as a probability."""

    @property
    def encoder(self) -> str:
        """Identity of the encoder; empty for none."""
        return self.embedder.identity if self.embedder else ""


def recipe(name: str, candidates_by: str = "") -> Recipe:
    """How to order by a ranker, one of `RANKERS`; without MODEL the base reranker or the bundled encoder.

    Args:
        name: the ranker.
        candidates_by: the model whose retrieval chooses what rankers reorder that have none of their own.

    Raises:
        ModelError: the ranker is unknown or cannot be loaded.
    """
    kind, _, path = name.partition(":")
    if kind == "bm25" and not path:
        return Recipe(None, 0, _word_order)
    if kind == "cosine":
        embedder = _encoder_of(path)
        return Recipe(embedder, 0, lambda index: _vector_order(index, embedder, lambda vector: vector))
    if kind == "retrieval":
        embedder = _encoder_of(path)
        return Recipe(embedder, 0, lambda index: _fused_order(index, embedder))
    if kind == "linear-map" and path:
        embedder = Embedder()
        mapped = load_linear_map(Path(path), embedder.identity, embedder.dimension).map
        return Recipe(embedder, 0, lambda index: _vector_order(index, embedder, mapped))
    if kind == "cross-attention":
        return _reranker_recipe(path)
    embedder = _encoder_of(candidates_by)
    peer = named_ranker(name, embedder, None)
    weights = _retrieval_weights(load_model(Path(candidates_by))) if candidates_by else BARE_WEIGHTS
    return Recipe(embedder, 0, lambda index: _reranked_order(peer, index, embedder, _share_of_first, weights))


def _reranker_recipe(paths: str) -> Recipe:
    embedder = _encoder_of(paths.split(",", maxsplit=1)[0])
    models = load_models(paths, embedder.identity)
    first = models[0]
    if len(models) > 1:
        _check_bare_answers(dict(zip(paths.split(","), models, strict=True)))
    elif first.reranker.config.needs_questions:
        # A data set has none, so that retrieval's order is all that it would give.
        return Recipe(embedder, 0, lambda index: _fused_order(index, embedder))

    def order(index: TaskIndex) -> Order:
        ranker = ranker_of(models, embedder, index.states)
        confidence = first.decision.confidence if first.decision.cases else _share_of_first
        return _reranked_order(ranker, index, embedder, confidence, _retrieval_weights(first))

    return Recipe(embedder, first.reranker.config.blocks, order, is_calibrated=first.decision.cases > 0)


def _check_bare_answers(ensemble: Mapping[str, Model]) -> None:
    """That every member can judge answers without past questions, as those of a data set are."""
    unfit = [path for path, model in ensemble.items() if model.reranker.config.needs_questions]
    if unfit:
        raise ModelError(
            f"{' and '.join(unfit)} {'need' if len(unfit) > 1 else 'needs'} past questions beside the answers, and a "
            "data set has none.",
            "Leave it out of the ensemble, or train on from it: attendant train --dataset DIR --start MODEL.",
        )


def _retrieval_weights(model: Model) -> Sequence[float]:
    """Of the signals, by which the candidates are chosen that the model orders; a data set has no past questions."""
    config = model.reranker.config
    return BARE_WEIGHTS if config.needs_questions else config.signal_weights


def _encoder_of(path: str) -> Embedder:
    """The encoder that a model brings, or the bundled one."""
    return model_embedder(Path(path))[0] if path else Embedder()


def _word_order(index: TaskIndex) -> Order:
    def order(query: Query, rows: Rows, depth: int) -> Ordered:
        del depth
        return _by_score(index.word_scores(query.dialogue[-1].text, rows))

    return order


def _vector_order(index: TaskIndex, embedder: Embedder, mapped: Callable[[Floats], Floats]) -> Order:
    """By the cosine of the answer and what the dialogue's vector is mapped to."""

    def order(query: Query, rows: Rows, depth: int) -> Ordered:
        del depth
        return _by_score(index.vectors_of(rows) @ mapped(embedder.encode_dialogues([query.dialogue])[0]))

    return order


def _fused_order(index: TaskIndex, embedder: Embedder) -> Order:
    def order(query: Query, rows: Rows, depth: int) -> Ordered:
        del depth
        return _by_score(index.candidates(_read(query, index, embedder, 0), rows, 1)[1])

    return order


def _reranked_order(
    ranker: Ranker,
    index: TaskIndex,
    embedder: Embedder,
    confidence: Callable[[list[Ranked]], float],
    weights: Sequence[float],
) -> Order:
    def order(query: Query, rows: Rows, depth: int) -> Ordered:
        context = _read(query, index, embedder, ranker.states_below)
        candidates, scores = index.candidates(context, rows, depth, weights)
        ranked = ranker.rank(context, candidates)
        place = {int(row): number for number, row in enumerate(rows)}
        # What was reranked stands above all the rest, which keeps its retrieval order.
        lowest = min((entry.score for entry in ranked), default=0.0)
        merged = scores - (float(scores.max(initial=0.0)) - lowest) - 1.0
        for entry in ranked:
            merged[place[entry.candidate.answer_id]] = entry.score
        return Ordered(merged, confidence(ranked))

    return order


def _read(query: Query, index: TaskIndex, embedder: Embedder, states_below: int) -> ReadDialogue:
    (context,) = read_dialogues(embedder, [query.dialogue], states_below, index.spelling)
    return context


def _by_score(scores: Floats) -> Ordered:
    return Ordered(scores, float(scores.max(initial=0.0)))


def _share_of_first(ranked: list[Ranked]) -> float:
    """The weight of the first, held down by how near it is to anything known; for rankers without a calibration."""
    return ranked[0].weight * max(nearness(ranked[0]), 0.0) if ranked else 0.0
