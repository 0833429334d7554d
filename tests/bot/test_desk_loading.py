"""A desk that is opened while another command writes to it: the real pipeline, index and lock."""

from __future__ import annotations

import json

import pytest

import conversations.desk
from bot.pipeline import Pipeline
from conversations.desk import Desk
from conversations.errors import DeskBusy
from conversations.importing import import_logs
from conversations.model import Turn
from index.builder import update_index
from index.embedder import Embedder

PARCEL = ("Where is my parcel?", "Please send me the order number and I will look it up.")
PASSWORD = ("I forgot my password.", "Use the link under 'forgot password'; it is valid for half an hour.")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(conversations.desk, "_PATIENCE", 0.1)
    return Desk.create(tmp_path / "home", "shop")


def add(desk, question, answer):
    log = desk.path / "log.jsonl"
    log.write_text(json.dumps({"question": question, "answer": answer}) + "\n")
    with desk.store() as store:
        import_logs(store, [log], rejects_dir=desk.rejects_path)


def index(desk):
    with desk.store() as store:
        update_index(desk.index_path, store, Embedder())


def test_while_an_import_runs_the_index_as_it_is_answers_and_that_is_said(desk):
    add(desk, *PARCEL)
    index(desk)
    with desk.writing():
        add(desk, *PASSWORD)
        with Pipeline.open(desk) as pipeline:
            assert any("Another command is writing" in notice for notice in pipeline.notices)
            answer = pipeline.answer([Turn("customer", PASSWORD[0])])
            assert [one.text for one in answer.candidates] == [PARCEL[1]]
    with Pipeline.open(desk) as pipeline:
        answer = pipeline.answer([Turn("customer", PASSWORD[0])])
        assert answer.candidates[0].text == PASSWORD[1]


def test_while_the_first_import_runs_there_is_nothing_to_answer_with(desk):
    with desk.writing():
        add(desk, *PARCEL)
        with pytest.raises(DeskBusy, match="Another command is writing"):
            Pipeline.open(desk)
