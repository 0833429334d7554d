"""Stored replays: what is kept of each turn, going on after a kill, forgetting."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lamp_desk import RESET, call, lamp_desk, rows, visits, write_log

from bot.customer import forget_customer
from bot.pipeline import Pipeline
from bot.replay import replay
from bot.topics import opening_of
from conversations.errors import DeskError
from training.rankers import cosine_ranker

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def desk(tmp_path):
    return lamp_desk(tmp_path)


def stored_turns(desk, run):
    """All that is stored of a run's turns and does not depend on the clock."""
    with sqlite3.connect(desk.replays_path) as file:
        columns = [row[1] for row in file.execute("PRAGMA table_info(turns)")]
        kept = [name for name in columns if name not in ("run", "milliseconds", "wait")]
        return file.execute(f"SELECT {', '.join(kept)} FROM turns WHERE run = ? ORDER BY position", (run,)).fetchall()


def test_a_turn_is_stored_with_all_that_is_known_of_it(desk, tmp_path):
    log = write_log(tmp_path / "new.jsonl", visits(2))
    with Pipeline.open(desk) as pipeline:
        report = replay(pipeline, [log], name="first")
        texts = {answer.id: answer.text for answer in pipeline.store.answers()}
    assert report.turns == 4 and report.decided.answered + report.decided.asked + report.decided.handed_over == 4
    with desk.replays() as replays:
        run = replays.run("first")
        assert run.finished and run.desk["pairs"] == 5 and run.threshold == pipeline.threshold
        assert replays.run("latest") == replays.run(str(run.id)) == run
        first, second = replays.turns(run.id, [0, 1])
    assert (first.conversation, first.turn, first.number) == ("new-0", 1, 1)
    assert (second.turn, second.number, second.entry) == (3, 2, 0)
    assert (first.language, first.topic, first.week) == ("en", "dark", "2025-W18")
    assert first.agent_answer == RESET == texts[first.said]
    assert first.is_known and first.is_right and first.rank == 1
    assert not second.is_known and second.rank == 0
    assert first.wait and first.milliseconds > 0


def test_a_conversation_that_does_not_say_its_topic_gets_one_of_the_desk_in_words_of_no_one_customer(desk, tmp_path):
    said, silent = visits(2)
    del silent["meta"]
    with Pipeline.open(desk) as pipeline, desk.replays() as replays:
        run = replay(pipeline, [write_log(tmp_path / "new.jsonl", [said, silent])]).run
        stated, *_, found = replays.turns(run, [0, 1, 2, 3])
        openings = {opening_of(one) for one in pipeline.store.conversations()}
    assert stated.topic == "dark"
    assert found.topic and found.topic != "dark"
    assert found.topic not in openings


def test_only_deidentified_text_is_stored(desk, tmp_path):
    log = write_log(tmp_path / "new.jsonl", visits(2))
    with Pipeline.open(desk) as pipeline:
        replay(pipeline, [log])
    stored = b"".join(path.read_bytes() for path in desk.path.glob("replays*"))
    assert b"<EMAIL>" in stored
    assert b"example.org" not in stored and b"c-77" not in stored


def test_a_forgotten_customer_leaves_the_stored_replays(desk, tmp_path):
    log = write_log(tmp_path / "new.jsonl", [*visits(2, "c-new"), *rows()])
    with Pipeline.open(desk) as pipeline:
        replay(pipeline, [log])
    assert forget_customer(desk, "c-8")["replayed turns"] == 2
    removed = forget_customer(desk, "c-new")
    assert removed["replayed turns"] == 4 and not removed["conversations"]
    with desk.replays() as replays:
        run = replays.run("latest")
        assert replays.count(run.id) == 3
    stored = b"".join(path.read_bytes() for path in desk.path.glob("replays*"))
    assert b"tried the buttons already" not in stored and b"lamp number" not in stored
    with pytest.raises(DeskError, match="knows no customer"):
        forget_customer(desk, "c-new")


def test_a_conversation_of_the_desk_is_forgotten_where_the_log_did_not_name_its_customer(desk, tmp_path):
    nameless = [{name: value for name, value in row.items() if name != "customer"} for row in rows()]
    log = write_log(tmp_path / "nameless.jsonl", nameless)
    with Pipeline.open(desk) as pipeline:
        replay(pipeline, [log])
    assert forget_customer(desk, "c-8")["replayed turns"] == 2


def test_a_killed_replay_goes_on_and_gives_the_same_numbers(desk, tmp_path, capsys):
    log = write_log(tmp_path / "many.jsonl", visits(30))
    home = str(desk.path.parent.parent)
    command = ["replay", str(log), "--desk", "lamps", "--home", home, "--batch-size", "3", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(_progress(desk)) == 0:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    (killed,) = _progress(desk)
    assert 0 < killed < 60
    code, out, _ = call(desk, capsys, *command[:2], "--batch-size", 3, "--json")
    resumed = json.loads(out)
    assert (code, resumed["turns"], resumed["run"]) == (0, 60, 1)
    _, out, _ = call(desk, capsys, *command[:2], "--batch-size", 3, "--json")
    whole = json.loads(out)
    assert whole["run"] == 2, "a run that was finished is not gone on with"
    clock = ("run", "latency_ms", "turns_per_second")
    assert all(resumed[name] == value for name, value in whole.items() if name not in clock)
    assert stored_turns(desk, 1) == stored_turns(desk, 2)
    assert not list(desk.path.glob("replay-*.lock"))


def _progress(desk):
    """Turns of each stored run, as another process sees them."""
    if not desk.replays_path.exists():
        return []
    try:
        with sqlite3.connect(desk.replays_path) as file:
            return [count for _, count in file.execute("SELECT run, count(*) FROM turns GROUP BY run")]
    except sqlite3.OperationalError:
        return []


@pytest.mark.parametrize("stop", [1, 2, 5])
def test_a_replay_stopped_after_any_batch_goes_on_even_within_a_conversation(desk, tmp_path, stop):
    log = write_log(tmp_path / "some.jsonl", visits(6))

    def stopping(done, total, note):
        if int(note.split(" ")[0]) >= stop * batch:
            raise KeyboardInterrupt

    batch = 2 if stop == 5 else 3
    with Pipeline.open(desk) as pipeline:
        with pytest.raises(KeyboardInterrupt):
            replay(pipeline, [log], batch_size=batch, limit=11, on_progress=stopping)
        resumed = replay(pipeline, [log], batch_size=batch, limit=11)
        whole = replay(pipeline, [log], batch_size=batch, limit=11)
    assert (resumed.run, whole.run, resumed.turns) == (1, 2, 11)
    assert stored_turns(desk, 1) == stored_turns(desk, 2)


def test_other_settings_begin_a_run_of_their_own(desk, tmp_path):
    log = write_log(tmp_path / "some.jsonl", visits(3))
    with Pipeline.open(desk) as pipeline:

        def stopping(*_):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            replay(pipeline, [log], batch_size=2, on_progress=stopping)
        assert replay(pipeline, [log], batch_size=3).run == 2
        pipeline.ranker = cosine_ranker()
        assert replay(pipeline, [log], batch_size=2).run == 3
    with desk.replays() as replays:
        assert [run.finished is not None for run in replays.runs()] == [False, True, True]


def test_the_same_replay_does_not_run_twice_at_once(desk, tmp_path):
    log = write_log(tmp_path / "some.jsonl", visits(2))
    with Pipeline.open(desk) as pipeline:

        def again(*_):
            replay(pipeline, [log])

        with pytest.raises(DeskError, match="same replay is running"):
            replay(pipeline, [log], on_progress=again)


def test_runs_are_listed_and_deleted(desk, tmp_path, capsys):
    log = write_log(tmp_path / "some.jsonl", visits(1))
    code, out, _ = call(desk, capsys, "runs")
    assert code == 0 and "Nothing was replayed" in out
    assert call(desk, capsys, "replay", log, "--name", "monday", "--json")[0] == 0
    assert call(desk, capsys, "replay", log, "--name", "12", "--json")[0] == 2
    code, out, _ = call(desk, capsys, "runs", "--json")
    (run,) = json.loads(out)["runs"]
    assert (run["name"], run["turns"], run["finished"]) == ("monday", 2, True)
    code, _, err = call(desk, capsys, "runs", "--delete", "tuesday")
    assert code == 1 and "There are: 1 (monday)." in err and "Traceback" not in err
    assert call(desk, capsys, "runs", "--delete", "monday")[0] == 0
    assert json.loads(call(desk, capsys, "runs", "--json")[1])["runs"] == []
    assert stored_turns(desk, 1) == []


def test_a_stored_run_is_shown_and_reported_again(desk, tmp_path, capsys):
    log = write_log(tmp_path / "some.jsonl", visits(3))
    first, again = tmp_path / "first", tmp_path / "again"
    code, out, _ = call(desk, capsys, "replay", log, "--name", "monday", "--report", first, "--json")
    report = json.loads(out)
    code, out, _ = call(desk, capsys, "runs", "monday", "--report", again, "--json")
    assert code == 0 and json.loads(out) == report
    name = "replay-lamps-1.html"
    assert (again / name).read_text("utf-8") == (first / name).read_text("utf-8")
    code, out, _ = call(desk, capsys, "runs", "monday", "latest")
    assert code == 0 and "recall@1" in out and "Report:" not in out
    assert call(desk, capsys, "runs", "--report", again)[0] == 2
    assert call(desk, capsys, "runs", "monday", "--delete", "monday")[0] == 2
    code, _, err = call(desk, capsys, "runs", "tuesday", "--report", tmp_path / "none")
    assert code == 1 and "There is no replay" in err and not (tmp_path / "none").exists()


def test_a_page_that_cannot_be_written_costs_neither_the_run_nor_its_figures(desk, tmp_path, capsys):
    log = write_log(tmp_path / "some.jsonl", visits(1))
    pages = tmp_path / "pages"
    (pages / "replay-lamps-1.html").mkdir(parents=True)
    arguments = (log, "--ranker", "cosine", "--ranker", "bm25", "--report", pages, "--json")
    code, out, err = call(desk, capsys, "replay", *arguments)
    assert code == 1 and [one["turns"] for one in json.loads(out)["rankers"]] == [2, 2]
    assert f"attendant runs 1 --report {pages} --desk lamps" in err and "Traceback" not in err
    assert sorted(path.name for path in pages.iterdir()) == ["replay-lamps-1.html", "replay-lamps-2.html"]


def test_a_damaged_file_of_replays_is_said(desk, capsys):
    desk.replays_path.write_bytes(b"not a database, but long enough to be looked at" * 40)
    code, _, err = call(desk, capsys, "runs")
    assert code == 1 and "Delete the file and replay the logs again" in err and "Traceback" not in err
