"""The manifest of an index: which files belong together, from which encoder, and their checksums.

Files never change once written; the manifest is the only file that is replaced, in one step. A reader therefore sees
either the index before or the index after, never a mixture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from conversations.errors import IndexDamaged
from conversations.on_disk import swap_in
from conversations.store import Store

SCHEMA = 1
NAME = "manifest.json"
STAMPS = "verified.json"
"""What `index.stamps` notes; not part of the index."""
READERS = 4
"""Files that are hashed at a time."""


@dataclass(frozen=True)
class Manifest:
    """What an index holds."""

    encoder: str
    """Identity of the encoder: name and fingerprint of its weights."""
    dimension: int
    states_below: int
    """The token states enter the encoder's last so many layers."""
    pairs: int
    answers: int
    serial: int
    """Counts the versions; part of the names of the files it wrote."""
    vectors: dict[str, str] = field(default_factory=dict)
    """View ("questions", "dialogues", "answers") to file name."""
    segments: dict[str, list[str]] = field(default_factory=dict)
    """"questions" and "answers" to the stems of their token-state segments."""
    files: dict[str, str] = field(default_factory=dict)
    """File name to SHA-256, for every file."""
    writing: str = ""
    """The latest writing of the store that it was built from; empty in one that was built before these were kept."""
    schema: int = SCHEMA


def read_manifest(directory: Path) -> Manifest | None:
    """The manifest, or None where there is none yet.

    Raises:
        IndexDamaged: it cannot be read, or is of another schema.
    """
    path = directory / NAME
    try:
        manifest = Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise IndexDamaged(f"{path} cannot be read ({error}).", "It is rebuilt from the store.") from error
    if manifest.schema != SCHEMA:
        raise IndexDamaged(f"{path} has schema {manifest.schema}, not {SCHEMA}.", "It is rebuilt from the store.")
    return manifest


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Swaps the manifest in: from here on readers see the new index. The files that it names must be on the disk."""
    swap_in(json.dumps(asdict(manifest), indent=1), directory / NAME)


def verify_files(directory: Path, manifest: Manifest, names: Iterable[str] | None = None) -> None:
    """Checks files against their SHA-256; by default all.

    Raises:
        IndexDamaged: a file is missing or is not what was written.
    """
    wanted = list(manifest.files if names is None else names)
    with ThreadPoolExecutor(READERS) as pool:
        for name, digest in zip(wanted, pool.map(lambda name: _digest(directory / name), wanted), strict=True):
            if digest != manifest.files[name]:
                state = "damaged" if digest else "missing or unreadable"
                raise IndexDamaged(f"The index file {name} is {state}.", "It is rebuilt from the store.")


def _digest(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except OSError:
        return None


def verify_state(writing: str, store: Store) -> None:
    """Checks that the store went on from the state that an index was built from.

    Raises:
        IndexDamaged: it was put back from a copy since: the same ids may mean other texts.
    """
    if writing and not store.has_written(writing):
        raise IndexDamaged("The index was built from another state of the store.", "It is rebuilt from the store.")


def remove_strangers(directory: Path, manifest: Manifest) -> None:
    """Deletes files that the manifest does not name: leftovers of older versions or of a killed writer."""
    keep = {NAME, STAMPS, *manifest.files}
    for path in directory.iterdir():
        if path.is_file() and path.name not in keep:
            path.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
