"""A desk's models: listed, shown, and put into use or out of it again."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from conversations.desk import Desk
from conversations.errors import ModelError
from conversations.store import Store
from conversations.text import safe_text
from training.desk_calibration import describe_decision, desk_decision, fitted_decision
from training.promotion import Evidence
from training.registry import (
    BASE,
    Model,
    base_model_path,
    load_model,
    model_in_use,
    model_names,
    previous_model,
    promote,
)
from training.trust import trusted

_MEASURED = ("mrr", "turns", "ece", "gain", "p", "forced")


def list_models(desk: Desk) -> list[dict[str, Any]]:
    """One row a model, the one that ships first, with what was measured on this desk."""
    in_use, before = model_in_use(desk.models_path), previous_model(desk.models_path)
    rows = []
    with desk.store() as store:
        for name in (BASE, *model_names(desk.models_path)):
            state = {in_use: "in use", before: "before"}.get(name, "")
            row: dict[str, Any] = {"model": name, "state": state}
            try:
                model = load_model(_path(desk, name))
                row |= {**_measured(store, model), "encoder": "own" if model.encoder else "-"}
            except ModelError:
                row |= {"state": "damaged", **dict.fromkeys((*_MEASURED, "encoder"))}
            rows.append(row)
    return rows


def _measured(store: Store, model: Model) -> dict[str, Any]:
    """What this desk's turns say of a model; the base's own notes are of the data that it learned from."""
    notes = {} if model.name == BASE else model.notes
    held_out, promotion = notes.get("held_out") or {}, notes.get("promotion") or {}
    decision = fitted_decision(store, model) or (model.decision if notes else None)
    return {
        "mrr": held_out.get("mrr"),
        "turns": held_out.get("turns"),
        "ece": decision.ece if decision else None,
        "gain": promotion.get("difference"),
        "p": promotion.get("p"),
        "forced": _is_forced(promotion),
    }


def _is_forced(promotion: dict[str, Any]) -> bool | None:
    """Whether a model took over though nothing showed that it should; None where that is not known."""
    names = [field.name for field in fields(Evidence)]
    if not promotion.keys() >= {"promoted", *names}:
        return None
    evidence = Evidence(**{name: promotion[name] for name in names})
    return bool(promotion["promoted"]) and not (evidence.is_better or evidence.is_cheaper_and_as_good)


def desk_answering(desk: Desk) -> str:
    """From which confidence on the model in use answers and asks, in words; empty where it cannot be used."""
    try:
        model = load_model(_path(desk, model_in_use(desk.models_path)))
    except ModelError:
        return ""
    with desk.store() as store:
        return describe_decision(store, model)


def show_model(desk: Desk, name: str) -> dict[str, Any]:
    """What is known of one model: how it was trained, on what evidence it was judged, how it decides.

    Raises:
        ModelError: there is none of that name, or it is damaged.
    """
    with desk.store() as store:
        model = trusted(store, load_model(_path(desk, name)))
        decision, answering = desk_decision(store, model), describe_decision(store, model)
    return {
        "fingerprint": model.fingerprint,
        "in use": name == model_in_use(desk.models_path),
        "trained on": " ".join(model.notes.get("trained_on", [])),
        "answering": answering,
        "fitted here": asdict(model.trust) if model.trust else None,
        "decision": asdict(decision),
        **{key: value for key, value in model.notes.items() if key != "trained_on"},
    }


def serve(desk: Desk, name: str | None) -> dict[str, str]:
    """Puts a model into use, in one step.

    Args:
        desk: where.
        name: of the model; None takes the one that was in use before.

    Returns:
        The names of the one now in use, "current", and of the one before, "previous".

    Raises:
        ModelError: there is none of that name, or none before, or it is damaged.
        DeskError: another command writes to the desk.
    """
    with desk.writing():
        wanted = name or previous_model(desk.models_path)
        if wanted is None:
            raise ModelError("No other model was in use before.", "List them: attendant models.")
        load_model(_path(desk, wanted))
        promote(desk.models_path, wanted)
        return {"current": wanted, "previous": previous_model(desk.models_path) or BASE}


def _path(desk: Desk, name: str) -> Path:
    if name == BASE:
        return base_model_path()
    if name not in model_names(desk.models_path):
        raise ModelError(
            f"The desk {desk.name} has no model {safe_text(name, keep_newlines=False)!r}.",
            f"There are: {', '.join((BASE, *model_names(desk.models_path)))}.",
        )
    return desk.models_path / name
