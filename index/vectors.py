"""The vector index: with the two forms that it takes, `index.flat` and `index.cells`, all that touches FAISS.

Decisions:
- Flat up to `MOST_FLAT` vectors, and exact. Above that in cells: nearly exact, and many times as fast. It takes that
  form where it is written, so that no search waits for k-means, and keeps it where it shrinks again.
- One OpenMP thread for a single query: starting a second one costs more than it saves.
- A file is read only after its SHA-256 was checked (`index.manifest`), and with FAISS's own limits set.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from conversations.errors import IndexDamaged, MissingPart
from index.cells import Cells
from index.flat import Flat, Floats, Ids

LARGEST_VECTOR_BYTES = 1 << 34
"""Refuses an index file that claims more than 16 GiB in one block."""

MOST_FLAT = 200_000
"""Of 200,000 a flat search takes 12 ms, and an answer takes three; in cells 1.4 ms for 99 % of the nearest 100."""


def check_faiss() -> None:
    """Makes sure that exactly one FAISS package is installed.

    Raises:
        MissingPart: none is, or both are; they overwrite each other's files.
    """
    installed = [name for name in ("faiss-cpu", "faiss-gpu") if _is_installed(name)]
    if not installed:
        raise MissingPart(
            "FAISS is not installed.",
            "Run: pip install 'attendant[cpu]' (or 'attendant[gpu]' on a machine with an NVIDIA GPU).",
        )
    if len(installed) == 2:
        raise MissingPart(
            "faiss-cpu and faiss-gpu are both installed and overwrite each other.",
            "Run: pip uninstall -y faiss-cpu faiss-gpu, then pip install 'attendant[cpu]' or 'attendant[gpu]'.",
        )


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _faiss() -> Any:  # noqa: ANN401 - FAISS has no type information
    check_faiss()
    import faiss

    return faiss


class VectorIndex:
    """Unit vectors under stable ids; similarity is the inner product, that is the cosine."""

    def __init__(self, dimension: int) -> None:
        self._faiss = _faiss()
        self.dimension = dimension
        self._held: Flat | Cells = Flat.empty(self._faiss, dimension)
        self._is_written = False

    def __len__(self) -> int:
        """Number of vectors."""
        return int(self._held.index.ntotal)

    @property
    def ids(self) -> Ids:
        """The ids, in no order that counts."""
        return self._held.ids

    @property
    def is_written(self) -> bool:
        """Whether a file holds it just as `save` would write it now."""
        return self._is_written and not self._wants_cells

    def add(self, ids: Ids, vectors: Floats) -> None:
        """Adds vectors, (n, dimension) float32; an id must not be there yet."""
        if len(ids):
            self._held.add(np.ascontiguousarray(ids, np.int64), np.ascontiguousarray(vectors, np.float32))
            self._is_written = False

    def remove(self, ids: Ids) -> int:
        """Removes the vectors of these ids; returns how many were there."""
        if len(ids) == 0:
            return 0
        removed = self._held.remove(np.ascontiguousarray(ids, np.int64))
        self._is_written &= not removed
        return removed

    def renew(self) -> None:
        """Makes it anew of what is there: the means of its cells may tell what was removed."""
        if isinstance(self._held, Cells):
            held = self._held
            self._held = Flat.empty(self._faiss, self.dimension)
            self.add(held.ids, held.all_vectors())
            self._is_written = False

    def search(self, queries: Floats, count: int) -> tuple[Floats, Ids]:
        """The most similar vectors of each query, best first; of a large index nearly always.

        Args:
            queries: (n, dimension) float32.
            count: how many; fewer come back when the index is smaller.

        Returns:
            Similarities and ids, each (n, min(count, size)).
        """
        count = min(count, len(self))
        if count == 0:
            nothing = np.zeros((len(queries), 0))
            return nothing.astype(np.float32), nothing.astype(np.int64)
        with self._one_thread():
            return self._held.search(np.ascontiguousarray(queries, np.float32), count)

    @contextmanager
    def _one_thread(self) -> Iterator[None]:
        """Searches on one thread; the setting is put back, since torch in the same process may share it."""
        before = self._faiss.omp_get_max_threads()
        self._faiss.omp_set_num_threads(1)
        try:
            yield
        finally:
            self._faiss.omp_set_num_threads(before)

    def vectors_of(self, ids: Ids) -> Floats:
        """The stored vectors of these ids: (len(ids), dimension). Every id must be there."""
        return self._held.vectors_of(np.ascontiguousarray(ids, np.int64))

    @property
    def _wants_cells(self) -> bool:
        """Whether it has grown past what it is."""
        return self._held.is_outgrown if isinstance(self._held, Cells) else len(self) > MOST_FLAT

    def save(self, path: Path) -> None:
        """Writes the index to a new file, divided into cells, or anew, where it has grown large, or several times.

        Raises:
            OSError: it cannot be written; numbered as the system's own error was.
        """
        if self._wants_cells:
            self._held = Cells.of(self._faiss, self._held.ids, self._held.all_vectors())
        try:
            # Through a file of Python's: FAISS's own loses what fails at its closing, when the last of it is written.
            with path.open("wb") as file:
                self._faiss.write_index(self._held.index, self._faiss.PyCallbackIOWriter(file.write))
        except OSError as error:
            raise OSError(error.errno, "The index cannot be written", str(path)) from error
        self._is_written = True

    @classmethod
    def load(cls, path: Path, dimension: int) -> VectorIndex:
        """Reads an index file whose checksum was verified.

        Raises:
            IndexDamaged: FAISS cannot read it, or it is of another kind or dimension.
        """
        faiss = _faiss()
        faiss.set_deserialization_vector_byte_limit(LARGEST_VECTOR_BYTES)
        loaded = cls(dimension)
        try:
            index = faiss.read_index(str(path))
        except (RuntimeError, MemoryError) as error:
            raise IndexDamaged(f"{path} cannot be read.", "It is rebuilt from the store.") from error
        if isinstance(index, faiss.IndexIDMap2) and isinstance(faiss.downcast_index(index.index), faiss.IndexFlat):
            loaded._held = Flat(faiss, index)
        elif isinstance(index, faiss.IndexIVFFlat) and index.is_trained:
            loaded._held = Cells(faiss, index)
        if loaded._held.index is not index or (index.d, index.metric_type) != (dimension, faiss.METRIC_INNER_PRODUCT):
            raise IndexDamaged(f"{path} is not an index of dimension {dimension}.", "It is rebuilt from the store.")
        loaded._is_written = True
        return loaded
