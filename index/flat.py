"""Vectors in one row after the other: every search compares all of them, and is exact."""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

MOST_ON_GPU = 2048
"""FAISS's own limit, GPU_MAX_SELECTION_K; it refuses to look for more there."""

_of_thread = threading.local()


def _gpu_resources(faiss: Any) -> Any:  # noqa: ANN401 - FAISS has no type information
    """One set for all indexes of a thread: each takes over a gigabyte of the GPU, and threads may not share it."""
    if not hasattr(_of_thread, "resources"):
        _of_thread.resources = faiss.StandardGpuResources()
    return _of_thread.resources


class Flat:
    """A FAISS `IndexIDMap2` over an `IndexFlatIP`; arguments and results as those of `index.vectors.VectorIndex`."""

    def __init__(self, faiss: Any, index: Any) -> None:  # noqa: ANN401
        """Takes FAISS and the index."""
        self._faiss, self.index = faiss, index
        self._forget_caches()

    @classmethod
    def empty(cls, faiss: Any, dimension: int) -> Flat:  # noqa: ANN401
        """One without vectors."""
        return cls(faiss, faiss.IndexIDMap2(faiss.IndexFlatIP(dimension)))

    def _forget_caches(self) -> None:
        self._ids: Ids | None = None
        self._order: Ids | None = None
        self._on_gpu: Any = None

    @property
    def ids(self) -> Ids:
        """The ids in row order."""
        if self._ids is None:
            self._ids = self._faiss.vector_to_array(self.index.id_map).astype(np.int64)
        return self._ids

    def add(self, ids: Ids, vectors: Floats) -> None:
        """Adds vectors."""
        self.index.add_with_ids(vectors, ids)
        self._forget_caches()

    def remove(self, ids: Ids) -> int:
        """Removes vectors; returns how many were there."""
        removed = int(self.index.remove_ids(ids))
        self._forget_caches()
        return removed

    def search(self, queries: Floats, count: int) -> tuple[Floats, Ids]:
        """The most similar vectors of each query, at most as many as there are."""
        searcher = self._searcher() if count <= MOST_ON_GPU else self.index.index
        scores, rows = searcher.search(queries, count)
        return scores, self.ids[rows]

    def vectors_of(self, ids: Ids) -> Floats:
        """The stored vectors of these ids."""
        rows = self._rows_of(ids)
        return np.asarray(self._stored()[rows], dtype=np.float32)

    def all_vectors(self) -> Floats:
        """The vectors in the order of `ids`; they belong to the index."""
        return np.asarray(self._stored())

    def _stored(self) -> Floats:
        count, width = self.index.ntotal, self.index.d
        flat = self._faiss.downcast_index(self.index.index)
        stored: Floats = self._faiss.rev_swig_ptr(flat.get_xb(), count * width).reshape(count, width)
        return stored

    def _rows_of(self, ids: Ids) -> Ids:
        if self._order is None:
            self._order = np.argsort(self.ids, kind="stable")
        places = np.searchsorted(self.ids, ids, sorter=self._order)
        return np.asarray(self._order[places], dtype=np.int64)

    def _searcher(self) -> Any:  # noqa: ANN401
        """The flat index, on the GPU where FAISS sees one."""
        if self._on_gpu is None:
            flat = self.index.index
            if hasattr(self._faiss, "StandardGpuResources") and self._faiss.get_num_gpus() > 0:
                # The GPU that this process of a torchrun computes on, not everybody's first.
                own = int(os.environ.get("LOCAL_RANK", "0")) % self._faiss.get_num_gpus()
                resources = _gpu_resources(self._faiss)
                flat = self._faiss.index_cpu_to_gpu(resources, own, self._faiss.downcast_index(flat))
            self._on_gpu = flat
        return self._on_gpu
