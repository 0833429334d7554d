"""A directory of logs in which other files lie: what is no log is passed over and said, however it is read."""

from __future__ import annotations

import json

import pytest
from lamp_desk import call, lamp_desk, visits, write_log


@pytest.fixture
def desk(tmp_path):
    return lamp_desk(tmp_path)


@pytest.fixture
def logs(tmp_path):
    """Two logs, and between them by name a file that is none."""
    (tmp_path / "logs").mkdir()
    first, second = list(visits(2))
    write_log(tmp_path / "logs" / "a.jsonl", [first])
    (tmp_path / "logs" / "b.txt").write_text("hello")
    write_log(tmp_path / "logs" / "c.jsonl", [second])
    return tmp_path / "logs"


@pytest.mark.parametrize(
    ("command", "count", "read"),
    [("replay", "turns", 4), ("gaps", "turns", 4), ("import", "conversations", 2)],
)
def test_a_file_in_a_directory_that_is_no_log_is_passed_over(desk, logs, capsys, command, count, read):
    code, out, err = call(desk, capsys, command, logs, "--json")
    report = json.loads(out)
    assert code == 0 and (report[count], report["rejected"]) == (read, 1), err


def test_monitor_passes_over_a_file_in_a_directory_that_is_no_log(desk, logs, capsys):
    code, out, err = call(desk, capsys, "monitor", logs)
    assert code == 0 and "b.txt is neither JSON Lines nor a table" in out + err


def test_a_replay_names_the_file_that_is_no_log_and_finishes(desk, logs, capsys):
    code, _, err = call(desk, capsys, "replay", logs)
    assert code == 0 and f"{logs / 'b.txt'}:0:" in err and "neither JSON Lines nor a table" in err
    with desk.replays() as replays:
        (run,) = replays.runs()
    assert run.finished is not None


def test_a_directory_without_any_log_is_said_with_the_reason(desk, logs, capsys):
    for log in logs.glob("*.jsonl"):
        log.unlink()
    for command in ("replay", "gaps", "import"):
        code, _, err = call(desk, capsys, command, logs)
        assert code == 1 and "neither JSON Lines nor a table" in err, command


@pytest.mark.parametrize("command", ["replay", "gaps", "import", "monitor"])
def test_a_path_that_is_missing_is_said_before_anything_is_read(desk, logs, capsys, command):
    code, _, err = call(desk, capsys, command, logs / "a.jsonl", logs / "d.jsonl")
    assert code == 1 and f"{logs / 'd.jsonl'} does not exist" in err and "reading" not in err


def test_a_named_file_that_is_no_log_leaves_no_unfinished_replay(desk, logs, capsys):
    code, _, err = call(desk, capsys, "replay", logs / "a.jsonl", logs / "b.txt", "--batch-size", 1)
    assert code == 1 and "neither JSON Lines nor a table" in err
    with desk.replays() as replays:
        assert replays.runs() == []
