"""Where a trained model is written: over nothing but such a model, and whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from conversations.errors import ModelError
from conversations.on_disk import bring_to_disk

_REMEDY = "Save the model elsewhere."


def check_place(path: Path, kind: str, is_model: Callable[[Path], bool]) -> None:
    """That nothing is lost by writing a model there; to be asked before training.

    Args:
        path: of the model, a directory or a file.
        kind: what such a model is called.
        is_model: whether what lies at a path is one.

    Raises:
        ModelError: something else is there, or nothing can be.
    """
    if path.name in ("", ".."):
        raise ModelError(f"{str(path)!r} is no name for a model.", "Give the path of the model itself.")
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir():
        raise ModelError(f"{above} is a file: no model can be written below it.", _REMEDY)
    if (path.exists() or path.is_symlink()) and not is_model(path):
        raise ModelError(f"What is in {path} is no {kind}, and would be lost.", _REMEDY)


def is_empty(path: Path) -> bool:
    """Whether it is a directory with nothing in it."""
    return path.is_dir() and not any(path.iterdir())


@contextmanager
def replacing(directory: Path) -> Iterator[Path]:
    """A new directory to write into; it takes the place of the old one when all is written.

    At no time, not even after a power cut, is a half-written directory in that place. A kill in the moment between
    the two renames leaves the old one beside, and the next call puts it back.

    Args:
        directory: where the new one is to be; check first what is there (`check_place`).
    """
    new, old = (directory.with_name(f".{directory.name}.{age}") for age in ("new", "old"))
    if old.is_dir() and not directory.exists():
        old.replace(directory)
    for left in (new, old):
        shutil.rmtree(left, ignore_errors=True)
    new.mkdir(parents=True)
    yield new
    bring_to_disk([path for path in new.rglob("*") if not path.is_symlink()] + [new])
    if directory.exists():
        directory.replace(old)
    new.replace(directory)
    bring_to_disk([directory.parent])
    shutil.rmtree(old, ignore_errors=True)
