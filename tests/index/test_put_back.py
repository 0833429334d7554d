"""A store put back from a copy gives the same ids to other texts: an index of the state that was left is not used."""

from __future__ import annotations

import json
import shutil

import pytest
from index_fixtures import add, built, conversation, embedder, opened

from conversations.errors import IndexDamaged
from conversations.model import Turn
from conversations.store import Store
from index.builder import check_index, index_directory, update_index
from index.candidates import read_dialogues
from index.forgetting import forget_in_indexes
from index.manifest import NAME

BANK = conversation("bank", "Can I pay by transfer?", "Yes, we reserve the goods for three days.")
SHOP = conversation("shop", "Is there a shop in Leeds?", "Yes, in Albion Street, open until eight.")


def put_back(path):
    """An index that has what was said after the copy of the store, and the copy with something else said since."""
    store, _ = built(path)
    store.compact()
    shutil.copy(path / "desk.sqlite", path / "copy")
    add(store, BANK)
    update_index(path / "index", store, embedder())
    store.close()
    for name in ("desk.sqlite-wal", "desk.sqlite-shm"):
        (path / name).unlink(missing_ok=True)
    shutil.copy(path / "copy", path / "desk.sqlite")
    store = Store(path / "desk.sqlite")
    add(store, SHOP)
    return store


def test_the_index_of_a_state_that_was_left_is_noticed_and_built_anew(tmp_path):
    store = put_back(tmp_path)
    assert not all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))
    with pytest.raises(IndexDamaged, match="another state"):
        opened(tmp_path, store)
    assert "another state" in update_index(tmp_path / "index", store, embedder())[0]
    assert all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))
    asked = read_dialogues(embedder(), [[Turn("customer", "Is there a shop in Leeds?")]], 1)
    best = opened(tmp_path, store).retrieve(asked)[0][0]
    assert best.text.startswith("Yes, in Albion Street")
    assert best.signals[1] > 0.99, "its question is the one that was asked"


def test_forgetting_does_not_keep_the_index_of_a_state_that_was_left(tmp_path):
    store = put_back(tmp_path)
    forget_in_indexes(tmp_path / "index", store)
    assert not index_directory(tmp_path / "index", embedder().identity).exists()


def test_an_index_that_names_no_state_is_taken_as_it_is_and_names_it_from_then_on(tmp_path):
    store, _ = built(tmp_path)
    path = index_directory(tmp_path / "index", embedder().identity) / NAME
    manifest = json.loads(path.read_text())
    said = manifest.pop("writing")
    path.write_text(json.dumps(manifest))
    assert len(opened(tmp_path, store).views["questions"]) == 6
    assert all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))
    assert update_index(tmp_path / "index", store, embedder()) == []
    assert json.loads(path.read_text())["writing"] == said
