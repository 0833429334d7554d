"""The vector index: the only module that touches FAISS.

Decisions:
- `IndexIDMap2` over a flat inner-product index: exact, and a vector can be deleted. At 100,000 vectors a search takes
  a few milliseconds; graphs pay off only far above that and cannot delete.
- A GPU finds at most `MOST_ON_GPU` neighbours of a query: whoever asks for more is answered by the CPU.
- One OpenMP thread for a single query: starting a second one costs more than it saves.
- A file is read only after its SHA-256 was checked (`index.manifest`), and with FAISS's own limits set.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from conversations.errors import IndexDamaged, MissingPart

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

LARGEST_VECTOR_BYTES = 1 << 34
"""Refuses an index file that claims more than 16 GiB in one block."""

MOST_ON_GPU = 2048
"""FAISS's own limit, GPU_MAX_SELECTION_K; it refuses to look for more there."""


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


_of_thread = threading.local()


def _gpu_resources() -> Any:  # noqa: ANN401
    """One set for all indexes of a thread: each takes over a gigabyte of the GPU, and threads may not share it."""
    if not hasattr(_of_thread, "resources"):
        _of_thread.resources = _faiss().StandardGpuResources()
    return _of_thread.resources


class VectorIndex:
    """Unit vectors under stable ids; similarity is the inner product, that is the cosine."""

    def __init__(self, dimension: int) -> None:
        self._faiss = _faiss()
        self.dimension = dimension
        self._index = self._faiss.IndexIDMap2(self._faiss.IndexFlatIP(dimension))
        self._on_gpu: Any = None
        self._ids: Ids | None = None

    def __len__(self) -> int:
        """Number of vectors."""
        return int(self._index.ntotal)

    @property
    def ids(self) -> Ids:
        """The ids in row order."""
        if self._ids is None:
            self._ids = self._faiss.vector_to_array(self._index.id_map).astype(np.int64)
        return self._ids

    def add(self, ids: Ids, vectors: Floats) -> None:
        """Adds vectors, (n, dimension) float32; an id must not be there yet."""
        if len(ids):
            self._index.add_with_ids(np.ascontiguousarray(vectors, np.float32), np.ascontiguousarray(ids, np.int64))
            self._forget_caches()

    def remove(self, ids: Ids) -> int:
        """Removes the vectors of these ids; returns how many were there."""
        if len(ids) == 0:
            return 0
        removed = int(self._index.remove_ids(np.ascontiguousarray(ids, np.int64)))
        self._forget_caches()
        return removed

    def search(self, queries: Floats, count: int) -> tuple[Floats, Ids]:
        """The most similar vectors of each query, best first.

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
        searcher = self._searcher() if count <= MOST_ON_GPU else self._index.index
        with self._one_thread():
            scores, rows = searcher.search(np.ascontiguousarray(queries, np.float32), count)
        return scores, self.ids[rows]

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
        rows = self._rows_of(ids)
        flat = self._faiss.downcast_index(self._index.index)
        stored = self._faiss.rev_swig_ptr(flat.get_xb(), len(self) * self.dimension)
        return np.asarray(stored.reshape(len(self), self.dimension)[rows], dtype=np.float32)

    def _rows_of(self, ids: Ids) -> Ids:
        if self._order is None:
            self._order = np.argsort(self.ids, kind="stable")
        places = np.searchsorted(self.ids, ids, sorter=self._order)
        return np.asarray(self._order[places], dtype=np.int64)

    _order: Ids | None = None

    def _searcher(self) -> Any:  # noqa: ANN401
        """The flat index, on the GPU where FAISS sees one."""
        if self._on_gpu is None:
            flat = self._index.index
            if hasattr(self._faiss, "StandardGpuResources") and self._faiss.get_num_gpus() > 0:
                # The GPU that this process of a torchrun computes on, not everybody's first.
                own = int(os.environ.get("LOCAL_RANK", "0")) % self._faiss.get_num_gpus()
                flat = self._faiss.index_cpu_to_gpu(_gpu_resources(), own, self._faiss.downcast_index(flat))
            self._on_gpu = flat
        return self._on_gpu

    def _forget_caches(self) -> None:
        self._ids = self._order = self._on_gpu = None

    def save(self, path: Path) -> None:
        """Writes the index to a new file."""
        try:
            self._faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise OSError(f"The index file {path} cannot be written: is the disk full?") from error

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
            loaded._index = faiss.read_index(str(path))
        except (RuntimeError, MemoryError) as error:
            raise IndexDamaged(f"{path} cannot be read.", "It is rebuilt from the store.") from error
        if not isinstance(loaded._index, faiss.IndexIDMap2) or loaded._index.d != dimension:
            raise IndexDamaged(f"{path} is not an index of dimension {dimension}.", "It is rebuilt from the store.")
        return loaded
