"""Exit statuses, options in both places, JSON, and one plain line for every failure."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import click
import pytest
from chat_fakes import ANSWERS, HOSTILE, PAST, FakePipeline, assert_harmless, hostile_pipeline
from command_line import call, empty_desk
from lamp_desk import lamp_desk
from safetensors import SafetensorError
from torch import OutOfMemoryError

from bot.cli import COMMANDS
from bot.early_warning import desk_threshold
from bot.failures import run_guarded
from bot.options import Session
from conversations.desk import Desk
from conversations.errors import DeskError

NAMING = (["chat"], ["ask", "hi"], ["assist"], ["forget", "--yes"])
"""Commands that a customer can be named for."""
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch):
    return empty_desk(tmp_path, monkeypatch)


@pytest.fixture
def pipeline(monkeypatch):
    def put(fake):
        module = types.ModuleType("bot.pipeline")
        module.Pipeline = types.SimpleNamespace(open=lambda desk, ranker=None, on_progress=None: fake)
        monkeypatch.setitem(sys.modules, "bot.pipeline", module)
        monkeypatch.delitem(sys.modules, "bot.opening", raising=False)
        return fake

    yield put
    sys.modules.pop("bot.opening", None)


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_every_command_has_help_with_an_example(command, capsys):
    assert call(*([command] if command else []), "--help") == 0
    text = capsys.readouterr().out
    assert "Example" in text and f"attendant {command or 'import'} " in text
    assert all(option in text for option in ("--home", "--json", "--debug"))
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["ask"],
        ["ask", ""],
        ["ask", "  "],
        ["ask", "\x1b[2J"],
        ["import"],
        ["replay"],
        ["replay", "x", "--limit", "0"],
        ["train", "--dataset", "x"],
        ["train", "--save", "x", "--force"],
        ["train", "--encoder", "x"],
        ["train", "--cache", "x"],
        ["train", "--start", "x", "--listwise-heads", "4"],
        ["train", "--kind", "cross-encoder", "--desk", "x"],
        ["train", "--kind", "cross-encoder", "--dataset", "x", "--save", "y", "--loss", "lambda"],
        ["train", "--desk", "x", "--desk", "y"],
        ["train", "--dataset", "x", "--desk", "y"],
        ["train", "--mood", "x"],
        ["train", "--mood", "x", "--desk", "acme", "--save", "y"],
        ["train", "--mood", "x", "--dataset", "y", "--save", "z"],
        ["train", "--mood", "x", "--save", "y", "--loss", "lambda"],
        ["evaluate", "x", "--protocol", "other"],
        ["evaluate", "x", "--encoder", "y"],
        ["chat", "--mood-threshold", "2"],
        *([*command, "--customer", name] for command in NAMING for name in ("", " ")),
        ["desks", "--home", ""],
        ["desks", "--nonsense"],
    ],
)
def test_wrong_usage_is_2(arguments, capsys):
    assert call(*arguments) == 2


def test_usage_errors_are_harmless_text(capsys):
    wrong = ([HOSTILE], ["desks", HOSTILE], ["desks", f"--{HOSTILE}"], ["evaluate", "x", "--protocol", HOSTILE])
    for arguments in wrong:
        assert call(*arguments) == 2
        assert_harmless(capsys.readouterr().err)


@pytest.mark.parametrize("arguments", [["ask", "q"], ["chat"], ["replay", "x"], ["train"], ["doctor"]])
def test_an_unknown_desk_is_one_line_with_the_remedy(arguments, home, capsys):
    assert call(*arguments, "--desk", "nobody", "--home", home) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("attendant: There is no desk 'nobody'. There are: acme.") and "attendant import" in err


def test_errors_as_json(home, capsys):
    for arguments in (["--json", "ask", "q", "--desk", "nobody"], ["ask", "q", "--desk", "nobody", "--json"]):
        assert call("--home", home, *arguments) == 1
        out, err = capsys.readouterr()
        assert set(json.loads(out)) == {"error", "remedy"} and "no desk" in json.loads(out)["error"]
        assert err.startswith("attendant: ")


def test_home_is_taken_from_the_option_before_the_environment(home, tmp_path, monkeypatch, capsys):
    Desk.create(tmp_path / "other", "elsewhere").store().close()
    monkeypatch.setenv("ATTENDANT_HOME", str(tmp_path / "other"))
    names = []
    for arguments in (["desks", "--json"], ["desks", "--json", "--home", home], ["--home", home, "desks", "--json"]):
        assert call(*arguments) == 0
        names += [desk["name"] for desk in json.loads(capsys.readouterr().out)["desks"]]
    assert names == ["elsewhere", "acme", "acme"]


def test_desks_counts_and_names_a_damaged_one(home, capsys):
    Desk.create(home, "broken").database.write_bytes(b"no database at all" * 100)
    assert call("desks", "--home", home) == 0
    out, err = capsys.readouterr()
    assert "acme" in out and "broken" in out and "damaged" in err


def test_version(capsys):
    assert call("--version") == 0
    assert capsys.readouterr().out.startswith("attendant ")


def test_ask_prints_the_keys_that_scripts_rely_on(home, pipeline, capsys):
    fake = pipeline(FakePipeline(ANSWERS, PAST))
    assert call("ask", "can I return it?", "--desk", "acme", "--home", home, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    keys = {"answer", "decision", "confidence", "reason", "candidates", "new_topic", "timings_ms", "mood", "warnings"}
    assert set(answer) == keys
    assert set(answer["timings_ms"]) == {"embed", "retrieve", "rerank", "total"}
    assert set(answer["candidates"][0]) == {"answer_id", "text", "weight", "chance", "retrieval_score", "evidence"}
    assert answer["candidates"][0]["evidence"] == [{"conversation": "lw-2001", "turn": 1}]
    assert fake.calls[0].turns[0].text == "can I return it?"


def test_ask_reads_stdin_and_a_context(home, tmp_path, pipeline, monkeypatch, capsys):
    import io

    fake = pipeline(FakePipeline(ANSWERS, PAST))
    log = tmp_path / "log.jsonl"
    turns = [{"role": "customer", "text": "my desk came"}, {"role": "agent", "text": "good"}]
    log.write_text(json.dumps({"id": "1", "turns": turns}) + "\n")
    monkeypatch.setattr(sys, "stdin", io.StringIO("and the lamp?\n"))
    assert call("ask", "-", "--context", log, "--desk", "acme", "--home", home) == 0
    assert [turn.text for turn in fake.calls[0].turns] == ["my desk came", "good", "and the lamp?"]
    assert ANSWERS[0].text in capsys.readouterr().out


@pytest.mark.parametrize("confidence", [0.2, 0.9])
def test_ask_shows_hostile_text_harmlessly(home, pipeline, capsys, confidence):
    fake = pipeline(hostile_pipeline(confidence))
    fake.notices = [HOSTILE]
    for extra in ([], ["--json"]):
        assert call("ask", "q", "--desk", "acme", "--home", home, *extra) == 0
        out, err = capsys.readouterr()
        assert_harmless(out + err)
        assert "[/refund]" in out and "[/refund]" in err


def test_a_hostile_file_name_is_shown_harmlessly(home, tmp_path, capsys):
    bad = tmp_path / "\x1b]0;owned\x07\u202e[bold].jsonl"
    assert call("import", bad, "--desk", "new", "--home", home) == 1
    bad.write_bytes(b"\x00\x01\x02" * 50)
    assert call("import", bad, "--desk", "new", "--home", home) == 1
    out, err = capsys.readouterr()
    assert_harmless(out + err)
    assert "[bold]" in err
    assert not (home / "desks" / "new").exists()


@pytest.mark.parametrize(
    ("raised", "status", "line"),
    [
        (KeyboardInterrupt(), 130, "stopped; nothing was lost\n"),
        (click.Abort(), 130, "stopped; nothing was lost\n"),
        (DeskError("It is gone.", "Put it back."), 1, "attendant: It is gone. Put it back.\n"),
        (DeskError("two\nlines", HOSTILE), 1, None),
        (OSError(errno.ENOSPC, "No space", "/d/x"), 1, "attendant: /d/x: There is no room left on the disk."),
        (PermissionError(errno.EACCES, "Permission denied", "/d/x"), 1, "attendant: /d/x: Permission denied."),
        (SafetensorError(f"I/O error: No space (os error {errno.ENOSPC})"), 1, "attendant: There is no room left on"),
        (SafetensorError("I/O error: File too large (os error 27)"), 1, "attendant: File too large. Check the path"),
        (MemoryError(), 1, "attendant: There is not enough memory"),
        (OutOfMemoryError("CUDA out of memory."), 1, "attendant: There is not enough memory"),
        (RuntimeError("oh"), 1, "attendant: internal error: RuntimeError: oh (--debug shows where)\n"),
        (ValueError("oh"), 1, "attendant: internal error: ValueError: oh (--debug shows where)\n"),
    ],
)
def test_whatever_is_raised_becomes_one_line(raised, status, line, capsys):
    def fail():
        raise raised

    assert run_guarded(fail, Session()) == status
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert_harmless(err)
    assert line is None or err.startswith(line)


def test_debug_shows_where(capsys):
    def fail_here():
        raise ValueError("oh")

    assert run_guarded(fail_here, Session(debug=True)) == 1
    assert "in fail_here" in capsys.readouterr().err


def run(*arguments, home, **options):
    options |= {"env": dict(os.environ, ATTENDANT_HOME=str(home), OMP_NUM_THREADS="1")}
    command = [sys.executable, "-m", "bot", *arguments]
    return subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, timeout=60, check=False, **options)


def test_a_full_disk_behind_stdout_is_one_line(home):
    with Path("/dev/full").open("wb") as full:
        done = run("desks", "--json", home=home, stdout=full)
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "attendant: There is no room left on the disk. Make room, then run the same command again.\n"
    )


@pytest.mark.parametrize("arguments", [["desks"], ["desks", "--json"], ["answers", "--desk", "acme"], ["--version"]])
def test_a_closed_stdout_is_one_line(arguments, home):
    done = run(*arguments, home=home, preexec_fn=lambda: os.close(1))
    assert done.returncode == 1
    said = "attendant: There is no stdout to write to. Let it go to a file, or to /dev/null.\n"
    assert done.stderr.decode() == said


@pytest.mark.parametrize("command", ["chat", "assist"])
def test_a_closed_stdin_is_an_empty_one(command, tmp_path):
    home = lamp_desk(tmp_path).path.parent.parent
    done = run(command, "--desk", "lamps", home=home, stdout=subprocess.PIPE, preexec_fn=lambda: os.close(0))
    assert (done.returncode, done.stdout) == (0, b""), done.stderr.decode()


def test_a_closed_stdin_holds_no_question_and_no_consent(home):
    asked = run("ask", "-", "--desk", "acme", home=home, preexec_fn=lambda: os.close(0))
    assert (asked.returncode, b"The question is empty." in asked.stderr) == (2, True)
    forgot = run("forget", "--customer", "c", "--desk", "acme", home=home, preexec_fn=lambda: os.close(0))
    assert (forgot.returncode, b"stopped" in forgot.stderr) == (130, True)


def test_a_reader_that_goes_away_is_no_error_message(home):
    read, write = os.pipe()
    os.close(read)
    done = run("desks", "--json", home=home, stdout=write)
    os.close(write)
    assert done.stderr == b"" and done.returncode == 1


def test_a_threshold_that_was_chosen_is_kept_with_the_desk(home, pipeline, capsys, monkeypatch):
    pipeline(FakePipeline(ANSWERS, PAST))
    monkeypatch.setattr(sys, "stdin", io.StringIO("hello\n"))
    assert call("chat", "--desk", "acme", "--home", home, "--mood-threshold", "-0.25") == 0
    with Desk.open(home, "acme").store() as store:
        assert desk_threshold(store) == -0.25


@pytest.mark.parametrize("arguments", [["chat"], ["ask", "hello"], ["assist"]])
@pytest.mark.parametrize(("name", "told"), [("c-77", 1), ("c-8", 0)])
def test_a_customer_of_whom_nothing_is_known_is_told_on_stderr(arguments, name, told, tmp_path, monkeypatch, capsys):
    desk = lamp_desk(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO("/quit\n"))
    options = ["--desk", "lamps", "--home", desk.path.parent.parent, "--customer", name, "--json"]
    assert call(*arguments, *options) == 0
    assert capsys.readouterr().err.count(f"Customer {name}: nothing is known from before.") == told
