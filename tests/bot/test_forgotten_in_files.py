"""What forgetting leaves in the files of a desk: nothing of the customer and all of the others, or it says so."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager

import pytest
from lamp_desk import call, lamp_desk, write_log

from bot.pipeline import Pipeline
from bot.replay import replay
from conversations import database
from conversations.importing import import_logs

SECRET = b"tried the buttons already"


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
