"""Retraining on desks: `attendant train --desk`.

1. Conversations are split by a hash of their ids: none is on both sides.
2. Optionally the encoder is fine-tuned on a part of the training conversations and the index is made anew with it.
   The reranker then trains on the other part: on the encoder's own part retrieval looks better than it is, and a
   reranker trained there learns to trust it too much.
3. The reranker trains on what the desk's retriever serves. Where there is enough of it, its best epoch is chosen on a
   part of the training conversations: chosen on the held-out ones, it would have luck there that the test takes for
   merit.
4. Champion and challenger rank the same held-out turns; the challenger takes over where a paired test says so
   (`training.promotion`). Evidence and decision are kept with the model.
5. An encoder that no mood head fits gets one, trained on the labelled messages that ship.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from conversations.desk import Desk
from conversations.errors import TrainingError
from training.desk_data import OpenDesk
from training.desk_encoder import check_desks, forget_unused_indexes, under_another_encoder
from training.distributed import is_first
from training.examples import Case, Example, check_enough, examples_from
from training.judging import Figures, Judgement, judge
from training.loop import OnProgress
from training.mood_training import fit_to_encoder
from training.promotion import Evidence, weigh
from training.rankers import Ranker
from training.rankers.cross_attention import CrossAttentionRanker
from training.rankers.merging import merge_same
from training.registry import TUNED_ON, check_save, next_name, promote, save_model
from training.reranker import Reranker
from training.reranker_training import nothing_learned, to_choose_by, train_reranker
from training.same_run import forgotten_if_refused
from training.settings import EPOCHS, MANY, TrainReport, TrainSettings
from training.signal_weights import fit_signal_weights
from training.significance import LEAST_CONVERSATIONS
from training.tracking import tracked


def train_desk(
    desks: Sequence[Desk], settings: TrainSettings, on_progress: OnProgress | None = None, save: Path | None = None
) -> TrainReport:
    """Trains one model on one or several desks. The caller holds their write locks.

    Args:
        desks: several must share one encoder, and need `save`.
        settings: see `TrainSettings`.
        on_progress: called after every step.
        save: write the model there instead of into the desk; an old model there is replaced.

    Raises:
        ModelError: something else is in `save`.
        TrainingError: too few conversations, or too few whose right answer retrieval serves.
        OSError: the event files cannot be written.
    """
    if len(desks) > 1 and save is None:
        raise TrainingError("Several desks train one model that belongs to none of them.", "Say where: --save MODEL.")
    if save is not None:
        check_save(save)
    target = save or desks[0].models_path / next_name(desks[0].models_path)
    with tracked(settings, target.name, on_progress) as tracker:
        return tracker.finish(_train_and_judge(desks, settings, tracker, target, save))


def _train_and_judge(
    desks: Sequence[Desk], settings: TrainSettings, report: OnProgress, target: Path, save: Path | None
) -> TrainReport:
    opened = [OpenDesk.open(desk) for desk in desks]
    work = desks[0].models_path / "training"
    try:
        if len({one.embedder.identity for one in opened}) > 1:
            raise TrainingError("The desks use different encoders.", "Train desks with one encoder together.")
        check_desks(opened, settings)
        held_out = [one.held_out_cases(report) for one in opened]
        rankers = [one.ranker_in_use() for one in opened]
        champion, size_before = _judge(held_out, rankers), _parameters(opened[0], rankers[0])
        others = under_another_encoder(opened, settings, work, report)
        if others is not opened:
            opened = others
            held_out = [one.held_out_cases(report) for one in opened]
        reranker, used, best_epoch, learned = _train(opened, held_out, settings, work, report)
        rankers = [one.ranker(reranker) for one in opened]
        challenger, size = _judge(held_out, rankers), _parameters(opened[0], rankers[0])
        groups = [f"{desk.name} {one.group}" for desk, own in zip(desks, held_out, strict=True) for one in own]
        evidence = weigh(champion, challenger, groups, (size_before, size))
        use, reason = decide(save, settings.force, champion.figures, challenger.figures, evidence)
        reason += learned
        feedback = [one.feedback() for one in opened]
        notes = {
            "trained_on": [desk.name for desk in desks],
            "examples": used,
            "best_epoch": best_epoch,
            "before": champion.figures.as_json(),
            "held_out": challenger.figures.as_json(),
            "promotion": {"promoted": use, "reason": reason, **evidence.as_json()},
            "settings": settings.as_json(),
            TUNED_ON: sorted(opened[0].tuned_on),
        }
        if is_first():
            save_model(
                target, reranker, challenger.decision, notes, opened[0].embedder if opened[0].tuned_on else None
            )
            fit_to_encoder(opened[0].embedder, save or desks[0].models_path, report)
            if use:
                promote(desks[0].models_path, target.name)
            for one in opened:
                forget_unused_indexes(one.desk, one.store)
            shutil.rmtree(work, ignore_errors=True)
        return TrainReport(
            model=str(target),
            promoted=use,
            reason=reason,
            examples=used,
            feedback=sum(learned.right for learned in feedback),
            rejections=sum(learned.rejected for learned in feedback),
            contradictions=sum(learned.contradictions for learned in feedback),
            before=champion.figures,
            after=challenger.figures,
            decision=challenger.decision,
            evidence=evidence,
            best_epoch=best_epoch,
        )
    finally:
        for one in opened:
            one.close()


def _train(
    opened: list[OpenDesk], held_out: list[list[Case]], settings: TrainSettings, work: Path, report: OnProgress
) -> tuple[Reranker, int, int, str]:
    """The reranker, trained; the number of examples it saw, its best epoch, and what is to be said of that."""
    # First, since an encoder that none can begin with should not cost the wait.
    reranker = opened[0].starting_point(len(opened) == 1, settings)
    examples: list[Example] = []
    held_examples: list[Example] = []
    for one, cases in zip(opened, held_out, strict=True):
        examples += one.train_examples(settings, report)
        held_examples += examples_from(cases, one.source)
    with forgotten_if_refused(work / "encoder" if settings.encoder_epochs else None):
        check_enough(examples, held_examples, "Import more conversations.")
    examples, chosen_by = to_choose_by(examples, held_examples)
    fit_signal_weights(reranker, examples)
    how = settings.for_reranker(EPOCHS if len(examples) < MANY else 1)
    best_epoch = train_reranker(reranker, examples, chosen_by, how, work / "reranker", report)
    return reranker, len(examples), best_epoch, nothing_learned(reranker, best_epoch, how.epochs)


def _judge(held_out: list[list[Case]], rankers: list[Ranker]) -> Judgement:
    """How these rankers, one per desk, order the held-out turns."""
    ranked = [
        merge_same(one)
        for ranker, own in zip(rankers, held_out, strict=True)
        for one in ranker.rank_many([case.context for case in own], [case.candidates for case in own])
    ]
    cases = [case for own in held_out for case in own]
    return judge(ranked, [case.right for case in cases], [case.group for case in cases])


def _parameters(desk: OpenDesk, ranker: Ranker) -> int:
    """Of the encoder, and of the reranker where there is one."""
    modules = [desk.embedder.transformer, *([ranker.reranker] if isinstance(ranker, CrossAttentionRanker) else [])]
    return sum(one.numel() for module in modules for one in module.parameters())


def decide(save: Path | None, force: bool, before: Figures, after: Figures, evidence: Evidence) -> tuple[bool, str]:
    """Whether the desk uses the new model, and why.

    Args:
        save: where the model is written instead of into the desk.
        force: whether it is used all the same.
        before: of the model in use.
        after: of the new one.
        evidence: of the two on the same turns.
    """
    figures = f"held-out MRR {after.mrr:.3f} against {before.mrr:.3f} before ({evidence})"
    if save is not None:
        return False, f"The model was written to {save}: {figures}."
    if evidence.is_better:
        return True, f"The desk uses the new model: {figures}."
    if evidence.is_cheaper_and_as_good:
        return True, f"The desk uses the new model, which is smaller and not worse: {figures}."
    if force:
        return True, f"The desk uses the new model because of --force: {figures}."
    if not evidence.is_enough:
        few = f"{evidence.conversations} held-out conversations show nothing, it takes {LEAST_CONVERSATIONS}"
        return False, f"The desk goes on as before. {few}; import more or use --force: {figures}."
    return False, f"The desk goes on as before, the new model is not shown to be better: {figures}."
