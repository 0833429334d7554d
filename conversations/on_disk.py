"""Small files of the project: written so that a power cut leaves them whole, read whatever they hold."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def bring_to_disk(paths: Iterable[Path]) -> None:
    """Waits until files, or the entries of directories, are on the disk itself."""
    for path in paths:
        if path.is_dir() and os.name != "posix":
            continue  # only there can a directory be opened
        descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def swap_in(text: str, path: Path) -> None:
    """Writes a small file anew in one step: whatever happens, the old one is there, or all of the new one is."""
    beside = path.with_name(f"{path.name}.tmp")
    beside.write_text(text, encoding="utf-8")
    bring_to_disk([beside])
    beside.replace(path)
    bring_to_disk([path.parent])


def read_object(path: Path) -> dict[str, Any]:
    """What a file holds as a JSON object; empty where it is missing, cannot be read, or holds anything else."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}
