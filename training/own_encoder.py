"""Which encoder a desk trains under: its own while that is whole, whatever became of the model that brought it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from conversations.desk import Desk
from conversations.errors import ModelError
from conversations.store import Store
from index.embedder import Embedder
from index.encoder_loading import BUNDLED
from index.manifest import sha256_of
from training.model_files import ENCODER, told_by
from training.registry import TUNED_ON, encoder_name


def embedder_to_train_under(desk: Desk, store: Store) -> tuple[Embedder, frozenset[str]]:
    """The encoder that a desk trains under, and the names of the desks or data sets it was fine-tuned on.

    That of its own model also where the rest of that model is damaged or outdated: the next model brings it along, so
    what was tuned is not lost. Where that encoder itself is damaged, it is the one that the desk was told to use,
    which was tuned on nothing.

    Raises:
        ModelError: it cannot be loaded.
    """
    own = Path(encoder_name(desk.models_path, store))
    if own.is_relative_to(desk.models_path):
        told = _told_of(own.parent)
        if told is None or told[1] == _digests(own.parent):
            with suppress(ModelError):
                return Embedder(str(own)), told[0] if told else frozenset({desk.name})
    return Embedder(str(store.setting("embedder", BUNDLED))), frozenset()


def _told_of(model: Path) -> tuple[frozenset[str], dict[str, str]] | None:
    """What a model says its encoder was tuned on, and the digests of the encoder's files; None where that is lost."""
    config = told_by(model)
    try:
        notes, files = config["notes"], config["files"].items()
        own = {name: digest for name, digest in files if Path(name).parts[:1] == (ENCODER,)}
        return frozenset(notes.get(TUNED_ON) or notes["trained_on"]), own
    except (TypeError, KeyError, AttributeError):
        return None


def _digests(model: Path) -> dict[str, str]:
    """The digests of the files of a model's encoder as they are now."""
    files = (path for path in (model / ENCODER).rglob("*") if path.is_file())
    return {str(path.relative_to(model)): sha256_of(path) for path in files}
