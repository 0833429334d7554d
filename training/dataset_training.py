"""Training on a data set's train split: `attendant train --dataset DIR --save MODEL`.

The same two stages as for a desk (`training.desk_training`): the encoder on one part of the queries, the reranker on
the other, on what the tuned encoder retrieves; calibration on queries that neither saw.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from conversations.errors import ModelError, TrainingError
from index.builder import STATES_BELOW
from index.embedder import Embedder
from index.fusion import BARE_WEIGHTS
from index.states import ExtraStates
from training.cases import task_cases
from training.datasets import Query, load_task, with_twins
from training.desk_data import ENCODER_SHARE
from training.distributed import is_first
from training.encoder_training import fine_tune_encoder
from training.examples import Case, Source, check_dialogues, check_enough, examples_from
from training.judging import Judgement, judge
from training.loop import OnProgress, counter
from training.planting import Planter
from training.rankers import Ranker, cosine_ranker
from training.rankers.cross_attention import CrossAttentionRanker
from training.rankers.named import check_teacher, named_ranker
from training.registry import check_save, load_model, model_embedder, save_model
from training.reranker import Reranker
from training.reranker_training import nothing_learned, to_choose_by, train_reranker
from training.same_run import forgotten_if_refused
from training.settings import TrainReport, TrainSettings
from training.signal_weights import fit_signal_weights
from training.splits import share_of, split_queries
from training.task_index import TaskIndex
from training.tracking import tracked

ANSWER_TOKENS = 96
"""Read of an answer: more than on a desk, since there are no past questions to read."""


def train_dataset(
    directory: Path, save: Path, settings: TrainSettings, on_progress: OnProgress | None = None
) -> TrainReport:
    """Trains encoder and reranker on the `train` split and writes them as one model.

    Args:
        directory: a data set, see `training.datasets.load_task`.
        save: directory of the model; an old model there is replaced.
        settings: `limit` bounds the queries trained on.
        on_progress: called after every step.

    Raises:
        TrainingError: too few queries with a right answer.
        ModelError: a model to start from or to learn from cannot be used, or something else is in `save`.
        OSError: the event files cannot be written.
    """
    check_save(save)
    with tracked(settings, save.name, on_progress) as tracker:
        return tracker.finish(_train_and_judge(directory, save, settings, tracker))


def _train_and_judge(directory: Path, save: Path, settings: TrainSettings, report: OnProgress) -> TrainReport:
    task = load_task(directory, "train")
    train, held_out = split_queries(task.queries, settings.seed, settings.limit)
    work = save.with_name(save.name + ".training")
    embedder, is_tuned = _encoder(settings)
    epochs = _encoder_epochs(settings)
    begun = _begun(embedder, settings)
    check_teacher(settings.teacher, embedder, epochs > 0)
    of_encoder: list[Query] = []
    untuned = len(train) if epochs else 0
    if epochs or is_tuned:
        # On what the encoder was tuned on, it looks better than it is.
        of_encoder = [query for query in train if share_of(query.group, "encoder") < ENCODER_SHARE]
        train = [query for query in train if share_of(query.group, "encoder") >= ENCODER_SHARE]
    remedy = "Use a larger data set or limit."
    check_dialogues(len(train), len(held_out), len(of_encoder), untuned, remedy)
    if epochs:
        fine_tune_encoder(
            embedder,
            with_twins(of_encoder, task.answers),
            task.answers,
            settings.for_encoder(epochs),
            settings.encoder_batch_size,
            work / "encoder",
            report,
            settings.layer_decay,
        )
        embedder.serve()
        is_tuned = True
    reranker = begun.reading(embedder.identity) if begun else _anew(embedder, settings)
    with tempfile.TemporaryDirectory(prefix="attendant-") as scratch:
        kept = settings.cache or Path(scratch)
        index = TaskIndex(task, embedder, STATES_BELOW, kept, counter("embedding answers", report))
        if index.states is None:
            raise TrainingError("The answers have no token states.")
        states = ExtraStates(index.states)
        # Judged on those as well whose right answer is not found, and on those that nothing answers.
        unanswerable = [query for query in task.queries if not query.right]
        judged_on = [*held_out, *unanswerable]
        held_cases = list(task_cases(index, embedder, judged_on, counter("held-out queries", report)))
        held_examples = examples_from(held_cases, Source(states, None))
        roughening = random.Random(settings.seed)
        cases = task_cases(index, embedder, train, counter("training queries", report), roughening)
        planter = Planter(embedder, states, STATES_BELOW, BARE_WEIGHTS, settings.seed)
        teacher = named_ranker(settings.teacher, embedder, states) if settings.teacher else None
        examples = examples_from(cases, Source(states, None), planter, teacher)
        with forgotten_if_refused(work / "encoder" if epochs else None):
            check_enough(examples, held_examples, remedy)
        examples, chosen_by = to_choose_by(examples, held_examples)
        fit_signal_weights(reranker, examples)
        how = settings.for_reranker()
        best_epoch = train_reranker(reranker, examples, chosen_by, how, work / "reranker", report)
        before = _judged(held_cases, cosine_ranker()).figures
        judged = _judged(held_cases, CrossAttentionRanker(reranker, index.states, None, embedder.device))
        after, decision = judged.figures, judged.decision
    reason = f"The model was written to {save}: held-out MRR {after.mrr:.3f}, cosine {before.mrr:.3f}."
    reason += nothing_learned(reranker, best_epoch, how.epochs)
    notes = {
        "trained_on": [task.name],
        "examples": len(examples),
        "best_epoch": best_epoch,
        "reason": reason,
        "before": before.as_json(),
        "held_out": after.as_json(),
        "settings": settings.as_json(),
    }
    if is_first():
        save_model(save, reranker, decision, notes, embedder if is_tuned else None)
        shutil.rmtree(work, ignore_errors=True)
    return TrainReport(
        model=str(save),
        promoted=False,
        reason=reason,
        examples=len(examples),
        feedback=0,
        rejections=0,
        contradictions=0,
        before=before,
        after=after,
        decision=decision,
        best_epoch=best_epoch,
    )


def _encoder(settings: TrainSettings) -> tuple[Embedder, bool]:
    """The encoder to start with, and whether it was tuned on a part of the data already."""
    if settings.encoder is None:
        return Embedder(precision=None if settings.encoder_epochs == 0 else "float32"), False
    if settings.encoder_epochs:
        raise TrainingError("An encoder that is taken as it is has no epochs.", "Leave out --encoder-epochs.")
    return model_embedder(settings.encoder)


def _encoder_epochs(settings: TrainSettings) -> int:
    if settings.encoder_epochs is None:
        return 0 if settings.encoder else 1
    return settings.encoder_epochs


def _begun(embedder: Embedder, settings: TrainSettings) -> Reranker | None:
    """The reranker to train on from, about to judge answers without past questions; None where it starts anew.

    Args:
        embedder: as it is before it is tuned, which the reranker may follow as it does on a desk.
        settings: may name a model to start from.

    Raises:
        ModelError: the model cannot be loaded or reads another encoder.
    """
    if settings.start is None:
        return None
    model = load_model(settings.start)
    read = model.reranker.config.encoder
    if read != embedder.identity:
        remedy = "Start without --encoder." if settings.encoder else "Start from another model."
        raise ModelError(
            f"The model in {settings.start} reads the states of {read}, not of {embedder.identity}.",
            f"Take its encoder as well: --encoder {settings.start}." if model.encoder else remedy,
        )
    return model.reranker.float().for_bare_answers(ANSWER_TOKENS)


def _anew(embedder: Embedder, settings: TrainSettings) -> Reranker:
    """A reranker that begins as a copy of the encoder's last layers and judges answers without past questions."""
    return Reranker.from_encoder(
        embedder.transformer,
        embedder.identity,
        seed=settings.seed,
        answer_tokens=ANSWER_TOKENS,
        listwise_heads=settings.listwise_heads,
        signal_weights=BARE_WEIGHTS,
    )


def _judged(cases: Sequence[Case], ranker: Ranker) -> Judgement:
    ranked = ranker.rank_many([case.context for case in cases], [case.candidates for case in cases])
    return judge(ranked, [case.right for case in cases], [case.group for case in cases])
