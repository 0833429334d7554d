"""The index keeps in step with the store, incrementally, and never shows half of a change."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from index_fixtures import LOG, add, built, conversation, embedder, opened, small_store

import index.builder
import index.opened
from conversations.errors import IndexDamaged
from conversations.model import Turn
from conversations.store import Store
from index.builder import check_index, index_directory, update_index
from index.candidates import read_dialogues
from index.manifest import NAME, read_manifest
from index.retriever import Retriever


def directory(path):
    return index_directory(path / "index", embedder().identity)


def test_only_what_is_new_is_encoded(tmp_path, monkeypatch):
    store, _ = built(tmp_path)
    add(store, conversation("bank", "Can I pay by transfer?", "Yes, we reserve the goods for three days."))
    encoded = []
    real = embedder().encode_tokens

    def counting(batch, *arguments, **named):
        encoded.extend(batch)
        return real(batch, *arguments, **named)

    monkeypatch.setattr(embedder(), "encode_tokens", counting)
    update_index(tmp_path / "index", store, embedder())
    assert len(encoded) == 2  # one question, one answer
    assert all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))


def test_nothing_new_writes_nothing(tmp_path):
    store, _ = built(tmp_path)
    before = (directory(tmp_path) / NAME).stat().st_mtime_ns
    assert update_index(tmp_path / "index", store, embedder()) == []
    assert (directory(tmp_path) / NAME).stat().st_mtime_ns == before


def test_an_incremental_index_serves_what_a_fresh_one_serves(tmp_path):
    store, _ = built(tmp_path)
    add(store, conversation("bank", "Can I pay by transfer?", "Yes, we reserve the goods for three days."))
    update_index(tmp_path / "index", store, embedder())
    update_index(tmp_path / "fresh", store, embedder())
    question = read_dialogues(embedder(), [[Turn("customer", "do you take bank transfers")]])
    grown = opened(tmp_path, store).retrieve(question)[0]
    (tmp_path / "index").rename(tmp_path / "old")
    (tmp_path / "fresh").rename(tmp_path / "index")
    fresh = opened(tmp_path, store).retrieve(question)[0]
    assert [c.answer_id for c in grown] == [c.answer_id for c in fresh]
    np.testing.assert_allclose([c.signals for c in grown], [c.signals for c in fresh], atol=0.02)


def test_vectors_that_did_not_change_are_not_written_again(tmp_path):
    store, _ = built(tmp_path)
    before = read_manifest(directory(tmp_path))
    add(store, conversation("again", "Where do I find my bill?", LOG[4][2]))
    update_index(tmp_path / "index", store, embedder())
    after = read_manifest(directory(tmp_path))
    assert [view for view, name in after.vectors.items() if name == before.vectors[view]] == ["answers"]
    assert all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))


def test_slices_grow_with_the_index(monkeypatch):
    monkeypatch.setattr(index.builder, "SLICE", 10)
    slices = index.builder._slices(np.arange(1000), 0)
    assert (np.concatenate(slices) == np.arange(1000)).all()
    assert [len(part) for part in slices[:21]] == [10] * 21
    assert [len(part) for part in index.builder._slices(np.arange(1000), 2000)][:2] == [100, 105]
    assert index.builder._slices(np.arange(0), 2000) == []


def test_a_deleted_conversation_is_not_served(tmp_path):
    store, _ = built(tmp_path)
    store.delete_conversation("refund")
    with pytest.raises(IndexDamaged, match="out of step"):
        opened(tmp_path, store)
    update_index(tmp_path / "index", store, embedder())
    question = read_dialogues(embedder(), [[Turn("customer", "When will I get my money?")]])
    served = opened(tmp_path, store).retrieve(question)[0]
    assert len(served) == 5
    assert not any("Refunds" in candidate.text for candidate in served)


def test_a_reader_keeps_its_index_while_a_writer_changes_it(tmp_path):
    store, reader = built(tmp_path)
    add(store, conversation("bank", "Can I pay by transfer?", "Yes, we reserve the goods for three days."))
    update_index(tmp_path / "index", store, embedder())
    question = read_dialogues(embedder(), [[Turn("customer", "How do I send a lamp back?")]], 1)
    served = reader.retrieve(question)[0]
    assert served[0].text.startswith("Print the free label")
    assert reader.answer_states.slices(served[0].answer_id, 9)[0].shape == (9, 384)


def test_an_index_that_is_swapped_between_its_check_and_its_opening_is_opened_anew(tmp_path, monkeypatch):
    store, _ = built(tmp_path)
    add(store, conversation("bank", "Can I pay by transfer?", "Yes, we reserve the goods for three days."))
    check, swaps = index.opened.verify_changed, []

    def checked_then_swapped(*arguments):
        check(*arguments)
        if not swaps:
            swaps.append(update_index(tmp_path / "index", store, embedder()))

    monkeypatch.setattr(index.opened, "verify_changed", checked_then_swapped)
    assert len(opened(tmp_path, store).views["questions"]) == 7


def test_a_whole_index_behind_the_store_serves_what_both_hold_where_that_will_do(tmp_path):
    store, _ = built(tmp_path)
    add(store, conversation("bank", "Can I pay by transfer?", "Yes, we reserve the goods for three days."))
    store.delete_conversation("refund")
    behind = Retriever(directory(tmp_path), store, embedder().identity, may_lag=True)
    asked = [[Turn("customer", text)] for text in ("Can I pay by transfer?", "When will I get my money?")]
    for served in behind.retrieve(read_dialogues(embedder(), asked)):
        assert len(served) == 5
        assert not any("Refunds" in one.text or "reserve" in one.text for one in served)
    for one in store.conversations():
        store.delete_conversation(one.id)
    add(store, conversation("bank", "Can I pay by transfer?", "Yes, we reserve the goods for three days."))
    with pytest.raises(IndexDamaged, match="out of step"):
        Retriever(directory(tmp_path), store, embedder().identity, may_lag=True)


@pytest.mark.parametrize("kind", ["truncated", "flipped", "missing", "swapped"])
@pytest.mark.parametrize("which", ["faiss", "values.npy", NAME])
def test_damage_is_noticed_and_mended(tmp_path, kind, which):
    store, _ = built(tmp_path)
    files = sorted(path for path in directory(tmp_path).iterdir() if path.name.endswith(which))
    victim = files[0]
    content = victim.read_bytes()
    if kind == "truncated":
        victim.write_bytes(content[: len(content) // 2])
    elif kind == "flipped":
        middle = len(content) // 2
        victim.write_bytes(content[:middle] + bytes([content[middle] ^ 0x55]) + content[middle + 1 :])
    elif kind == "missing":
        victim.unlink()
    else:
        victim.write_bytes(files[-1].read_bytes() if len(files) > 1 else b"{}")
    with pytest.raises(IndexDamaged):
        opened(tmp_path, store)
    assert not all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))
    update_index(tmp_path / "index", store, embedder())
    assert all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))
    assert len(opened(tmp_path, store).views["questions"]) == 6


def test_an_index_of_another_encoder_is_refused(tmp_path):
    store, _ = built(tmp_path)
    manifest = directory(tmp_path) / NAME
    manifest.write_text(manifest.read_text().replace(embedder().identity, "bert-6x384@0123456789abcdef"))
    with pytest.raises(IndexDamaged, match="another encoder"):
        opened(tmp_path, store)
    assert update_index(tmp_path / "index", store, embedder()) != []
    assert len(opened(tmp_path, store).views["answers"]) == 6


@pytest.mark.parametrize(("room", "is_smaller"), [(4096, False), (2500, True)])
def test_a_full_disk_leaves_the_index_as_it_was(tmp_path, room, is_smaller):
    store, _ = built(tmp_path)
    before = read_manifest(directory(tmp_path))
    if is_smaller:
        # Two vectors in a file take more room than there is, and the manifest takes less.
        for name, *_ in LOG[2:]:
            store.delete_conversation(name)
    else:
        add(store, conversation("bank", "Can I pay by transfer?", "Yes, we reserve the goods for three days."))
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limit += f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))"
    done = _update_in_a_process(tmp_path, limit)
    assert done.returncode != 0
    assert b"OSError" in done.stderr
    assert read_manifest(directory(tmp_path)) == before
    update_index(tmp_path / "index", store, embedder())
    assert all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))


def test_a_kill_before_the_swap_leaves_the_index_as_it_was(tmp_path):
    store, _ = built(tmp_path)
    before = read_manifest(directory(tmp_path))
    add(store, conversation("bank", "Can I pay by transfer?", "Yes, we reserve the goods for three days."))
    kill = "import os, signal, index.index_files; "
    kill += "index.index_files.write_manifest = lambda *_: os.kill(os.getpid(), signal.SIGKILL)"
    done = _update_in_a_process(tmp_path, kill)
    assert done.returncode == -signal.SIGKILL
    assert read_manifest(directory(tmp_path)) == before
    update_index(tmp_path / "index", store, embedder())
    names = {path.name for path in directory(tmp_path).iterdir()}
    assert names == {NAME, *read_manifest(directory(tmp_path)).files}
    assert all(check.ok for check in check_index(tmp_path / "index", store, embedder().identity))


def _update_in_a_process(path, first):
    code = f"""
        from pathlib import Path
        from conversations.store import Store
        from index.builder import update_index
        from index.embedder import Embedder
        path = Path({str(path)!r})
        store, embedder = Store(path / "desk.sqlite"), Embedder()
        exec({first!r})
        update_index(path / "index", store, embedder)
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, check=False, env={**os.environ}
    )


def test_an_empty_store_has_an_empty_index(tmp_path):
    store = Store(tmp_path / "desk.sqlite")
    update_index(tmp_path / "index", store, embedder())
    assert opened(tmp_path, store).retrieve(read_dialogues(embedder(), [[Turn("customer", "hello")]])) == [[]]


def test_the_fixture_store_is_whole(tmp_path):
    assert small_store(tmp_path).counts() == {"conversations": 6, "turns": 12, "pairs": 6, "answers": 6}
