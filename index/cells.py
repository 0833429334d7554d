"""Vectors in cells around the means of k-means: a search looks into the cells nearest to the query only.

Decisions, measured by `tests/benchmarks/large_index.py`:
- FAISS's `IndexIVFFlat`, not a graph: vectors can be removed from it, and it takes no more memory than the vectors.
- Whoever asks for more neighbours gets proportionally more cells searched, and from some number on all: a search that
  is widened until enough is found ends exact.
- One query at a time: the products that choose the cells are rounded otherwise for many, and a replay has to find
  what a single question finds.
- 1,000,000 vectors: 2,000 cells, 22 s of k-means and 20 s to fill them; 64 of them hold 99.5 % of the nearest 100 and
  take 2.9 ms to search, all vectors 56 ms. Twice the cells take four times as long to make
  and find no more in the same time.
- It is searched on the CPU, also where FAISS sees a GPU: that takes a few milliseconds, and the GPU's variant can
  neither look into more than 2,048 cells nor find more than 2,048 neighbours.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

PROBES = 64
"""Cells searched for up to `NEIGHBOURS` neighbours."""
NEIGHBOURS = 150
"""What retrieval asks for at first."""
TRAINED_ON = 64
"""Vectors a cell that k-means looks at."""
ROUNDS = 10
"""Of k-means."""


def cells_for(vectors: int) -> int:
    """How many cells so many vectors are divided into."""
    return max(int(2 * math.sqrt(vectors)), 1)


class Cells:
    """A FAISS `IndexIVFFlat`; arguments and results as those of `index.vectors.VectorIndex`."""

    def __init__(self, faiss: Any, index: Any) -> None:  # noqa: ANN401 - FAISS has no type information
        """Takes FAISS and the trained index."""
        self._faiss, self.index = faiss, index
        self._ids: Ids | None = None
        if index.direct_map.type != faiss.DirectMap.Hashtable:
            index.set_direct_map_type(faiss.DirectMap.Hashtable)

    @classmethod
    def of(cls, faiss: Any, ids: Ids, vectors: Floats) -> Cells:  # noqa: ANN401
        """Divides vectors, (n, dimension), into cells; the same ones always alike."""
        width = vectors.shape[1]
        quantizer = faiss.IndexFlatIP(width)
        index = faiss.IndexIVFFlat(quantizer, width, cells_for(len(vectors)), faiss.METRIC_INNER_PRODUCT)
        index.cp.niter, index.cp.seed = ROUNDS, 1234
        index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, TRAINED_ON
        index.train(vectors)
        made = cls(faiss, index)
        made.add(ids, vectors)
        return made

    @property
    def is_outgrown(self) -> bool:
        """Whether there are four times the vectors that it has cells for, or more."""
        return cells_for(self.index.ntotal) >= 2 * int(self.index.nlist)

    @property
    def ids(self) -> Ids:
        """The ids, rising."""
        if self._ids is None:
            lists = self.index.invlists
            sizes = [(cell, lists.list_size(cell)) for cell in range(self.index.nlist)]
            parts = [self._faiss.rev_swig_ptr(lists.get_ids(cell), size) for cell, size in sizes if size]
            self._ids = np.sort(np.concatenate([np.empty(0, np.int64), *parts]))
        return self._ids

    def add(self, ids: Ids, vectors: Floats) -> None:
        """Adds vectors."""
        self.index.add_with_ids(vectors, ids)
        self._ids = None

    def remove(self, ids: Ids) -> int:
        """Removes vectors; returns how many were there."""
        self._ids = None
        # An index with a table of places takes its ids in no other form.
        return int(self.index.remove_ids(self._faiss.IDSelectorArray(len(ids), self._faiss.swig_ptr(ids))))

    def search(self, queries: Floats, count: int) -> tuple[Floats, Ids]:
        """The most similar vectors of each query, nearly always; at most as many as there are."""
        scores, found = np.empty((len(queries), count), np.float32), np.empty((len(queries), count), np.int64)
        for row in range(len(queries)):
            scores[row], found[row] = self._search_one(queries[row : row + 1], count)
        return scores, found

    def _search_one(self, query: Floats, count: int) -> tuple[Floats, Ids]:
        """As `search`, each (1, count)."""
        probes = PROBES * -(-count // NEIGHBOURS)
        while True:
            parameters = self._faiss.SearchParametersIVF(nprobe=min(probes, self.index.nlist))
            scores, found = self.index.search(query, count, params=parameters)
            # Cells that hold too few are filled up with -1.
            if found[0, -1] >= 0 or probes >= self.index.nlist:
                return scores, found
            probes *= 4

    def vectors_of(self, ids: Ids) -> Floats:
        """The stored vectors of these ids."""
        if not len(ids):
            return np.empty((0, self.index.d), np.float32)
        return np.asarray(self.index.reconstruct_batch(ids), dtype=np.float32)

    def all_vectors(self) -> Floats:
        """The vectors in the order of `ids`, copied."""
        return self.vectors_of(self.ids)
