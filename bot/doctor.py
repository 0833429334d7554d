"""Looks at everything a desk needs: installation, store, encoder, index and model."""

from __future__ import annotations

from bot.progress import Meter
from conversations.desk import Desk
from conversations.errors import AttendantError
from conversations.store import Store
from index.builder import Check, check_index, update_index
from index.vectors import check_faiss
from training.desk_calibration import check_decision
from training.mood import check_mood
from training.registry import check_models, desk_embedder


def examine(desk: Desk, meter: Meter) -> list[Check]:
    """All checks; one that fails does not keep the others from being made, where they can be."""
    checks = [_check_faiss()]
    meter.show("checking the store")
    try:
        store = desk.store()
    except AttendantError as error:
        return [*checks, Check("store", False, str(error))]
    with store:
        checks.append(_check_store(store))
        meter.show("loading the encoder")
        try:
            embedder = desk_embedder(desk.models_path, store)
        except AttendantError as error:
            return [*checks, Check("encoder", False, str(error)), *check_models(desk.models_path)]
        checks.append(Check("encoder", True, f"{embedder.identity} on {embedder.device} in {embedder.precision}"))
        meter.show("checking the index")
        try:
            checks += check_index(desk.index_path, store, embedder.identity)
        except AttendantError as error:
            checks.append(Check("index", False, str(error)))
        own = desk.models_path
        checks += check_models(own, embedder.identity)
        checks += check_decision(desk, store, embedder.identity)
    return [*checks, *check_mood(own, embedder.identity)]


def repair_index(desk: Desk, meter: Meter) -> list[str]:
    """Brings the index in step with the store, anew where it is damaged; says what was wrong.

    Raises:
        AttendantError: the store itself is damaged, or the encoder cannot be loaded.
    """
    with desk.writing(), desk.store() as store:
        meter.show("loading the encoder")
        embedder = desk_embedder(desk.models_path, store)
        return update_index(desk.index_path, store, embedder, meter.show)


def _check_faiss() -> Check:
    try:
        check_faiss()
    except AttendantError as error:
        return Check("faiss", False, str(error))
    return Check("faiss", True, "one package is installed")


def _check_store(store: Store) -> Check:
    problems = store.problems()
    if problems:
        return Check("store", False, "; ".join(problems))
    counts = ", ".join(f"{number:,} {name}" for name, number in store.counts().items())
    withdrawn = len(store.service.withdrawn())
    return Check("store", True, f"{counts}, {withdrawn:,} of them withdrawn" if withdrawn else counts)
