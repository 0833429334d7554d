"""Checkpoints belong to one run: what goes on where a killed training stopped learns the same from the same data."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from torch import nn

from conversations.errors import TrainingError
from training.distributed import is_first, wait

NAME = "run.json"


def keep_only_same_run(directory: Path, run: Mapping[str, Any]) -> None:
    """Leaves in a directory what a killed run has left there; what another one has left is deleted.

    Args:
        directory: of the checkpoints of one training; made where it is missing.
        run: all that the outcome depends on, JSON-able.
    """
    said = json.dumps(run, indent=1, sort_keys=True)
    if is_first() and _read(directory / NAME) != said:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        (directory / NAME).write_text(said, encoding="utf-8")
    wait()


@contextmanager
def forgotten_if_refused(directory: Path | None) -> Iterator[None]:
    """Deletes the checkpoints of a training whose data are refused inside: to go on from them cannot help.

    Args:
        directory: of the checkpoints; the one above goes with it where nothing else is in it. None where this
            training has none yet: what lies there is of another, which may be gone on with.
    """
    try:
        yield
    except TrainingError:
        if directory is not None and is_first():
            shutil.rmtree(directory, ignore_errors=True)
            with suppress(OSError):
                directory.parent.rmdir()
        raise


def digest(parts: Iterable[object]) -> str:
    """SHA-256 of some parts in their order: bytes as they are, anything else as Python writes it.

    >>> digest(["ab", b"c"]) == digest(["a", b"bc"])
    False
    """
    found = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else repr(part).encode()
        found.update(len(content).to_bytes(8, "big") + content)
    return found.hexdigest()


def digest_of_weights(module: nn.Module) -> str:
    """SHA-256 of a module's weights and their names."""
    weights = sorted(module.state_dict().items())
    return digest(part for name, value in weights for part in (name, value.cpu().float().numpy().tobytes()))


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
