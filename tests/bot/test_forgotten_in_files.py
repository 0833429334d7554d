"""What forgetting leaves in the files of a desk: nothing of the customer and all of the others, or it says so."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager

import pytest
from lamp_desk import call, lamp_desk, write_log

from bot.customer import forget_customer
from bot.pipeline import Pipeline
from bot.replay import replay
from conversations import database
from conversations.errors import DeskError
from conversations.importing import import_logs
from conversations.model import Turn
from index.builder import check_index
from index.embedder import Embedder
from index.encoder_loading import BUNDLED

SECRET = b"tried the buttons already"
ALIKE = [
    ("z-77", "Is the workshop open on Whitmonday?", "The Snarkville workshop is closed on Whitmonday."),
    ("z-88", "Is the workshop open on Whitmonday, please?", "the snarkville workshop is CLOSED on whitmonday!"),
]


@pytest.fixture
def desk(tmp_path):
    return lamp_desk(tmp_path)


@contextmanager
def reading(path):
    """Another program that has begun to read a file, and does not come to an end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM turns").fetchall()
        yield


def holders(desk, secret):
    """Names of the desk's files that hold some words."""
    return [path.name for path in desk.path.rglob("*") if path.is_file() and secret in path.read_bytes()]


@pytest.mark.parametrize("file", ["database", "replays_path"])
def test_a_reader_that_holds_what_was_deleted_is_told_and_forgetting_again_finishes_it(
    desk, tmp_path, monkeypatch, capsys, file
):
    monkeypatch.setattr(database, "LONGEST_WAIT", 0.1)
    with Pipeline.open(desk) as pipeline:
        replay(pipeline, [tmp_path / "log.jsonl"])
    with reading(getattr(desk, file)):
        code, _, err = call(desk, capsys, "forget", "--customer", "c-8", "--yes")
        assert code == 1 and "'c-8' is removed from the store, but files may still hold traces" in err
        assert "Another command is reading" in err and "forget them again" in err and "Traceback" not in err
        assert holders(desk, SECRET)
    code, *_ = call(desk, capsys, "forget", "--customer", "c-8", "--yes")
    assert code == 0 and not holders(desk, SECRET)


def test_an_import_while_another_program_reads_is_no_error(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(database, "LONGEST_WAIT", 0.1)
    turns = [{"role": "customer", "text": "hi"}, {"role": "agent", "text": "hey"}]
    log = write_log(tmp_path / "new.jsonl", [{"id": "n", "turns": turns}])
    with reading(desk.database), desk.writing(), desk.store() as store:
        assert import_logs(store, [log], rejects_dir=desk.rejects_path).conversations == 1


@pytest.fixture
def alike(tmp_path):
    """A desk where two customers were given one answer in words of their own."""
    rows = []
    for customer, asked, said in ALIKE:
        turns = [{"role": "customer", "text": asked}, {"role": "agent", "text": said}]
        rows.append({"id": customer, "customer": customer, "turns": turns})
    return lamp_desk(tmp_path, write_log(tmp_path / "alike.jsonl", rows))


def wrong(desk):
    """What is not in order in the desk's index."""
    with desk.store() as store:
        return [check for check in check_index(desk.index_path, store, Embedder().identity) if not check.ok]


@pytest.mark.parametrize("is_held_up", [False, True])
def test_an_answer_that_goes_on_in_the_words_of_others_is_found_at_once(alike, monkeypatch, is_held_up):
    monkeypatch.setattr(database, "LONGEST_WAIT", 0.1)
    if is_held_up:
        with reading(alike.database), pytest.raises(DeskError, match="Another command is reading"):
            forget_customer(alike, "z-77")
    assert forget_customer(alike, "z-77")["vectors"] == 3, "its question, its dialogue and the answer in its words"
    assert wrong(alike) == [] and not holders(alike, b"The Snarkville")
    with Pipeline.open(alike) as pipeline:
        found = pipeline.answer([Turn("customer", ALIKE[1][1])]).candidates
    assert ALIKE[1][2] in [one.text for one in found]


def test_an_index_that_could_not_be_completed_is_told_and_the_next_opening_completes_it(alike):
    with alike.store() as store:
        store.set_setting("embedder", "/no/such/encoder")
    with pytest.raises(DeskError, match=r"'z-77' is removed, but .* cannot be found yet") as raised:
        forget_customer(alike, "z-77")
    assert "/no/such/encoder" in raised.value.message and "doctor --repair --desk lamps" in raised.value.remedy
    with alike.store() as store:
        assert len(store.forgotten()) == 1 and not holders(alike, b"The Snarkville")
        store.set_setting("embedder", BUNDLED)
    assert wrong(alike)
    Pipeline.open(alike).close()
    assert wrong(alike) == []
