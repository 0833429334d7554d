"""Which encoder a desk trains under: its own while that is whole, whatever became of the model that brought it."""

from __future__ import annotations

import json
from pathlib import Path

from conversations.desk import Desk
from conversations.store import Store
from index.embedder import Embedder
from training.model_files import CONFIG
from training.registry import TUNED_ON, desk_embedder


def embedder_to_train_under(desk: Desk, store: Store) -> tuple[Embedder, frozenset[str]]:
    """The encoder that a desk is embedded with, and the names of the desks or data sets it was fine-tuned on.

    That of its own model also where the rest of that model is damaged or outdated: the next model brings it along, so
    what was tuned is not lost. No names where the encoder belongs to none of its models.

    Raises:
        ModelError: it cannot be loaded.
    """
    embedder = desk_embedder(desk.models_path, store)
    own = Path(embedder.name)
    return embedder, _tuned_on(own.parent, desk.name) if own.is_relative_to(desk.models_path) else frozenset()


def _tuned_on(model: Path, desk: str) -> frozenset[str]:
    """What a model's encoder was fine-tuned on; the desk itself where the model does not tell any more."""
    try:
        notes = json.loads((model / CONFIG).read_text(encoding="utf-8"))["notes"]
        return frozenset(notes.get(TUNED_ON) or notes["trained_on"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return frozenset({desk})
