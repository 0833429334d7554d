"""What a power cut may take: an index is on the disk before it is named, and the one before it until then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from index_fixtures import add, built, conversation, embedder

from index.builder import index_directory, update_index
from index.forgetting import forget_in_indexes
from index.manifest import read_manifest


@pytest.fixture
def synced(monkeypatch):
    """What was brought to the disk, in order: the path, and the names in the index's directory then."""
    events = []
    real = os.fsync

    def recording(descriptor):
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        directory = path if path.is_dir() else path.parent
        events.append((path, {one.name for one in directory.iterdir()}, read_manifest(directory)))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", recording)
    return events


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not tell what a descriptor is of")
@pytest.mark.parametrize("change", [update_index, lambda root, store, _: forget_in_indexes(root, store)])
def test_an_index_is_on_the_disk_before_it_takes_the_place_of_the_one_before(tmp_path, synced, change):
    store, _ = built(tmp_path)
    directory = index_directory(tmp_path / "index", embedder().identity)
    before = read_manifest(directory)
    add(store, conversation("bank", "Can I pay by transfer?", "Yes, we reserve the goods for three days."))
    store.delete_conversation("refund")
    synced.clear()
    change(tmp_path / "index", store, embedder())
    swap = next(place for place, (path, _, _) in enumerate(synced) if path == directory)
    _, names, after = synced[swap]
    assert after.serial == before.serial + 1
    assert names >= set(before.files), "nothing is deleted before the new state is there"
    was_there = {path.name for path, _, manifest in synced[:swap] if manifest == before}
    assert was_there >= set(after.files) - set(before.files)
