"""A model's directory: weights as safetensors, the rest as JSON, written whole and checked before it is read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from conversations.errors import ModelError
from conversations.on_disk import read_object
from index.manifest import sha256_of
from training.saving import check_place, is_empty, replacing

VERSION = 1
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
ENCODER = "encoder"
"""Directory of a model's own encoder, in those that have one."""


def write_model(
    directory: Path,
    kind: str,
    module: nn.Module,
    shape: str,
    facts: Mapping[str, Any],
    add: Callable[[Path], None] | None = None,
) -> None:
    """Writes a model beside and moves it in place: the directory is complete or not there.

    A model there is replaced; what else lies in its directory, such as a mood head, stays.

    Args:
        directory: where it is to lie.
        kind: what it is; a reader asks for the same.
        module: saved in half precision.
        shape: which of the facts is the module's shape; kept with the weights too, since not all of it shows in them.
        facts: JSON-able, kept with the weights.
        add: writes more files into the directory that it is called with.

    Raises:
        ModelError: something else is there.
    """
    check_directory(directory, kind)
    with replacing(directory) as beside:
        weights = {name: value.detach().cpu().half().contiguous() for name, value in module.state_dict().items()}
        save_file(weights, beside / WEIGHTS, {shape: json.dumps(facts[shape])})
        if add is not None:
            add(beside)
        files = sorted(path for path in beside.rglob("*") if path.is_file())
        config = {
            "kind": kind,
            "version": VERSION,
            **facts,
            "files": {str(path.relative_to(beside)): sha256_of(path) for path in files},
        }
        (beside / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
        _carry_over(directory, beside)


def _carry_over(old: Path, new: Path) -> None:
    """Copies what lies in a model's directory and is not the model's own; what is new is not written over."""
    if not old.is_dir():
        return
    own = {CONFIG, WEIGHTS, ENCODER, *_listed(old)}

    def left(directory: str, names: list[str]) -> set[str]:
        inside = Path(directory).relative_to(old)
        return {name for name in names if str(inside / name) in own or (new / inside / name).is_file()}

    shutil.copytree(old, new, symlinks=True, ignore=left, dirs_exist_ok=True)


def check_directory(directory: Path, kind: str) -> None:
    """That a model of this kind may be written there: nothing is there, or such a model, of whatever version.

    Raises:
        ModelError: something else is there.
    """
    check_place(directory, kind, lambda path: is_empty(path) or _kind_of(path) == kind)


def _kind_of(directory: Path) -> object:
    return told_by(directory).get("kind")


def _listed(directory: Path) -> list[str]:
    """The files that a model says are its own; none where it does not tell."""
    files = told_by(directory).get("files")
    return list(files) if isinstance(files, dict) else []


def told_by(directory: Path) -> dict[str, Any]:
    """What a model's directory says of it, unchecked; empty where it says nothing."""
    return read_object(directory / CONFIG)


def read_config(directory: Path, kind: str, remedy: str) -> dict[str, Any]:
    """What a model's directory says of it, once all its files were found to be as they were written.

    Raises:
        ModelError: it is of another kind or version, or damaged.
    """
    path = directory / CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(config, dict) or config.get("kind") != kind or config.get("version") != VERSION:
        raise ModelError(f"{directory} is no {kind} of version {VERSION}.", remedy)
    encoder = (str(path.relative_to(directory)) for path in (directory / ENCODER).rglob("*") if path.is_file())
    if unlisted := {WEIGHTS, *encoder} - set(config["files"]):
        raise ModelError(f"{path} does not vouch for {min(unlisted)}: it may have been changed.", remedy)
    for name, digest in config["files"].items():
        if not (directory / name).resolve().is_relative_to(directory.resolve()):
            raise ModelError(f"{path} names a file outside the model.", "Do not use this model.")
        if sha256_of(directory / name) != digest:
            raise ModelError(f"The model file {directory / name} is damaged.", remedy)
    return config


def read_weights(directory: Path, shape: str, config: Mapping[str, Any], remedy: str) -> dict[str, Tensor]:
    """The weights of a model, float32.

    Args:
        directory: of the model.
        shape: as for `write_model`; weights that an earlier version wrote do not tell it.
        config: what the directory says of the model.
        remedy: where the two do not agree.

    Raises:
        ModelError: the weights were saved with another shape.
    """
    with safe_open(directory / WEIGHTS, "pt") as opened:
        told = json.loads((opened.metadata() or {}).get(shape, "null"))
    said = config[shape]
    if told is not None and told != said:
        name = next(one for one in sorted({*told, *said}) if told.get(one) != said.get(one))
        raise ModelError(
            f"{directory / CONFIG} says {name} {said.get(name)}, and the weights were saved with {told.get(name)}.",
            remedy,
        )
    return {name: value.float() for name, value in load_file(directory / WEIGHTS).items()}


@contextmanager
def reading(directory: Path, remedy: str) -> Iterator[None]:
    """Whatever goes wrong inside while a model is read becomes one error that says what to do.

    Raises:
        ModelError: a file is missing, or anything in the directory is not as it should be.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise ModelError(
            f"There is no model in {directory} ({error.filename} is missing).", "Check the path."
        ) from error
    except NotADirectoryError as error:
        if not directory.is_file():
            raise ModelError(f"There is no model {directory}, which is below a file.", "Check the path.") from error
        kind = _kind_of_file(directory)
        remedy = f"Rank with it as linear-map:{directory}." if "linear map" in kind else "Name a model's directory."
        raise ModelError(f"{directory} is {kind}, and not the directory of a model.", remedy) from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"The model in {directory} is damaged ({reason}).", remedy) from error


def _kind_of_file(path: Path) -> str:
    """What a file says that it is, as linear maps do; otherwise only that it is a file."""
    with suppress(OSError, ValueError, TypeError, KeyError, SafetensorError), safe_open(path, "pt") as opened:
        return f"an {json.loads(opened.metadata()['kind'])}"
    return "a file"
