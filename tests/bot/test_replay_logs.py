"""Replays of logs that are damaged, that fail, that are named: what is said, and what is left behind."""

from __future__ import annotations

import gzip
import json

import pytest
from lamp_desk import RESET, call, lamp_desk, visits, write_log
from sqlite_utils import Database

import bot.replay
from bot.pipeline import Pipeline
from bot.replay import replay
from bot.replay_figures import report_of
from conversations.errors import DeskError
from conversations.model import Conversation, Feedback, Turn
from conversations.pairs import extract_pairs
from conversations.replay_tables import REPLAYS
from conversations.replays import Replays


@pytest.fixture
def desk(tmp_path):
    return lamp_desk(tmp_path)


def left_behind(desk):
    with desk.replays() as replays:
        return replays.runs(), list(desk.path.glob("replay-*.lock"))


def test_a_log_that_is_cut_off_is_replayed_as_far_as_it_goes_and_this_is_said(desk, tmp_path, capsys):
    whole = gzip.compress(write_log(tmp_path / "all.jsonl", visits(300)).read_bytes())
    log = tmp_path / "cut.jsonl.gz"
    log.write_bytes(whole[: len(whole) * 3 // 4])
    code, out, err = call(desk, capsys, "replay", log, "--limit", 1000, "--report", tmp_path / "page", "--json")
    report = json.loads(out)
    assert code == 0 and 2 < report["turns"] < 600 and report["rejected"] == 1
    (problem,) = report["problems"]
    assert f"{log}:" in problem and "damaged from here on" in problem
    assert "could not be read and were passed over: 1." in err and problem in err
    (page,) = (tmp_path / "page").glob("*.html")
    assert "damaged from here on" in page.read_text("utf-8")
    code, out, err = call(desk, capsys, "runs", "latest", "--json")
    assert json.loads(out)["problems"] == [problem] and problem in err
    assert call(desk, capsys, "import", log)[0] == 0, "the status is that of an import"


def test_of_many_broken_lines_the_first_are_named_without_personal_data(desk, tmp_path, capsys):
    broken = [{"id": "x", "turns": [{"role": "jo.marsh@example.org", "text": "hello"}]}] * 9
    log = write_log(tmp_path / "new.jsonl", [*broken, *visits(1)])
    code, _, err = call(desk, capsys, "replay", log, "--ranker", "bm25", "--ranker", "cosine")
    assert code == 0 and "passed over: 9." in err and "example.org" not in err
    assert err.count(f"{log}:") == 3 and "new.jsonl:1: turn 1: unknown role" in err


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_replay_that_fails_before_its_first_turns_leaves_nothing(desk, tmp_path, error):
    log = write_log(tmp_path / "new.jsonl", visits(2))

    def failing(requests):
        raise error

    with Pipeline.open(desk) as pipeline:
        pipeline.answer_many = failing
        with pytest.raises(error):
            replay(pipeline, [log])
    assert left_behind(desk) == ([], [])


def stops(*_):
    raise KeyboardInterrupt


def test_what_could_not_be_read_is_known_of_a_replay_killed_after_its_last_turn(desk, tmp_path):
    broken = {"id": "x", "turns": [{"role": "nobody", "text": "hello"}]}
    log = write_log(tmp_path / "new.jsonl", [broken, *visits(2)])
    with Pipeline.open(desk) as pipeline:
        with pytest.raises(KeyboardInterrupt):
            replay(pipeline, [log], limit=4, on_progress=stops)
        report = replay(pipeline, [log], limit=4)
    assert (report.run, report.turns, report.rejected) == (1, 4, 1)
    assert report.problems and "unknown role" in report.problems[0]


def test_a_replay_killed_as_its_first_turns_are_stored_leaves_nothing(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(Replays, "add", stops)
    with Pipeline.open(desk) as pipeline, pytest.raises(KeyboardInterrupt):
        replay(pipeline, [write_log(tmp_path / "new.jsonl", visits(2))], name="monday")
    assert left_behind(desk) == ([], [])


def add(desk, name, *turns):
    """Takes a conversation into the desk from another connection, in the place of what it was."""
    one = Conversation(name, tuple(Turn(*turn) for turn in turns))
    with desk.store() as store:
        store.add_conversation(one, str(turns), extract_pairs(one))


@pytest.mark.parametrize("turns", [(("customer", "my lamp is dark"), ("agent", RESET)), (("customer", "hello?"),)])
@pytest.mark.parametrize("name", ["past-0", "new"])
def test_a_replay_of_a_desk_that_changes_stops_and_never_mixes_what_it_was_and_is(desk, tmp_path, name, turns):
    log = write_log(tmp_path / "new.jsonl", visits(3))
    with Pipeline.open(desk) as pipeline:

        def change(*_):
            add(desk, name, *turns)

        with pytest.raises(DeskError, match=r"Another command changed the desk.* Give the same command again"):
            replay(pipeline, [log], batch_size=2, on_progress=change)
    assert left_behind(desk) == ([], [])
    with Pipeline.open(desk) as pipeline:
        assert replay(pipeline, [log], batch_size=2).turns == 6


def test_a_desk_that_changed_between_opening_and_replaying_is_not_replayed(desk, tmp_path):
    log = write_log(tmp_path / "new.jsonl", visits(1))
    with Pipeline.open(desk) as pipeline:
        add(desk, "new", ("customer", "my lamp is dark"), ("agent", RESET))
        with pytest.raises(DeskError, match="Another command changed the desk"):
            replay(pipeline, [log])
    assert left_behind(desk) == ([], [])


def test_what_people_say_of_answers_meanwhile_does_not_stop_a_replay(desk, tmp_path):
    log = write_log(tmp_path / "new.jsonl", visits(2))

    def judge(*_):
        with desk.store() as store:
            store.add_feedback(Feedback("2025-05-01T10:00:00Z", "chat", "is it dark?", 1, "good", "chat", "ann"))

    with Pipeline.open(desk) as pipeline:
        assert replay(pipeline, [log], batch_size=2, on_progress=judge).turns == 4


@pytest.mark.parametrize("when", ["2 turns,", "6 turns,", "timed alone"])
def test_a_replay_that_is_deleted_while_it_runs_ends_and_the_other_ones_stay(desk, tmp_path, capsys, when):
    with Pipeline.open(desk) as pipeline:
        replay(pipeline, [write_log(tmp_path / "old.jsonl", visits(1))], name="old")
        log = write_log(tmp_path / "new.jsonl", visits(3))
        gone = []

        def delete(done, total, note):
            if when in note and not gone:
                gone.append(call(desk, capsys, "runs", "--delete", 2)[0])

        with pytest.raises(DeskError) as error:
            replay(pipeline, [log], batch_size=2, on_progress=delete)
        assert str(error.value) == "Replay 2 was deleted while it ran. Give the same command again: it begins anew."
        runs, locks = left_behind(desk)
        assert (gone, [run.name for run in runs], locks) == ([0], ["old"], [])
        assert replay(pipeline, [log], batch_size=2).turns == 6


def test_rows_that_the_file_of_replays_refuses_are_no_reason_to_delete_it(desk, tmp_path):
    with Pipeline.open(desk) as pipeline:
        report = replay(pipeline, [write_log(tmp_path / "new.jsonl", visits(1))])
    with desk.replays() as replays:
        turns = replays.turns(report.run, [0])
        for run in (report.run, 99):
            with pytest.raises(DeskError, match=r"constraint failed.* Give the same command again") as error:
                replays.add(run, turns, 0.1, 0, 1)
            assert "Delete" not in str(error.value)
        assert replays.count(report.run) == 2


def test_the_lock_of_a_killed_replay_is_removed_by_the_next_one(desk, tmp_path):
    (desk.path / "replay-0123456789abcdef.lock").touch()
    with Pipeline.open(desk) as pipeline:
        replay(pipeline, [write_log(tmp_path / "new.jsonl", visits(1))])
    assert left_behind(desk)[1] == []


def test_turns_are_timed_all_over_the_log_and_the_same_ones_after_a_stop(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(bot.replay, "TIMED_TURNS", 5)
    log = write_log(tmp_path / "new.jsonl", visits(6))

    def stopping(done, total, note):
        if "alone" in note and done == 2:
            raise KeyboardInterrupt

    with Pipeline.open(desk) as pipeline:
        with pytest.raises(KeyboardInterrupt):
            replay(pipeline, [log], limit=12, on_progress=stopping)
        report = replay(pipeline, [log], limit=12)
    with desk.replays() as replays:
        wait = replays.numbers(report.run, ["wait"])["wait"]
    assert report.run == 1 and [place for place, one in enumerate(wait) if one > 0] == [0, 2, 5, 8, 11]


def test_each_of_several_rankers_has_a_name_of_its_own(desk, tmp_path, capsys):
    log = write_log(tmp_path / "new.jsonl", visits(1))
    rankers = ("--ranker", "bm25", "--ranker", "cosine")
    assert call(desk, capsys, "replay", log, *rankers, "--name", "monday")[0] == 0
    assert [run.name for run in left_behind(desk)[0]] == ["monday-bm25", "monday-cosine"]
    assert call(desk, capsys, "replay", log, *rankers[:2], "--name", "tuesday")[0] == 0
    assert left_behind(desk)[0][-1].name == "tuesday"


def test_a_run_of_an_earlier_version_is_still_shown(desk):
    file = Database(desk.replays_path)
    REPLAYS.migrations.apply(file, stop_before="003_own_conversations")
    about = {"key": "k", "started": "2026-01-01", "ranker": "bm25", "threshold": 0.5}
    file["runs"].insert(about | dict.fromkeys(("logs", "desk", "settings"), "{}"))
    turn = {"run": 1, "conversation": "past-0", "question": "?", "agent_answer": "!", "decision": "answer"}
    numbers = ("position", "entry", "turn", "number", "key", "rank", "is_known", "is_right", "confidence")
    file["turns"].insert(turn | dict.fromkeys((*numbers, "milliseconds"), 0))
    file.close()
    with desk.replays() as replays:
        report = report_of(replays, replays.run("1"))
        assert replays.turns(1, [0])[0].copies is None
    assert (report.turns, report.conversations, report.in_desk, report.remarks) == (1, 1, 0, [])


@pytest.mark.parametrize("name", ["latest", "latest~1"])
def test_the_word_for_the_newest_run_is_refused_as_a_name_with_what_to_use(desk, tmp_path, capsys, name):
    log = write_log(tmp_path / "new.jsonl", visits(1))
    code, _, err = call(desk, capsys, "replay", log, "--name", name)
    said = " ".join(err.replace("\u2502", " ").split())
    assert code == 2 and "latest is what the newest run is called by anyhow: use another name" in said
