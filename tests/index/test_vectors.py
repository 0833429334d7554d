"""The vector index: exact up to its limit, however many neighbours are asked for."""

from __future__ import annotations

import errno
from pathlib import Path

import faiss
import numpy as np
import pytest

import index.vectors
from index.vectors import VectorIndex

SIZE, WIDTH = 3000, 8


class GpuIndex:
    """Searches as the index that it was made from, and refuses what FAISS refuses on a GPU."""

    def __init__(self, flat, device):
        self.flat = flat
        self.device = device
        self.asked = []

    def search(self, queries, count):
        self.asked.append(count)
        if count > 2048:
            raise RuntimeError("GPU index only supports min/max-K selection up to 2048")
        return self.flat.search(queries, count)


@pytest.fixture
def gpus(monkeypatch):
    """FAISS as it is where it sees two GPUs; what was put on them."""
    made = []

    def to_gpu(resources, device, flat):
        made.append(GpuIndex(flat, device))
        return made[-1]

    monkeypatch.setattr(faiss, "StandardGpuResources", object, raising=False)
    monkeypatch.setattr(faiss, "get_num_gpus", lambda: 2, raising=False)
    monkeypatch.setattr(faiss, "index_cpu_to_gpu", to_gpu, raising=False)
    return made


def test_more_neighbours_than_a_gpu_finds_are_found_all_the_same(gpus):
    vectors = np.random.default_rng(5).standard_normal((SIZE, WIDTH)).astype(np.float32)
    flat = VectorIndex(WIDTH)
    flat.add(np.arange(SIZE) + 10, vectors)
    nearest = np.argsort(-(vectors[:2] @ vectors.T), kind="stable") + 10
    for count in (50, 2048, 2400, SIZE + 1):
        scores, ids = flat.search(vectors[:2], count)
        assert ids.shape == scores.shape == (2, min(count, SIZE))
        assert (ids[:, :50] == nearest[:, :50]).all()
        assert [set(row) for row in ids.tolist()] == [set(row[:count]) for row in nearest.tolist()]
    assert [made.asked for made in gpus] == [[50, 2048]]


def test_every_process_of_a_torchrun_searches_on_its_own_gpu(gpus, monkeypatch):
    for rank in (None, "0", "1"):
        if rank:
            monkeypatch.setenv("LOCAL_RANK", rank)
        flat = VectorIndex(WIDTH)
        flat.add(np.arange(2), np.eye(2, WIDTH, dtype=np.float32))
        flat.search(np.eye(1, WIDTH, dtype=np.float32), 1)
    assert [made.device for made in gpus] == [0, 0, 1]


def test_a_large_index_is_searched_on_the_cpu(gpus, monkeypatch, tmp_path):
    monkeypatch.setattr(index.vectors, "MOST_FLAT", SIZE - 1)
    vectors = np.random.default_rng(5).standard_normal((SIZE, WIDTH)).astype(np.float32)
    large = VectorIndex(WIDTH)
    large.add(np.arange(SIZE), vectors)
    large.save(tmp_path / "large")
    assert large.search(vectors[:2], 2400)[1].shape == (2, 2400)
    assert gpus == []


@pytest.mark.gpu
def test_more_neighbours_than_a_real_gpu_finds_are_found_all_the_same():
    if not hasattr(faiss, "StandardGpuResources") or not faiss.get_num_gpus():
        pytest.skip("faiss-cpu is installed, or there is no GPU")
    vectors = np.random.default_rng(5).standard_normal((SIZE, WIDTH)).astype(np.float32)
    flat = VectorIndex(WIDTH)
    flat.add(np.arange(SIZE), vectors)
    for count in (2048, 2049):
        assert flat.search(vectors[:2], count)[1].shape == (2, count)


@pytest.mark.parametrize("count", [1, 20])
def test_a_full_disk_and_a_missing_directory_are_told_apart(tmp_path, count):
    index = VectorIndex(384)
    index.add(np.arange(count), np.eye(count, 384, dtype=np.float32))
    for path, number in ((Path("/dev/full"), errno.ENOSPC), (tmp_path / "none" / "x", errno.ENOENT)):
        with pytest.raises(OSError, match="cannot be written") as raised:
            index.save(path)
        assert (raised.value.errno, raised.value.filename, index.is_written) == (number, str(path), False)
