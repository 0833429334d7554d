"""Fitting the base reranker to a desk that has not trained its own: what its parts count, and its confidence.

How much it helps and how often it is right differ from desk to desk, so both are fitted on the desk's own past
turns, each ranked with its conversation out of sight. A model trained on the desk brings its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from conversations.desk import Desk
from conversations.errors import ModelError
from conversations.store import Store
from index.builder import Check, index_directory
from index.embedder import Embedder
from index.retriever import Retriever
from training.calibration import NEVER, Decision
from training.desk_data import OpenDesk
from training.judging import judge
from training.logistic import folds
from training.rankers.base import Ranked
from training.rankers.merging import merge_same
from training.registry import Model, current_model_path, desk_model
from training.reranker import Reranker
from training.signal_weights import fit_trust
from training.trust import keep_trust

TURNS = 300
"""Past turns that are ranked for it."""
GROWTH = 1.25
"""It is done again when the desk has grown by this factor."""
SETTING = "decision of "
"""With a model's fingerprint behind it: each model has a decision of its own, which a rollback finds again."""
ANSWERING = "answers by itself"
"""Not of one model: one that takes over must not answer on a desk that a person switched off."""


def calibrate_desk(
    desk: Desk, store: Store, embedder: Embedder, on_progress: Callable[[str, int, int], None] | None = None
) -> None:
    """Fits trust and decision on the desk's past and keeps them in the store, where that is due.

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
    show = on_progress or (lambda *_: None)
    with Retriever(index_directory(desk.index_path, embedder.identity), store, embedder.identity) as retriever:
        opened = OpenDesk(desk, store, embedder, retriever)
        cases = opened.all_cases(TURNS, lambda _: None)
        ranker = opened.ranker(model.reranker)
        ranked = []
        for done, case in enumerate(cases, 1):
            ranked.append(ranker.rank(case.context, case.candidates))
            show("calibrating the confidence", done, len(cases))
    right, groups = [case.right for case in cases], [case.group for case in cases]
    decision = judge(_as_elsewhere(ranker.reranker, ranked, right, groups), right, groups).decision
    if decision.cases:
        trust = fit_trust(ranker.reranker, ranked, right)
        # Together: the thresholds are for scores under this very trust.
        with store.transaction():
            keep_trust(store, model.fingerprint, trust)
            keep_decision(store, model.fingerprint, decision)


def _as_elsewhere(
    reranker: Reranker,
    ranked: Sequence[Sequence[Ranked]],
    right: Sequence[frozenset[int]],
    groups: Sequence[str],
) -> list[list[Ranked]]:
    """Each list in the order under a trust that was fitted on other conversations, as it is when answering.

    In the order under a trust that was fitted on these very lists, they would look surer than others will be.
    """
    found: list[list[Ranked]] = [[] for _ in ranked]
    for outside, inside in folds(groups):
        trust = fit_trust(reranker, [ranked[row] for row in outside], [right[row] for row in outside])
        for row in inside:
            found[row] = merge_same(trust.reorder(reranker, ranked[row]))
    return found


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
    """The decision to serve with: calibrated on this desk, else the model's own, else a guess.

    On a desk that is switched off its thresholds are `NEVER`.
    """
    fitted = fitted_decision(store, model) if model else None
    decision = fitted or (model.decision if model else Decision())
    return replace(decision, threshold=NEVER, ask_threshold=NEVER) if is_switched_off(store) else decision


def fitted_decision(store: Store, model: Model) -> Decision | None:
    """The decision that was fitted to a model on this desk, or tuned; None where none was."""
    kept = store.setting(SETTING + model.fingerprint)
    return Decision.from_json(kept["decision"]) if kept else None


def switch_answering(store: Store, is_on: bool) -> None:
    """Lets a desk answer and ask by itself, or hand everything over, whichever model serves it."""
    store.set_setting(ANSWERING, is_on)


def is_switched_off(store: Store) -> bool:
    """Whether a person switched the desk off, so that it hands everything over."""
    return not store.setting(ANSWERING, True)


def describe_decision(store: Store, model: Model) -> str:
    """What the desk does at which confidence, and how that was chosen, in words."""
    if is_switched_off(store):
        return "switched off: it hands everything over until attendant tune --risk R finds it ready"
    decision = desk_decision(store, model)
    fitted = f"fitted on {decision.cases} turns" if decision.cases else "a guess"
    if (store.setting(SETTING + model.fingerprint) or {}).get("tuned"):
        fitted = f"tuned for a risk of {decision.risk:.0%} on {decision.cases} turns"
    asking = f"asks which of two from {decision.asking_from:.2f}" if decision.asking_from <= 1 else "never asks"
    return f"answers from {decision.threshold:.2f}, {asking}; {fitted}"


def check_decision(desk: Desk, store: Store, encoder: str) -> list[Check]:
    """What the desk does at which confidence; nothing where its model cannot be used, which another check says."""
    try:
        model = desk_model(desk.models_path, encoder)
    except ModelError:
        return []
    return [Check("decisions", True, describe_decision(store, model))]
