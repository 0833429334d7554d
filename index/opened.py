"""The files of an index opened for reading: all of one state, whatever a writer swaps meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from conversations.errors import IndexDamaged
from index.manifest import Manifest, read_manifest
from index.stamps import verify_changed
from index.states import TokenStates
from index.vectors import VectorIndex

_TRIES = 3


@dataclass(frozen=True)
class OpenedIndex:
    """One state of an index. It stays readable after a writer has deleted its files."""

    encoder: str
    """Identity of the encoder that built it."""
    writing: str
    """The latest writing of the store that it was built from; empty where that was not kept."""
    views: dict[str, VectorIndex]
    """"questions", "dialogues" and "answers"."""
    question_states: TokenStates
    answer_states: TokenStates


def open_index(directory: Path) -> OpenedIndex:
    """Verifies and opens an index; begins again where a writer swapped it meanwhile.

    Raises:
        IndexDamaged: there is none, a file is not what was written, or it keeps changing.
    """
    for _ in range(_TRIES):
        manifest = read_manifest(directory)
        if manifest is None:
            raise IndexDamaged("There is no index yet.", "It is built from the store.")
        try:
            verify_changed(directory, manifest)
            return _load(directory, manifest)
        except IndexDamaged:
            newer = read_manifest(directory)
            if newer is None or newer.serial == manifest.serial:
                raise
    raise IndexDamaged("The index keeps changing while it is read.", "Try again in a moment.")


def _load(directory: Path, manifest: Manifest) -> OpenedIndex:
    return OpenedIndex(
        manifest.encoder,
        manifest.writing,
        {view: VectorIndex.load(directory / name, manifest.dimension) for view, name in manifest.vectors.items()},
        TokenStates(directory, manifest.segments["questions"]),
        TokenStates(directory, manifest.segments["answers"]),
    )
