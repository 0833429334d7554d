"""Forgetting for good: vectors, token states and every other encoder's index."""

from __future__ import annotations

import faiss
import numpy as np
from index_fixtures import LOG, add, built, conversation, embedder, opened

import index.builder
import index.vectors
from conversations.model import Turn
from index.builder import check_index, index_directory, update_index
from index.candidates import read_dialogues
from index.forgetting import forget_in_indexes
from index.manifest import NAME


def states_of(store, reader, name):
    """The token states of a conversation's only question and answer, as bytes."""
    (pair,) = (pair for pair in store.pairs() if pair.conversation == name)
    states = reader.question_states.slices(pair.id, 99), reader.answer_states.slices(pair.answer_id, 99)
    return [values.tobytes() for values, _ in states]


def files_that_hold(root, pieces):
    """Names of the index files that hold one of some runs of bytes."""
    return [path.name for path in root.rglob("*.npy") if any(piece in path.read_bytes() for piece in pieces)]


def test_what_is_forgotten_is_in_no_file_and_the_rest_is_served_as_before(tmp_path):
    store, before = built(tmp_path)
    root = tmp_path / "index"
    asked = read_dialogues(embedder(), [[Turn("customer", "How do I send a lamp back?")]], 1)
    gone = states_of(store, before, "refund")
    kept = {one.answer_id for one in before.retrieve(asked)[0] if one.text != LOG[2][2]}
    states = {one: before.answer_states.slices(one, 99)[0].tobytes() for one in kept}
    store.delete_conversation("refund")
    update_index(root, store, embedder())
    assert len(files_that_hold(root, gone)) == 2, "an ordinary update leaves the token states in the files"

    assert forget_in_indexes(root, store) == 0
    assert files_that_hold(root, gone) == []
    assert all(check.ok for check in check_index(root, store, embedder().identity))
    after = opened(tmp_path, store)
    assert {one.answer_id for one in after.retrieve(asked)[0]} == kept
    assert {one: after.answer_states.slices(one, 99)[0].tobytes() for one in kept} == states


def test_no_mean_of_a_large_index_tells_what_was_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(index.vectors, "MOST_FLAT", 3)
    store, before = built(tmp_path)
    root = tmp_path / "index"
    asked = before.views["questions"]
    vectors = {pair.conversation: asked.vectors_of(np.array([pair.id]))[0] for pair in store.pairs()}

    def nearest_mean(vector):
        (path,) = root.rglob("*-questions.faiss")
        cells = faiss.read_index(str(path))
        return float((cells.quantizer.reconstruct_n(0, cells.nlist) @ vector).max())

    alone = next(name for name, vector in vectors.items() if nearest_mean(vector) > 0.999)
    store.delete_conversation(alone)
    update_index(root, store, embedder())
    assert nearest_mean(vectors[alone]) > 0.999, "an ordinary update leaves the means as they are"
    forget_in_indexes(root, store)
    assert nearest_mean(vectors[alone]) < 0.9
    assert all(check.ok for check in check_index(root, store, embedder().identity))
    assert len(opened(tmp_path, store).views["questions"]) == len(LOG) - 1
    for name, *_ in LOG:
        store.delete_conversation(name)
    forget_in_indexes(root, store)
    assert all(check.ok for check in check_index(root, store, embedder().identity))


def test_the_index_of_an_encoder_no_longer_in_use_forgets_too_and_a_damaged_one_goes(tmp_path):
    store, reader = built(tmp_path)
    gone = states_of(store, reader, "refund")
    root = tmp_path / "index"
    own = index_directory(root, embedder().identity)
    own.rename(root / "another")
    (root / "damaged").mkdir()
    (root / "damaged" / NAME).write_text("{")
    store.delete_conversation("refund")
    assert forget_in_indexes(root, store) == 3, "its question, its dialogue and its answer"
    assert files_that_hold(root, gone) == []
    assert not (root / "damaged").exists()


def test_a_desk_that_forgets_its_last_conversation_has_an_empty_index(tmp_path):
    store, _ = built(tmp_path)
    for name, *_ in LOG:
        store.delete_conversation(name)
    assert forget_in_indexes(tmp_path / "index", store) == 3 * len(LOG)
    assert all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))
    add(store, conversation("new", "Can I pay by transfer?", "Yes, we reserve the goods for three days."))
    assert update_index(tmp_path / "index", store, embedder()) == []
    asked = read_dialogues(embedder(), [[Turn("customer", "transfer?")]], 1)
    assert [one.text for one in opened(tmp_path, store).retrieve(asked)[0]] == [
        "Yes, we reserve the goods for three days."
    ]


def test_many_small_imports_are_merged_without_encoding_anything_again(tmp_path, monkeypatch):
    monkeypatch.setattr(index.builder, "MOST_SEGMENTS", 2)
    store, _ = built(tmp_path)
    encoded = []
    real = type(embedder()).encode_tokens

    def counted(self, batch, *given, **named):
        encoded.append(len(batch))
        return real(self, batch, *given, **named)

    monkeypatch.setattr(type(embedder()), "encode_tokens", counted)
    for number in range(4):
        add(store, conversation(f"more {number}", f"Is number {number} in stock?", f"Yes, {number} of them."))
        update_index(tmp_path / "index", store, embedder())
    assert sum(encoded) == 4 * 2
    served = opened(tmp_path, store)
    assert len(served.answer_states) == len(LOG) + 4
    assert len(list((tmp_path / "index").rglob("*-questions.ids.npy"))) <= 3
    asked = read_dialogues(embedder(), [[Turn("customer", "Is number 2 in stock?")]], 1)
    best = served.retrieve(asked)[0][0]
    assert best.text == "Yes, 2 of them."
    assert np.isfinite(best.signals).all()
