"""A log that changes while it is replayed: the replay is of what it was, or is none."""

from __future__ import annotations

import json
import os

import pytest
from lamp_desk import lamp_desk, visits, write_log

from bot.pipeline import Pipeline
from bot.replay import replay
from conversations.errors import LogError


@pytest.fixture
def desk(tmp_path):
    return lamp_desk(tmp_path)


def append(log, name):
    with log.open("a") as file:
        file.write(json.dumps(next(visits(1)) | {"id": name}) + "\n")


def cut(log, name):
    log.write_bytes(log.read_bytes()[:-200])


def exchange(log, name):
    there = log.stat()
    log.write_text(log.read_text().replace("dark", "DARK"))
    os.utime(log, ns=(there.st_atime_ns, there.st_mtime_ns + 1))


def remove(log, name):
    log.unlink()


def kept(desk):
    with desk.replays() as replays:
        return replays.runs(), list(desk.path.glob("replay-*.lock"))


@pytest.mark.parametrize("change", [append, cut, exchange, remove])
@pytest.mark.parametrize("when", ["2 turns", "6 turns"])
def test_a_replay_of_a_log_that_changes_meanwhile_ends_and_names_it(desk, tmp_path, change, when):
    log = write_log(tmp_path / "new.jsonl", visits(3))
    with Pipeline.open(desk) as pipeline:
        with pytest.raises(LogError) as error:
            replay(pipeline, [log], batch_size=2, on_progress=lambda *said: when in said[2] and change(log, "grown"))
        assert str(error.value) == (
            f"{log} changed while it was replayed, and this replay of what it was is not kept. "
            "Wait until nothing writes to it, or replay a copy of it."
        )
        assert kept(desk) == ([], [])
        assert replay(pipeline, [write_log(log, visits(4))], batch_size=2).turns == 8


def test_a_directory_that_gets_another_log_meanwhile_is_named_too(desk, tmp_path):
    (tmp_path / "logs").mkdir()
    write_log(tmp_path / "logs" / "b.jsonl", visits(2))
    with Pipeline.open(desk) as pipeline, pytest.raises(LogError, match=r"logs/a\.jsonl changed while"):
        replay(
            pipeline,
            [tmp_path / "logs"],
            batch_size=2,
            on_progress=lambda *_: write_log(tmp_path / "logs" / "a.jsonl", visits(1)),
        )
    assert kept(desk) == ([], [])


def test_a_log_that_is_only_touched_is_the_same(desk, tmp_path):
    log = write_log(tmp_path / "new.jsonl", visits(3))
    with Pipeline.open(desk) as pipeline:
        assert replay(pipeline, [log], batch_size=2, on_progress=lambda *_: log.touch()).turns == 6
