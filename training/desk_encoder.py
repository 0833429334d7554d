"""Under which encoder a desk trains: its present one, that of the model it starts from, or one tuned on its log."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import torch

from conversations.desk import Desk
from conversations.errors import ModelError, TrainingError
from conversations.store import Store
from index.embedder import Embedder
from index.encoder_loading import BUNDLED
from index.forgetting import keep_indexes_of
from training.desk_data import OpenDesk
from training.encoder_training import fine_tune_encoder
from training.examples import check_dialogues
from training.loop import OnProgress
from training.rankers.named import check_teacher
from training.registry import Model, encoder_tuned_on, load_model, model_names
from training.settings import TrainSettings


def check_desks(opened: list[OpenDesk], settings: TrainSettings) -> None:
    """That the desks may have enough to train on under the encoder that they will be under.

    Raises:
        ModelError: the model to start from cannot be used.
        TrainingError: they cannot, or the encoder was to be tuned on several.
    """
    if settings.encoder_epochs and len(opened) > 1:
        raise TrainingError("The encoder can be fine-tuned on one desk only.", "Leave out --encoder-epochs.")
    model = _bringing_its_encoder(opened[0], settings)
    are_tuned = [one.desk.name in (one.tuned_on if model is None else encoder_tuned_on(model)) for one in opened]
    counts = [
        one.dialogues(settings.limit, is_tuned_here=is_tuned or bool(settings.encoder_epochs))
        for one, is_tuned in zip(opened, are_tuned, strict=True)
    ]
    train, held_out, of_encoder = (sum(column) for column in zip(*counts, strict=True))
    untuned = 0
    if settings.encoder_epochs and not are_tuned[0]:
        untuned = min(train + of_encoder, settings.limit or train + of_encoder)
    remedy = "Import more conversations, or use a larger limit." if settings.limit else "Import more conversations."
    check_dialogues(train, held_out, of_encoder, untuned, remedy)


def under_another_encoder(
    opened: list[OpenDesk], settings: TrainSettings, work: Path, report: OnProgress
) -> list[OpenDesk]:
    """The desks under the encoder they are to train with, with indexes of their own; the same desks if none is asked.

    Args:
        opened: under their present encoder, one for all; checked (`check_desks`).
        settings: `start` and `encoder_epochs`.
        work: for resuming after a kill.
        report: called after every step.

    Raises:
        ModelError: the model to start from reads another encoder and does not bring it, or the teacher reads another
            than the desks will be under.
    """
    taken = _of_the_start(opened[0], settings)
    if taken is None and not settings.encoder_epochs:
        check_teacher(settings.teacher, opened[0].embedder, is_to_be_tuned=False)
        return opened
    embedder, tuned_on = taken or (Embedder(opened[0].embedder.name, precision="float32"), opened[0].tuned_on)
    if settings.encoder_epochs:
        check_teacher(settings.teacher, embedder, is_to_be_tuned=True)
        _tune(embedder, opened, settings, work, report)
        tuned_on |= {opened[0].desk.name}
    embedder.serve()
    if not settings.encoder_epochs:
        check_teacher(settings.teacher, embedder, is_to_be_tuned=False)
    return [one.under(embedder, tuned_on, report) for one in opened]


def forget_unused_indexes(desk: Desk, store: Store) -> None:
    """Deletes the indexes of encoders that none of a desk's models reads: of models written elsewhere, or given up.

    The caller holds the desk's write lock. An index that is missed after all is made anew when it is needed.
    """
    if len(list(desk.index_path.glob("*/"))) < 2:
        return
    try:
        kept = {Embedder(str(store.setting("embedder", BUNDLED))).identity}
    except ModelError:
        return
    for name in model_names(desk.models_path):
        with suppress(ModelError):
            kept.add(load_model(desk.models_path / name).reranker.config.encoder)
    keep_indexes_of(kept, desk.index_path)


def _of_the_start(desk: OpenDesk, settings: TrainSettings) -> tuple[Embedder, frozenset[str]] | None:
    """The encoder of the model to start from, float32, and what it was tuned on; None where the desk has it already.

    One that was tuned on another desk's log is taken over halfway.
    """
    model = _bringing_its_encoder(desk, settings)
    if model is None or model.encoder is None:
        return None
    embedder, tuned_on = Embedder(str(model.encoder), precision="float32"), encoder_tuned_on(model)
    if desk.desk.name not in tuned_on:
        move_halfway(embedder, Embedder(str(desk.store.setting("embedder", BUNDLED)), precision="float32"))
    return embedder, tuned_on


def _bringing_its_encoder(desk: OpenDesk, settings: TrainSettings) -> Model | None:
    """The model to start from, where the desk is to take over its encoder."""
    if settings.start is None:
        return None
    model = load_model(settings.start)
    if model.encoder is None:
        load_model(settings.start, desk.embedder.identity)
    return model if model.encoder and model.reranker.config.encoder != desk.embedder.identity else None


def move_halfway(tuned: Embedder, original: Embedder) -> None:
    """Moves a tuned encoder's weights halfway back to those it began with, where the two are built alike.

    Tuning on one log teaches what helps on others, and forgets some of what the encoder knew of all; the mean of the
    weights keeps most of both (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").

    Args:
        tuned: float32; changed in place, `Embedder.serve` is still to be called.
        original: float32.
    """
    own, other = tuned.model.state_dict(), original.model.state_dict()
    if {name: value.shape for name, value in own.items()} != {name: value.shape for name, value in other.items()}:
        return
    with torch.no_grad():
        for name, value in own.items():
            if value.is_floating_point():
                value.lerp_(other[name], 0.5)


def _tune(
    embedder: Embedder, opened: list[OpenDesk], settings: TrainSettings, work: Path, report: OnProgress
) -> None:
    """Fine-tunes an encoder on a part of a desk's conversations."""
    queries, answers = opened[0].encoder_queries(settings.limit)
    fine_tune_encoder(
        embedder,
        queries,
        answers,
        settings.for_encoder(settings.encoder_epochs or 0),
        settings.encoder_batch_size,
        work / "encoder",
        report,
        settings.layer_decay,
        with_questions=True,
    )
