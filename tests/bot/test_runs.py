"""The list of stored replays: those that were broken off, and those that never will be finished."""

from __future__ import annotations

import json
import shlex

import pytest
from lamp_desk import RESET, call, lamp_desk, visits, write_log

from bot.cli import main
from bot.pipeline import Pipeline
from bot.replay import replay
from conversations.model import Conversation, Turn
from conversations.pairs import extract_pairs


@pytest.fixture
def desk(tmp_path):
    return lamp_desk(tmp_path)


def stops(*_):
    raise KeyboardInterrupt


def learn(desk):
    one = Conversation("new", (Turn("customer", "my lamp is dark"), Turn("agent", RESET)))
    with desk.store() as store:
        store.add_conversation(one, one.id, extract_pairs(one))


def test_a_run_that_a_later_one_has_overtaken_is_listed_so_with_a_remedy_that_works(desk, tmp_path, capsys):
    log = write_log(tmp_path / "new.jsonl", visits(2))
    with Pipeline.open(desk) as pipeline, pytest.raises(KeyboardInterrupt):
        replay(pipeline, [log], batch_size=2, on_progress=stops)
    code, out, _ = call(desk, capsys, "runs", "--json")
    assert code == 0 and [row["overtaken_by"] for row in json.loads(out)["runs"]] == [None], "it can go on"
    assert "Give the same attendant replay command again" in call(desk, capsys, "runs", "1")[2]
    learn(desk)
    with Pipeline.open(desk) as pipeline:
        # Neither is by the same command: what was broken off may still go on.
        replay(pipeline, [log], batch_size=2, limit=1)
        replay(pipeline, [write_log(tmp_path / "other.jsonl", visits(1))], batch_size=2)
        assert "overtaken" not in call(desk, capsys, "runs")[1]
        replay(pipeline, [log], batch_size=2)
    rows = json.loads(call(desk, capsys, "runs", "--json")[1])["runs"]
    assert [row["overtaken_by"] for row in rows] == [4, None, None, None]
    assert [row["finished"] for row in rows] == [False, True, True, True]
    code, _, err = call(desk, capsys, "runs", "1")
    assert code == 1 and "replay 4 by the same command began anew" in err and "attendant runs --delete 1" in err
    out = " ".join(call(desk, capsys, "runs")[1].split())
    assert "Replay 4 has overtaken replay 1, which cannot be finished: attendant runs --delete 1 --desk lamps" in out
    with pytest.raises(SystemExit) as ended:
        main([*shlex.split("runs --delete 1 --desk lamps --home"), str(desk.home)])
    assert ended.value.code == 0 and "overtaken" not in call(desk, capsys, "runs")[1]
