"""An index being changed: its vectors in memory, its files on disk, and the one move that makes a new state of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from conversations.on_disk import bring_to_disk
from conversations.store import Store
from index.manifest import Manifest, remove_strangers, sha256_of, verify_files, verify_state, write_manifest
from index.states import ARRAYS, Ids, merge_segments
from index.vectors import VectorIndex

VIEWS = ("questions", "dialogues", "answers")


class IndexFiles:
    """The index that a manifest describes, opened for writing."""

    def __init__(self, directory: Path, manifest: Manifest, store: Store) -> None:
        """Reads the vectors.

        Args:
            directory: of the index.
            manifest: names the files; one without vectors begins an empty index.
            store: the source of truth.

        Raises:
            IndexDamaged: a file is missing or is not what was written, or the store was put back from a copy since.
        """
        verify_files(directory, manifest)
        verify_state(manifest.writing, store)
        self.directory = directory
        self.manifest = manifest
        self.writing = store.last_writing()
        self.views = {
            view: VectorIndex.load(directory / manifest.vectors[view], manifest.dimension)
            if view in manifest.vectors
            else VectorIndex(manifest.dimension)
            for view in VIEWS
        }

    def difference(self, pairs: Ids, answers: Ids) -> tuple[Ids, Ids, Ids, Ids]:
        """Pairs that are missing, pairs that are too many, and the same of answers.

        Args:
            pairs: ids that should be here.
            answers: the same.
        """
        here = self.views["questions"].ids, self.views["answers"].ids
        return (*compared(pairs, here[0]), *compared(answers, here[1]))

    def remove(self, pairs: Ids, answers: Ids) -> None:
        """Takes vectors out; their token states stay in the files."""
        for view, gone in (("questions", pairs), ("dialogues", pairs), ("answers", answers)):
            self.views[view].remove(gone)

    def merge(self) -> None:
        """Brings the token states of what is still here into one segment a view, and forgets all others."""
        files: list[Path] = []
        for view, stems in self.manifest.segments.items():
            stem = f"{self.manifest.serial + 1:06d}-{view}"
            ids = np.sort(self.views[view].ids)
            if len(ids):
                files += merge_segments(self.directory, stems, stem, ids, self.manifest.dimension)
            stems[:] = [stem] if len(ids) else []
        self.swap(files)

    def swap(self, files: list[Path]) -> None:
        """Writes the vectors and makes what is in memory the state that readers see; other files are deleted.

        Args:
            files: token-state files written since, whose stems stand in the manifest's segments.
        """
        stem = f"{self.manifest.serial + 1:06d}"
        vectors = {}
        for view, index in self.views.items():
            if view in self.manifest.vectors and index.is_written:
                vectors[view] = self.manifest.vectors[view]
                continue
            path = self.directory / f"{stem}-{view}.faiss"
            index.save(path)
            files.append(path)
            vectors[view] = path.name
        segments = [
            f"{name}.{array}.npy" for names in self.manifest.segments.values() for name in names for array in ARRAYS
        ]
        new = {path.name: sha256_of(path) for path in files}
        kept = {name: self.manifest.files[name] for name in (*vectors.values(), *segments) if name not in new}
        self.manifest = replace(
            self.manifest,
            pairs=len(self.views["questions"]),
            answers=len(self.views["answers"]),
            serial=self.manifest.serial + 1,
            vectors=vectors,
            writing=self.writing,
            files=kept | new,
        )
        bring_to_disk(files)
        write_manifest(self.directory, self.manifest)
        remove_strangers(self.directory, self.manifest)


def compared(wanted: Ids, present: Ids) -> tuple[Ids, Ids]:
    """Ids that are missing, and ids that are there but not wanted, both rising; no id stands twice in either."""
    missing, extra = (np.setdiff1d(*both, assume_unique=True) for both in ((wanted, present), (present, wanted)))
    return np.sort(missing), np.sort(extra)
