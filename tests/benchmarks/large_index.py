"""A desk of hundreds of thousands of pairs: flat, inverted-file and graph indexes beside each other.

    OMP_NUM_THREADS=1 python tests/benchmarks/large_index.py VECTORS.npy SIZE [LOG ...]

VECTORS.npy holds the bundled encoder's vectors of the texts of some logs, in any of the shared JSON Lines formats; it
is made from the LOGs where it is not there. Four hundred texts are held out and asked. The others are blown up to
SIZE vectors: each copy is moved up to half-way towards one of its ten nearest and then in a random direction, by an
angle of about 17 degrees, since customers ask the same in other words. Asked are 150 neighbours, as retrieval asks;
recall is the share of the true nearest 100 and 10. All on one thread; times are those of the processor.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from index.cells import ROUNDS, TRAINED_ON
from index.embedder import Embedder

SMALL = 250_000
"""Up to so many vectors more cells and a graph are built too, which takes long."""
ASKED, QUERIES, NEAR, NOISE = 150, 400, 10, 0.3


def texts_of(row: dict[str, Any]) -> Iterator[str]:
    yield from (str(row[key]) for key in ("text", "question") if row.get(key))
    yield from (str(turn["text"]) for turn in row.get("turns", ()))


def encode(logs: list[str]) -> np.ndarray:
    lines = (line for log in logs for line in gzip.decompress(Path(log).read_bytes()).decode().splitlines())
    texts = list(dict.fromkeys(text for line in lines for text in texts_of(json.loads(line)) if text.strip()))
    return Embedder().encode(texts)


def blown_up(base: np.ndarray, size: int) -> np.ndarray:
    """(size, width): the first are the given vectors themselves."""
    generator = np.random.default_rng(3)
    nearest = faiss.knn(base, base, NEAR + 1, metric=faiss.METRIC_INNER_PRODUCT)[1][:, 1:]
    made = np.empty((size, base.shape[1]), np.float32)
    for begin in range(0, size, len(base)):
        part = made[begin : begin + len(base)]
        part[:] = base[: len(part)]
        if begin:
            other = base[nearest[np.arange(len(part)), generator.integers(0, NEAR, len(part))]]
            part += generator.uniform(0, 0.5, (len(part), 1)).astype(np.float32) * (other - part)
            noise = generator.standard_normal(part.shape, np.float32)
            part += NOISE * np.linalg.norm(part, axis=1, keepdims=True) * noise / np.sqrt(base.shape[1])
            part /= np.linalg.norm(part, axis=1, keepdims=True)
    return made


def timed(do: Callable[[], Any]) -> float:
    begin = time.process_time()
    do()
    return time.process_time() - begin


def ask(search: Callable[[np.ndarray], Any], queries: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Milliseconds at the median and the 95th percentile, and the neighbours; one query at a time."""
    spent, found = [], []
    for row in range(len(queries)):
        begin = time.process_time()
        found.append(search(queries[row : row + 1])[1][0])
        spent.append(1000 * (time.process_time() - begin))
    return float(np.median(spent)), float(np.percentile(spent, 95)), np.array(found)


def recalls(found: np.ndarray, true: np.ndarray) -> str:
    both = [(set(a), b) for a, b in zip(found, true, strict=True)]
    hundred, ten = ([len(own & set(right[:top])) / top for own, right in both] for top in (100, 10))
    return f"recall@100 {np.mean(hundred):.4f} @10 {np.mean(ten):.4f} lowest@100 {min(hundred):.2f}"


def inverted(vectors: np.ndarray, queries: np.ndarray, true: np.ndarray, cells: int) -> None:
    width = vectors.shape[1]
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, cells, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.max_points_per_centroid = ROUNDS, TRAINED_ON
    ids = np.arange(len(vectors)) * 3 + 7
    train, add = timed(lambda: index.train(vectors)), timed(lambda: index.add_with_ids(vectors, ids))
    direct = timed(lambda: index.set_direct_map_type(faiss.DirectMap.Hashtable))
    some = np.random.default_rng(1).choice(ids, 400, replace=False)
    gather = 1000 * min(timed(lambda: index.reconstruct_batch(some)) for _ in range(20))
    made = f"train {train:.1f} s, add {add:.1f} s, map {direct:.2f} s, 400 by id {gather:.2f} ms"
    print(f"IVFFlat {cells} cells: {made}")
    for probes in (16, 32, 64, 128):
        index.nprobe = probes
        median, high, found = ask(lambda one: index.search(one, ASKED), queries)
        told = recalls((found - 7) // 3, true)
        print(f"  {probes:4} probes: p50 {median:.2f} ms p95 {high:.2f} ms {told}", flush=True)
    gone = np.random.default_rng(2).choice(ids, 1000, replace=False)
    selector = faiss.IDSelectorArray(len(gone), faiss.swig_ptr(gone))
    print(f"  1,000 removed in {timed(lambda: index.remove_ids(selector)):.2f} s", flush=True)


def graph(vectors: np.ndarray, queries: np.ndarray, true: np.ndarray) -> None:
    index = faiss.IndexHNSWFlat(vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 100
    print(f"HNSW 32: add {timed(lambda: index.add(vectors)):.1f} s; it cannot remove")
    for width in (150, 300, 600):
        index.hnsw.efSearch = width
        median, high, found = ask(lambda one: index.search(one, ASKED), queries)
        print(f"  width {width:4}: p50 {median:.2f} ms p95 {high:.2f} ms {recalls(found, true)}", flush=True)


def main(path: str, size: str, *logs: str) -> None:
    """Prints the table."""
    faiss.omp_set_num_threads(1)
    if not Path(path).exists():
        np.save(path, encode(list(logs)))
    known = np.load(path)
    order = np.random.default_rng(7).permutation(len(known))
    queries, base = known[order[:QUERIES]], known[order[QUERIES:]]
    vectors = blown_up(base, int(size))
    true = faiss.knn(queries, vectors, 100, metric=faiss.METRIC_INNER_PRODUCT)[1]
    print(f"{len(known):,} texts, {len(vectors):,} vectors, {vectors.nbytes / 2**30:.2f} GiB")
    exact = partial(faiss.knn, xb=vectors, k=ASKED, metric=faiss.METRIC_INNER_PRODUCT)
    median, high, _ = ask(exact, queries[:100])
    print(f"flat: p50 {median:.2f} ms p95 {high:.2f} ms", flush=True)
    for cells in [round(share * len(vectors) ** 0.5) for share in ((2, 4) if len(vectors) <= SMALL else (2,))]:
        inverted(vectors, queries, true, cells)
    if len(vectors) <= SMALL:
        graph(vectors, queries, true)


if __name__ == "__main__":
    main(*sys.argv[1:])
