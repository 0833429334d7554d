"""Importing into a desk, keeping feedback, and the doctor; the encoder is replaced, the store is real."""

from __future__ import annotations

import json

import pytest

import bot.doctor
import index.builder
import index.embedder
import training.registry
from bot.cli import main
from conversations.desk import Desk, list_desks
from conversations.errors import ModelError
from index.builder import Check

GOOD = '{"id": "1", "turns": [{"role": "customer", "text": "where?"}, {"role": "agent", "text": "on its way"}]}\n'


class StandInEmbedder:
    device, precision = "cpu", "float32"

    def __init__(self, name):
        if name == "broken":
            raise ModelError("The encoder broken cannot be loaded.", "Check the name.")
        self.name, self.identity = name, f"{name}@0"


@pytest.fixture
def encoder(monkeypatch):
    """The encoder and index are stand-ins; returns the calls that would have brought the index in step."""
    calls = []

    def update_index(root, store, embedder, on_progress=None):
        calls.append((store.counts()["pairs"], embedder.identity))
        return []

    monkeypatch.setattr(index.embedder, "Embedder", StandInEmbedder)
    monkeypatch.setattr(index.builder, "update_index", update_index)
    monkeypatch.setattr(training.registry, "Embedder", StandInEmbedder)
    monkeypatch.setattr(bot.doctor, "update_index", update_index)
    monkeypatch.setattr(bot.doctor, "check_index", lambda *_: [Check("index", True, "in step")])
    monkeypatch.setattr(bot.doctor, "check_models", lambda *_: [Check("model", True, "whole")])
    return calls


def call(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_import_reports_the_keys_that_scripts_rely_on(tmp_path, encoder, capsys):
    log = tmp_path / "log.jsonl"
    log.write_text(GOOD + '{"id": "2"}\n')
    home = tmp_path / "home"
    code, out, _ = call(capsys, "import", log, "--home", home, "--json")
    report = json.loads(out)
    assert code == 0
    assert {"conversations", "turns", "pairs", "answers", "redactions", "rejected", "rejects_file"} <= set(report)
    assert (report["conversations"], report["pairs"], report["rejected"]) == (1, 1, 1)
    assert encoder == [(1, f"{index.embedder.BUNDLED}@0")]
    code, out, _ = call(capsys, "import", log, "--home", home, "--json")
    assert code == 0 and json.loads(out)["conversations"] == 0
    assert list_desks(home) == ["default"]


def test_the_sample_can_be_imported(tmp_path, encoder, capsys):
    code, out, _ = call(capsys, "import", "--sample", "--desk", "sample", "--home", tmp_path, "--json")
    assert code == 0 and json.loads(out)["conversations"] >= 120


def test_a_first_import_that_brings_nothing_leaves_no_desk_but_the_rejects(tmp_path, encoder, capsys):
    log = tmp_path / "log.jsonl"
    log.write_text('{"id": "2"}\n')
    home = tmp_path / "home"
    code, _, err = call(capsys, "import", log, "--desk", "new", "--home", home)
    assert code == 1 and "None of the 1 rows could be used" in err
    assert list_desks(home) == [] and len(list((home / "desks/new/rejects").iterdir())) == 1
    log.write_bytes(b"\x00\xff" * 100)
    assert call(capsys, "import", log, "--desk", "other", "--home", home)[0] == 1
    assert not (home / "desks/other").exists()


def test_a_failed_import_leaves_an_older_desk_alone(tmp_path, encoder, capsys):
    log = tmp_path / "log.jsonl"
    log.write_text(GOOD)
    assert call(capsys, "import", log, "--home", tmp_path)[0] == 0
    log.write_text('{"id": "2"}\n')
    assert call(capsys, "import", log, "--home", tmp_path)[0] == 1
    with Desk.open(tmp_path, "default").store() as store:
        assert store.counts()["conversations"] == 1


def test_an_encoder_is_kept_only_if_it_can_be_loaded(tmp_path, encoder, capsys):
    log = tmp_path / "log.jsonl"
    log.write_text(GOOD)
    code, _, err = call(capsys, "import", log, "--home", tmp_path, "--embedder", "broken")
    assert code == 1 and "cannot be loaded" in err
    assert list_desks(tmp_path) == [], "nothing was read for it"
    assert call(capsys, "import", log, "--home", tmp_path, "--embedder", "other")[0] == 0
    assert call(capsys, "import", log, "--home", tmp_path)[0] == 0
    assert [identity for _, identity in encoder] == ["other@0", "other@0"]


def test_an_encoder_in_a_directory_is_found_from_everywhere(tmp_path, encoder, capsys, monkeypatch):
    log = tmp_path / "log.jsonl"
    log.write_text(GOOD)
    (tmp_path / "models" / "e5").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert call(capsys, "import", log, "--home", tmp_path / "home", "--embedder", "models/e5")[0] == 0
    with Desk.open(tmp_path / "home", "default").store() as store:
        assert store.setting("embedder") == str(tmp_path / "models" / "e5")


def test_an_encoder_that_nobody_would_read_is_refused(tmp_path, encoder, capsys):
    log = tmp_path / "log.jsonl"
    log.write_text(GOOD)
    models = Desk.create(tmp_path, "default").models_path
    (models / "own" / training.registry.ENCODER).mkdir(parents=True)
    (models / "current").write_text("own")
    code, _, err = call(capsys, "import", log, "--home", tmp_path, "--embedder", "other")
    assert code == 1 and "its own model own" in err and "attendant models --promote base --desk default" in err
    assert encoder == []


def test_no_redact_warns(tmp_path, encoder, capsys):
    log = tmp_path / "log.jsonl"
    log.write_text(GOOD)
    code, _, err = call(capsys, "import", log, "--home", tmp_path, "--no-redact")
    assert code == 0 and "Personal data were stored" in err


def test_two_imports_at_once_are_told_apart(tmp_path, encoder, capsys):
    log = tmp_path / "log.jsonl"
    log.write_text(GOOD)
    with Desk.create(tmp_path, "default").writing():
        code, _, err = call(capsys, "import", log, "--home", tmp_path)
    assert code == 1 and "Another command is writing" in err


def test_doctor_says_whether_all_is_well(tmp_path, encoder, capsys):
    log = tmp_path / "log.jsonl"
    log.write_text(GOOD)
    call(capsys, "import", log, "--home", tmp_path)
    code, out, _ = call(capsys, "doctor", "--home", tmp_path, "--json")
    report = json.loads(out)
    assert code == 0 and report["ok"] is True
    assert {check["name"] for check in report["checks"]} == {"faiss", "store", "encoder", "index", "model", "mood"}
    assert set(report["checks"][0]) == {"name", "ok", "detail"}
    encoder.clear()
    assert call(capsys, "doctor", "--home", tmp_path, "--repair")[0] == 0
    assert len(encoder) == 1


def test_doctor_finds_a_damaged_store(tmp_path, encoder, capsys):
    Desk.create(tmp_path, "default").database.write_bytes(b"not a database" * 1000)
    code, out, _ = call(capsys, "doctor", "--home", tmp_path, "--json")
    assert code == 1
    assert [check["name"] for check in json.loads(out)["checks"] if not check["ok"]] == ["store"]
    code, out, _ = call(capsys, "doctor", "--home", tmp_path)
    assert code == 1 and "WRONG" in out and "--repair" in out
