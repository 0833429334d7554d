"""Calibrating the base reranker on a desk that has not trained its own.

How often a ranker is right differs from desk to desk, so its confidence is fitted on the desk's own past turns, each
ranked with its conversation out of sight. A model trained on the desk brings its own calibration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from conversations.desk import Desk
from conversations.errors import ModelError
from conversations.store import Store
from index.builder import Check, index_directory
from index.embedder import Embedder
from index.retriever import Retriever
from training.calibration import Decision
from training.desk_data import OpenDesk
from training.judging import judge
from training.rankers.merging import merge_same
from training.registry import Model, current_model_path, desk_model

TURNS = 300
"""Past turns that are ranked for it."""
GROWTH = 1.25
"""It is done again when the desk has grown by this factor."""
SETTING = "decision of "
"""With a model's fingerprint behind it: each model has a decision of its own, which a rollback finds again."""


def calibrate_desk(
    desk: Desk, store: Store, embedder: Embedder, on_progress: Callable[[str, int, int], None] | None = None
) -> None:
    """Fits the decision on the desk's past and keeps it in the store, where that is due.

    Args:
        desk: its index is in step; the caller holds its write lock.
        store: of the desk.
        embedder: of the desk.
        on_progress: called with (what is done, done, total).
    """
    try:
        if current_model_path(desk.models_path) is not None:
            return
        model = desk_model(desk.models_path, embedder.identity)
    except ModelError:
        return
    pairs = store.counts()["pairs"]
    kept = store.setting(SETTING + model.fingerprint)
    if not pairs or (kept and (kept["tuned"] or pairs < GROWTH * kept["pairs"])):
        return
    retriever = Retriever(index_directory(desk.index_path, embedder.identity), store, embedder.identity)
    opened = OpenDesk(desk, store, embedder, retriever)
    show = on_progress or (lambda *_: None)
    cases = opened.all_cases(TURNS, lambda _: None)
    ranker = opened.ranker(model.reranker)
    ranked = []
    for done, case in enumerate(cases, 1):
        ranked.append(merge_same(ranker.rank(case.context, case.candidates)))
        show("calibrating the confidence", done, len(cases))
    decision = judge(ranked, [case.right for case in cases], [case.group for case in cases]).decision
    if decision.cases:
        keep_decision(store, model.fingerprint, decision)


def keep_decision(store: Store, model: str, decision: Decision, is_tuned: bool = False) -> None:
    """Keeps how a desk decides with one model.

    Args:
        store: of the desk.
        model: its fingerprint.
        decision: to serve with.
        is_tuned: whether a person chose its risk (attendant tune); it then stays however the desk grows.
    """
    kept = {"pairs": store.counts()["pairs"], "decision": asdict(decision), "tuned": is_tuned}
    store.set_setting(SETTING + model, kept)


def desk_decision(store: Store, model: Model | None) -> Decision:
    """The decision to serve with: calibrated on this desk, else the model's own, else a guess."""
    kept = store.setting(SETTING + model.fingerprint) if model else None
    if kept:
        values = kept["decision"]
        return Decision(**{**values, "coefficients": tuple(values["coefficients"])})
    return model.decision if model else Decision()


def check_decision(desk: Desk, store: Store, encoder: str) -> list[Check]:
    """What the desk does at which confidence; nothing where its model cannot be used, which another check says."""
    try:
        model = desk_model(desk.models_path, encoder)
    except ModelError:
        return []
    decision = desk_decision(store, model)
    fitted = f"fitted on {decision.cases} turns" if decision.cases else "a guess"
    if (store.setting(SETTING + model.fingerprint) or {}).get("tuned"):
        fitted = f"tuned for a risk of {decision.risk:.0%} on {decision.cases} turns"
    asking = f"asks which of two from {decision.asking_from:.2f}" if decision.asking_from <= 1 else "never asks"
    return [Check("decisions", True, f"answers from {decision.threshold:.2f}, {asking}; {fitted}")]
