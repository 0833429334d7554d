"""Training on a data set's train split: `attendant train --dataset DIR --save MODEL`.

The same two stages as for a desk (`training.desk_training`): the encoder on one part of the queries, the reranker on
the other, on what the tuned encoder retrieves; calibration on queries that neither saw.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from conversations.errors import TrainingError
from index.builder import STATES_BELOW
from index.candidates import read_dialogues
from index.embedder import Embedder
from index.fusion import FUSION_WEIGHTS
from training.datasets import Query, load_task
from training.desk_data import ENCODER_SHARE
from training.desk_training import LEAST_EXAMPLES, LEAST_HELD_OUT
from training.encoder_training import fine_tune_encoder
from training.examples import Example, Source, make_example
from training.judging import judge
from training.loop import Progress
from training.rankers import Ranked, Ranker, cosine_ranker
from training.rankers.cross_attention import CrossAttentionRanker
from training.registry import save_model
from training.reranker import Reranker
from training.reranker_training import train_reranker
from training.settings import TrainReport, TrainSettings
from training.signal_weights import fit_signal_weights
from training.splits import share_of, split_queries
from training.task_index import TaskIndex

SERVED = 50
"""Candidates of a training example before sampling."""
SIGNAL_WEIGHTS = (1.0, 0.0, 0.0, 0.05, 0.0, 0.0)
"""Where the reranker starts: its tuned encoder's cosine, as that was trained, and a little of the words."""
ANSWER_TOKENS = 96
"""Read of an answer: more than on a desk, since there are no past questions to read."""

OnProgress = Callable[[Progress], None]


def train_dataset(
    directory: Path, save: Path, settings: TrainSettings, on_progress: OnProgress | None = None
) -> TrainReport:
    """Trains encoder and reranker on the `train` split and writes them as one model.

    Args:
        directory: a data set, see `training.datasets.load_task`.
        save: directory of the model; its parent must exist, an old model there is replaced.
        settings: `limit` bounds the queries trained on.
        on_progress: called after every step.

    Raises:
        TrainingError: too few queries with a right answer.
    """
    report = on_progress or (lambda _: None)
    task = load_task(directory, "train")
    train, held_out = split_queries(task.queries, settings.seed, settings.limit)
    epochs = 1 if settings.encoder_epochs is None else settings.encoder_epochs
    work = save.with_name(save.name + ".training")
    for_encoder = [query for query in train if epochs and share_of(query.group, "encoder") < ENCODER_SHARE]
    for_reranker = [query for query in train if not epochs or share_of(query.group, "encoder") >= ENCODER_SHARE]
    embedder = Embedder(precision="float32" if epochs else None)
    if epochs:
        fine_tune_encoder(
            embedder,
            for_encoder,
            task.answers,
            settings.for_encoder(epochs),
            settings.encoder_batch_size,
            work,
            report,
        )
        embedder.serve()
    weights = SIGNAL_WEIGHTS if epochs else FUSION_WEIGHTS
    with tempfile.TemporaryDirectory(prefix="attendant-") as scratch:
        index = TaskIndex(task, embedder, STATES_BELOW, Path(scratch), _stage("embedding answers", report), weights)
        if index.states is None:
            raise TrainingError("The answers have no token states.")
        source = Source(index.states, None)
        examples = _examples(index, embedder, for_reranker, source, _stage("training queries", report))
        held_examples = _examples(index, embedder, held_out, source, _stage("held-out queries", report))
        if len(examples) < LEAST_EXAMPLES or len(held_examples) < LEAST_HELD_OUT:
            raise TrainingError(
                f"There are {len(examples)} queries to train on and {len(held_examples)} held out whose right answer "
                f"was found; at least {LEAST_EXAMPLES} and {LEAST_HELD_OUT} are needed.",
                "Use a larger data set or limit.",
            )
        reranker = Reranker.from_encoder(
            embedder.transformer, embedder.identity, answer_tokens=ANSWER_TOKENS, signal_weights=weights
        )
        fit_signal_weights(reranker, examples)
        train_reranker(reranker, examples, held_examples, settings.for_reranker(), work, report)
        ranker = CrossAttentionRanker(reranker, index.states, None, embedder.device)
        right = [query.right for query in held_out]
        groups = [query.group for query in held_out]
        before, _ = judge(_ranked(index, embedder, held_out, cosine_ranker()), right, groups)
        after, decision = judge(_ranked(index, embedder, held_out, ranker), right, groups)
    notes = {
        "trained_on": [task.name],
        "examples": len(examples),
        "before": before.as_json(),
        "held_out": after.as_json(),
        "settings": settings.as_json(),
    }
    save_model(save, reranker, decision, notes, embedder if epochs else None)
    shutil.rmtree(work, ignore_errors=True)
    return TrainReport(
        model=str(save),
        promoted=False,
        reason=f"The model was written to {save}: held-out MRR {after.mrr:.3f}, cosine {before.mrr:.3f}.",
        examples=len(examples),
        before=before,
        after=after,
        decision=decision,
    )


def _examples(
    index: TaskIndex,
    embedder: Embedder,
    queries: Sequence[Query],
    source: Source,
    on_progress: Callable[[int, int], None],
) -> list[Example]:
    made = []
    for begin in range(0, len(queries), 64):
        batch = queries[begin : begin + 64]
        contexts = read_dialogues(embedder, [query.dialogue for query in batch], STATES_BELOW)
        for query, context in zip(batch, contexts, strict=True):
            candidates, _, _ = index.candidates(context, None, SERVED)
            right = [candidate.answer_id in query.right for candidate in candidates]
            example = make_example(context, candidates, right, query.group, source)
            if example is not None:
                made.append(example)
        on_progress(begin + len(batch), len(queries))
    return made


def _ranked(index: TaskIndex, embedder: Embedder, queries: Sequence[Query], ranker: Ranker) -> list[list[Ranked]]:
    ranked = []
    for query in queries:
        (context,) = read_dialogues(embedder, [query.dialogue], ranker.states_below)
        ranked.append(ranker.rank(context, index.candidates(context, None, SERVED)[0]))
    return ranked


def _stage(name: str, report: OnProgress) -> Callable[[int, int], None]:
    return lambda done, total: report(Progress(name, done, total, 0.0))
