"""A large index is divided into cells: it finds what the flat one finds, and adds, removes and keeps as that one."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from index_fixtures import add, built, conversation, embedder, opened

import index.vectors
from conversations.errors import IndexDamaged
from conversations.model import Turn
from index.builder import check_index, index_directory, update_index
from index.candidates import read_dialogues
from index.cells import NEIGHBOURS, cells_for
from index.manifest import read_manifest
from index.vectors import VectorIndex

SIZE, WIDTH = 6000, 16


@pytest.fixture(autouse=True)
def low_limit(monkeypatch):
    monkeypatch.setattr(index.vectors, "MOST_FLAT", 1000)


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def topics(size, seed=1):
    """Vectors around fifty topics, as texts lie, under ids that are neither dense nor in order."""
    generator = np.random.default_rng(seed)
    middles = np.random.default_rng(0).standard_normal((50, WIDTH))
    vectors = unit(middles[generator.integers(0, 50, size)] + 0.6 * generator.standard_normal((size, WIDTH)))
    return generator.permutation(size) * 3 + 1_000_000 * seed, vectors


def filled(ids, vectors):
    made = VectorIndex(WIDTH)
    made.add(ids, vectors)
    return made


@pytest.fixture
def pair(tmp_path):
    """The same vectors in a flat index and, written and read again, in one of cells."""
    flat, large = filled(*topics(SIZE)), filled(*topics(SIZE))
    large.save(tmp_path / "large")
    assert kind(tmp_path / "large") is faiss.IndexIVFFlat
    return flat, VectorIndex.load(tmp_path / "large", WIDTH)


def kind(path):
    return type(faiss.read_index(str(path)))


def test_it_finds_what_the_flat_one_finds(pair):
    flat, large = pair
    queries = topics(200, 2)[1]
    for count in (1, 10, 100, NEIGHBOURS):
        (exact_scores, exact), (scores, found) = flat.search(queries, count), large.search(queries, count)
        assert found.shape == scores.shape == exact.shape
        assert (np.diff(scores, axis=1) <= 0).all()
        assert np.mean([len(set(a) & set(b)) / count for a, b in zip(exact, found, strict=True)]) > 0.97
        assert (scores <= exact_scores + 1e-6).all()


def test_whoever_asks_for_more_is_answered_ever_more_exactly_and_at_last_with_everything(pair):
    flat, large = pair
    queries = topics(5, 2)[1]
    for count in (600, 2400, SIZE - 1, SIZE, SIZE + 9):
        (_, exact), (_, found) = flat.search(queries, count), large.search(queries, count)
        assert [len(set(row)) for row in found.tolist()] == [min(count, SIZE)] * 5, "none twice"
        assert set(found.ravel().tolist()) <= set(large.ids.tolist()), "nothing that is not there"
        if count >= 2400:
            assert [set(row) for row in found.tolist()] == [set(row) for row in exact.tolist()]


def test_a_search_is_full_though_the_nearest_cells_are_all_but_empty(tmp_path):
    ids, vectors = topics(SIZE)
    large = filled(ids, vectors)
    large.save(tmp_path / "large")
    near = np.argsort(-(vectors @ vectors[0]))[: SIZE - 40]
    large.remove(ids[near])
    found = large.search(vectors[:1], 30)[1][0]
    assert len(set(found.tolist())) == 30
    assert set(found.tolist()) <= set(ids.tolist()) - set(ids[near].tolist())


def test_a_question_finds_the_same_alone_and_among_others(pair):
    _, large = pair
    queries = topics(40, 2)[1]
    scores, found = large.search(queries, 50)
    alone = [large.search(query[None], 50) for query in queries]
    assert (np.concatenate([one for one, _ in alone]) == scores).all()
    assert (np.concatenate([one for _, one in alone]) == found).all()


def test_it_is_divided_alike_every_time(tmp_path):
    for name in ("one", "other"):
        filled(*topics(SIZE)).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_vectors_are_added_removed_and_given_out(pair, tmp_path):
    flat, large = pair
    ids, vectors = topics(SIZE)
    new, more = topics(500, 3)
    for one in pair:
        one.add(new, more)
        assert one.remove(np.concatenate([ids[:700], new[:2], [-5, 9, 9]])) == 702
        assert one.remove(ids[:700]) == one.remove(ids[:0]) == 0
    large.save(tmp_path / "again")
    large = VectorIndex.load(tmp_path / "again", WIDTH)
    assert len(large) == len(flat) == SIZE + 500 - 702
    assert sorted(large.ids.tolist()) == sorted(flat.ids.tolist())
    some = np.concatenate([new[5:300][::-1], ids[900:1200]])
    assert (large.vectors_of(some) == np.concatenate([more[5:300][::-1], vectors[900:1200]])).all()
    assert large.vectors_of(ids[:0]).shape == (0, WIDTH)
    best = large.search(more[5:300], 1)[1][:, 0]
    assert (best == new[5:300]).mean() > 0.99


def test_up_to_the_limit_a_file_stays_what_it_was_and_a_flat_one_above_it_is_divided_when_it_is_written(
    tmp_path, monkeypatch
):
    ids, vectors = topics(1001)
    small = filled(ids[:1000], vectors[:1000])
    small.save(tmp_path / "small")
    plain = faiss.IndexIDMap2(faiss.IndexFlatIP(WIDTH))
    plain.add_with_ids(vectors[:1000], ids[:1000])
    faiss.write_index(plain, str(tmp_path / "plain"))
    assert (tmp_path / "small").read_bytes() == (tmp_path / "plain").read_bytes()

    assert VectorIndex.load(tmp_path / "small", WIDTH).is_written
    with monkeypatch.context() as before:
        before.setattr(index.vectors, "MOST_FLAT", 5000)
        small.add(ids[1000:], vectors[1000:])
        small.save(tmp_path / "flat")
    grown = VectorIndex.load(tmp_path / "flat", WIDTH)
    assert kind(tmp_path / "flat") is faiss.IndexIDMap2
    assert (grown.search(vectors[:9], 1)[1][:, 0] == ids[:9]).all()
    assert not grown.is_written
    grown.save(tmp_path / "cells")
    assert kind(tmp_path / "cells") is faiss.IndexIVFFlat
    assert grown.is_written
    assert sorted(grown.ids.tolist()) == sorted(ids.tolist())


def test_it_is_divided_anew_when_it_has_grown_fourfold_and_stays_divided_when_it_shrinks(tmp_path):
    ids, vectors = topics(SIZE)
    grown = filled(ids[:1100], vectors[:1100])
    cells = []
    for end in (1200, 2400, SIZE):
        grown.add(ids[max(1100, len(grown)) : end], vectors[max(1100, len(grown)) : end])
        grown.save(tmp_path / "grown")
        cells.append(faiss.read_index(str(tmp_path / "grown")).nlist)
    assert cells == [cells_for(1200), cells_for(1200), cells_for(SIZE)]
    exact = filled(ids, vectors)
    queries = topics(100, 2)[1]
    both = zip(exact.search(queries, 100)[1], grown.search(queries, 100)[1], strict=True)
    assert np.mean([len(set(a) & set(b)) / 100 for a, b in both]) > 0.97
    assert grown.remove(ids[5:]) == SIZE - 5
    grown.save(tmp_path / "grown")
    few = VectorIndex.load(tmp_path / "grown", WIDTH)
    assert set(few.search(queries[:1], 9)[1][0].tolist()) == set(ids[:5].tolist())
    few.remove(ids)
    few.save(tmp_path / "none")
    none = VectorIndex.load(tmp_path / "none", WIDTH)
    assert none.search(queries, 9)[1].shape == (100, 0)
    assert len(none) == len(none.ids) == 0
    none.add(ids[:3], vectors[:3])
    assert (none.search(vectors[:1], 1)[1] == ids[0]).all()


def test_a_thousand_times_the_same_is_no_trouble(tmp_path):
    same = filled(np.arange(3000), np.repeat(unit(np.eye(2, WIDTH)), 1500, axis=0))
    same.save(tmp_path / "same")
    found = same.search(np.eye(2, WIDTH, dtype=np.float32), 1500)[1]
    assert [sorted(row) for row in found.tolist()] == [list(range(1500)), list(range(1500, 3000))]


def test_a_file_of_another_kind_width_or_measure_is_refused(pair, tmp_path):
    with pytest.raises(IndexDamaged, match="dimension 8"):
        VectorIndex.load(tmp_path / "large", 8)
    _, vectors = topics(SIZE)
    graph = faiss.IndexIDMap2(faiss.IndexHNSWFlat(WIDTH, 8, faiss.METRIC_INNER_PRODUCT))
    distance = faiss.IndexIVFFlat(faiss.IndexFlatL2(WIDTH), WIDTH, 8)
    distance.train(vectors)
    untrained = faiss.IndexIVFFlat(faiss.IndexFlatIP(WIDTH), WIDTH, 8, faiss.METRIC_INNER_PRODUCT)
    for other in (graph, distance, untrained, faiss.IndexFlatIP(WIDTH)):
        faiss.write_index(other, str(tmp_path / "other"))
        with pytest.raises(IndexDamaged, match="is not an index"):
            VectorIndex.load(tmp_path / "other", WIDTH)
    (tmp_path / "other").write_bytes((tmp_path / "large").read_bytes()[:-1000])
    with pytest.raises(IndexDamaged, match="cannot be read"):
        VectorIndex.load(tmp_path / "other", WIDTH)


def test_a_desk_past_the_limit_is_served_as_before_and_goes_on_growing_and_forgetting(tmp_path, monkeypatch):
    store, flat = built(tmp_path)
    asked = read_dialogues(embedder(), [[Turn("customer", "How do I send a lamp back?")]])
    hidden = [("label",)]
    before = flat.retrieve(asked), flat.retrieve(asked, hidden)
    monkeypatch.setattr(index.vectors, "MOST_FLAT", 5)
    assert opened(tmp_path, store).retrieve(asked) == before[0], "what was written flat is read as it is"
    store.delete_conversation("refund")
    add(store, conversation("refund", "When will I get my money?", "Refunds arrive soon."))
    update_index(tmp_path / "index", store, embedder())
    directory = index_directory(tmp_path / "index", embedder().identity)
    files = read_manifest(directory).vectors.values()
    assert {kind(directory / name) for name in files} == {faiss.IndexIVFFlat}
    large = opened(tmp_path, store)
    for exact, found in zip(before, (large.retrieve(asked), large.retrieve(asked, hidden)), strict=True):
        assert [one.text for one in found[0][:1]] == [one.text for one in exact[0][:1]]
        assert len(found[0]) == len(exact[0])
    assert all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))
