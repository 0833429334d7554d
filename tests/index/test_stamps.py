"""Token states that were found whole are not read again until they change; FAISS's files always are."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from index_fixtures import add, built, conversation, embedder, opened

import index.manifest
import index.stamps
from conversations.errors import IndexDamaged
from index.builder import check_index, index_directory, update_index
from index.manifest import STAMPS, read_manifest


@pytest.fixture
def read(monkeypatch):
    """Names of the files that were read to be checked; all but those of the last hour count as settled."""
    names = []
    real = index.manifest.sha256_of

    def recording(path):
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(index.manifest, "sha256_of", recording)
    monkeypatch.setattr(index.stamps, "SETTLED_AFTER", -3600)
    return names


def directory(path):
    return index_directory(path / "index", embedder().identity)


def read_when_opened(path, store, read):
    read.clear()
    opened(path, store).close()
    return sorted(read)


def test_what_was_found_whole_is_not_read_again_but_vectors_and_what_is_new_are(tmp_path, read):
    store, _ = built(tmp_path)
    manifest = read_manifest(directory(tmp_path))
    assert read_when_opened(tmp_path, store, read) == sorted(manifest.vectors.values())
    read.clear()
    assert all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))
    assert sorted(read) == sorted(manifest.files), "doctor reads everything"
    add(store, conversation("bank", "Can I pay by transfer?", "Yes, we reserve the goods for three days."))
    update_index(tmp_path / "index", store, embedder())
    grown = read_manifest(directory(tmp_path))
    new = set(grown.files) - set(manifest.files)
    assert read_when_opened(tmp_path, store, read) == sorted(new | set(grown.vectors.values()))
    assert read_when_opened(tmp_path, store, read) == sorted(grown.vectors.values())


def test_what_was_just_written_is_read_again(tmp_path, read, monkeypatch):
    monkeypatch.setattr(index.stamps, "SETTLED_AFTER", 3600)
    store, _ = built(tmp_path)
    everything = sorted(read_manifest(directory(tmp_path)).files)
    assert read_when_opened(tmp_path, store, read) == read_when_opened(tmp_path, store, read) == everything
    assert not (directory(tmp_path) / STAMPS).exists()


@pytest.mark.parametrize("keeps_time", [False, True])
@pytest.mark.parametrize("ends", ["values.npy", "ids.npy", "faiss"])
def test_a_changed_byte_is_found(tmp_path, read, ends, keeps_time):
    store, _ = built(tmp_path)
    for victim in [path for path in directory(tmp_path).iterdir() if path.name.endswith(ends)]:
        opened(tmp_path, store).close()
        content, stat = victim.read_bytes(), victim.stat()
        middle = len(content) // 2
        with victim.open("r+b") as file:
            file.seek(middle)
            file.write(bytes([content[middle] ^ 0x10]))
        if keeps_time:
            os.utime(victim, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        with pytest.raises(IndexDamaged, match="damaged"):
            opened(tmp_path, store)
        victim.write_bytes(content)
    assert len(opened(tmp_path, store).views["questions"]) == 6


@pytest.mark.parametrize("note", ["", "{", "[]", "null", "7", '{"a": 1}', '{"a": [1, 2]}', "\x00\xff"])
def test_a_note_that_cannot_be_read_means_reading_the_files(tmp_path, read, note):
    store, _ = built(tmp_path)
    everything = sorted(read_manifest(directory(tmp_path)).files)
    (directory(tmp_path) / STAMPS).write_text(note)
    assert read_when_opened(tmp_path, store, read) == everything
    assert read_when_opened(tmp_path, store, read) != everything
    (directory(tmp_path) / STAMPS).unlink()
    (directory(tmp_path) / STAMPS).mkdir()
    assert read_when_opened(tmp_path, store, read) == read_when_opened(tmp_path, store, read) == everything


def test_files_put_back_from_a_copy_are_read(tmp_path, read):
    store, _ = built(tmp_path)
    own = directory(tmp_path)
    own.rename(tmp_path / "old")
    shutil.copytree(tmp_path / "old", own)
    assert json.loads((own / STAMPS).read_text())
    assert read_when_opened(tmp_path, store, read) == sorted(read_manifest(own).files)


def test_a_repair_trusts_no_note(tmp_path, read):
    store, _ = built(tmp_path)
    own = directory(tmp_path)
    victim = next(own.glob("*-questions.values.npy"))
    content = victim.read_bytes()
    victim.write_bytes(content[:-1] + bytes([content[-1] ^ 0x10]))
    noted = json.loads((own / STAMPS).read_text())
    stat = victim.stat()
    noted[victim.name][1:] = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
    (own / STAMPS).write_text(json.dumps(noted))
    opened(tmp_path, store).close()  # as after a bit that turned by itself
    assert not all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))
    assert update_index(tmp_path / "index", store, embedder()) != []
    assert all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))
