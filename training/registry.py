"""Models on disk: one directory each, weights as safetensors, the rest as JSON, checked before they are used.

A desk's models lie under `models/`; the file `current` names the one in use and, in its second line, the one before:
both change in one step. (Earlier versions named the one before in a file `previous`, which is still read.) The base
reranker ships with the project and serves a desk that has no model of its own. A model may bring its own encoder,
fine-tuned with it.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict, astuple, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from conversations.errors import ModelError
from conversations.on_disk import swap_in
from conversations.store import Store
from index.builder import STATES_BELOW, Check
from index.embedder import Embedder
from index.encoder_loading import BUNDLED
from training.calibration import Decision
from training.model_files import (
    CONFIG,
    ENCODER,
    WEIGHTS,
    check_directory,
    read_config,
    read_weights,
    reading,
    write_model,
)
from training.reranker import VERSION, Reranker, RerankerConfig
from training.same_run import digest
from training.trust import Trust

KIND = "attendant reranker"
SHAPE = "reranker"
"""What a model's shape is called among what its directory says of it."""
REMEDY = "Train it again: attendant train."
TUNED_ON = "encoder_tuned_on"
BASE = "base"
"""What the model that ships with the project is called among a desk's own."""


@dataclass
class Model:
    """A loaded model."""

    name: str
    reranker: Reranker
    decision: Decision
    encoder: Path | None
    """Directory of its own encoder; None where it reads the states of the encoder it was trained on."""
    notes: dict[str, Any]
    """What it was trained on, with which figures."""
    fingerprint: str = ""
    """First 16 hex digits of its weights' SHA-256."""
    trust: Trust | None = None
    """What its parts count on the desk that it serves; None where they count what they were trained to."""

    @property
    def as_served(self) -> str:
        """Tells apart what ranks differently: the fingerprint, and behind it what its parts count here, if that is
        another matter.
        """
        if self.trust is None:
            return self.fingerprint
        return f"{self.fingerprint}+{digest(astuple(self.trust))[:8]}"

    def trusted(self, trust: Trust) -> Model:
        """The model with its parts counting so."""
        reranker = deepcopy(self.reranker)
        trust.give_to(reranker)
        return replace(self, reranker=reranker, trust=trust)


def save_model(
    directory: Path, reranker: Reranker, decision: Decision, notes: dict[str, Any], embedder: Embedder | None = None
) -> None:
    """Writes a model beside and moves it in place: the directory is complete or not there.

    Args:
        directory: a model there is replaced; what else lies there stays.
        reranker: saved in half precision.
        decision: temperature, thresholds.
        notes: JSON-able facts about its training.
        embedder: its encoder, where that was fine-tuned; the note `TUNED_ON` then says on what.

    Raises:
        ModelError: something else is there.
    """
    facts = {SHAPE: asdict(reranker.config), "decision": asdict(decision), "notes": notes}
    add = None if embedder is None else lambda beside: embedder.save(beside / ENCODER)
    write_model(directory, KIND, reranker, SHAPE, facts, add)


def check_save(directory: Path) -> None:
    """That a model may be written there; to be asked before training.

    Raises:
        ModelError: something else is there.
    """
    check_directory(directory, KIND)


def load_model(directory: Path, encoder: str | None = None) -> Model:
    """Reads and checks a model.

    Args:
        directory: where it lies.
        encoder: identity of the encoder whose states it is to read; None skips that check.

    Raises:
        ModelError: missing, damaged, of another version, shape or encoder.
    """
    with reading(directory, REMEDY):
        config = read_config(directory, KIND, REMEDY)
        _check_version(directory, config[SHAPE].get("version"))
        shape = RerankerConfig(**{**config[SHAPE], "signal_weights": tuple(config[SHAPE]["signal_weights"])})
        decision = Decision.from_json(config["decision"])
        reranker = Reranker(shape)
        reranker.load_state_dict(read_weights(directory, SHAPE, config, REMEDY))
    if encoder is not None and shape.encoder != encoder:
        raise ModelError(
            f"The model in {directory} reads the states of {shape.encoder}, not of {encoder}.",
            "Train one for this encoder: attendant train.",
        )
    if shape.blocks != STATES_BELOW:
        raise ModelError(
            f"The reranker in {directory} reads states {shape.blocks} layers below the encoder's end, an index keeps "
            f"{STATES_BELOW}.",
            "Train it again with as many blocks as that.",
        )
    own = directory / ENCODER
    fingerprint = config["files"][WEIGHTS][:16]
    return Model(
        directory.name, reranker.eval(), decision, own if own.is_dir() else None, config["notes"], fingerprint
    )


def _check_version(directory: Path, version: object) -> None:
    if version != VERSION:
        raise ModelError(f"The reranker in {directory} is of version {version}, not {VERSION}.", REMEDY)


def encoder_tuned_on(model: Model) -> frozenset[str]:
    """Names of the desks or data sets that its own encoder was fine-tuned on; empty where it has none."""
    return frozenset(model.notes.get(TUNED_ON, model.notes["trained_on"])) if model.encoder else frozenset()


def model_embedder(directory: Path) -> tuple[Embedder, bool]:
    """The encoder that a model's states come from, and whether it is the model's own.

    Raises:
        ModelError: the model cannot be used.
    """
    own = load_model(directory).encoder
    return (Embedder(str(own)), True) if own else (Embedder(), False)


def base_model_path() -> Path:
    """The base reranker that ships with the project."""
    return Path(str(resources.files("training"))) / "base"


def current_model_path(models: Path) -> Path | None:
    """The desk's model in use, or None where it has none of its own.

    Raises:
        ModelError: the desk names a model that is not there.
    """
    named = _named(models)
    if not named or named[0] == BASE:
        return None
    name = named[0]
    path = models / name
    if not name or path.parent != models or not path.is_dir():
        raise ModelError(
            f"{models / 'current'} names the model {name!r}, which is not there.",
            "Remove the file to use the base model, or train again: attendant train.",
        )
    return path


def encoder_name(models: Path, store: Store) -> str:
    """The encoder to embed a desk with: its own model's, else the one it was told to use, else the bundled one."""
    try:
        own = current_model_path(models)
    except ModelError:
        own = None
    if own is not None and (own / ENCODER).is_dir():
        return str(own / ENCODER)
    return str(store.setting("embedder", BUNDLED))


def desk_embedder(models: Path, store: Store) -> Embedder:
    """The encoder that a desk is embedded with, loaded; see `encoder_name`.

    Raises:
        ModelError: it cannot be loaded.
    """
    name = encoder_name(models, store)
    try:
        return Embedder(name)
    except ModelError as error:
        if not Path(name).is_relative_to(models):
            raise
        raise ModelError(
            error.message,
            "Serve the model that ships: attendant models --promote base; or train anew: attendant train --force.",
        ) from error


def desk_model(models: Path, encoder: str) -> Model:
    """The model in use on a desk: its own, else the base model.

    Args:
        models: the desk's models directory.
        encoder: identity of the encoder that the desk is embedded with.

    Raises:
        ModelError: its own model is lost or damaged, or the base model does not fit the encoder.
    """
    return load_model(current_model_path(models) or base_model_path(), encoder)


def promote(models: Path, name: str) -> None:
    """Makes a model the desk's model in use, in one step, and remembers the one before.

    Args:
        models: the desk's models directory.
        name: of a model in it, or `BASE`.
    """
    in_use = model_in_use(models)
    before = previous_model(models) if in_use == name else in_use
    swap_in("".join(f"{one}\n" for one in (name, before) if one), models / "current")
    (models / "previous").unlink(missing_ok=True)


def _named(models: Path) -> list[str]:
    """What `current` names, the model in use first; nothing where there is no such file."""
    try:
        text = (models / "current").read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{models / 'current'} cannot be read.", "Remove the file to use the base model.") from error
    return [name.strip() for name in text.strip().split("\n")]


def model_in_use(models: Path) -> str:
    """The name of the model in use; of a desk whose model is lost, that of the one that stands in."""
    try:
        path = current_model_path(models)
    except ModelError:
        return BASE
    return path.name if path else BASE


def previous_model(models: Path) -> str | None:
    """The name of the model that was in use before, or `BASE`; None where there was never another."""
    try:
        _, *named = _named(models) or [BASE]
        name = named[0] if named else (models / "previous").read_text(encoding="utf-8").strip()
    except (ModelError, OSError, UnicodeDecodeError):
        return None
    return name if name == BASE or name in model_names(models) else None


def model_names(models: Path) -> list[str]:
    """The desk's own models, oldest first."""
    names = (path.parent.name for path in models.glob(f"*/{CONFIG}"))
    return sorted(name for name in names if not name.startswith("."))  # one that a kill left half written


def next_name(models: Path) -> str:
    """A name for the next model: model-0001 and so on."""
    taken = [
        int(path.name.split("-")[1])
        for path in models.glob("model-[0-9][0-9][0-9][0-9]*")
        if path.is_dir() and path.name.split("-")[1].isdigit()
    ]
    return f"model-{max(taken, default=0) + 1:04d}"


def check_models(models: Path, encoder: str | None = None) -> list[Check]:
    """Whether the desk's model in use, or the base model, is whole."""
    try:
        path = current_model_path(models) or base_model_path()
        model = load_model(path, encoder if not (path / ENCODER).is_dir() else None)
    except ModelError as error:
        return [Check("model", False, str(error))]
    size = sum(parameter.numel() for parameter in model.reranker.parameters())
    kind = "of this desk" if path.parent == models else "base"
    return [Check("model", True, f"{model.name} ({kind}), {size:,} weights")]
