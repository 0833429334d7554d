"""`attendant assist` in a real pseudo-terminal, and once with a real desk."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from chat_fakes import ANSWERS, HOSTILE, PAST, FakeBook, FakePipeline, interrupted_loops
from lamp_desk import REFUND, RESET, lamp_desk
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from terminal import ROOT, Terminal

from bot.assist_screen import AssistScreen
from conversations.desk import Desk

SCRIPT = str(Path(__file__).with_name("chat_in_terminal.py"))
F1, F2, F5 = "\x1bOP", "\x1bOQ", "\x1b[15~"
BAR = "Ctrl-D leave"


@pytest.fixture
def home(tmp_path):
    Desk.create(tmp_path, "acme").store().close()
    return str(tmp_path)


def assist(home, *arguments, kind="plain", **options):
    return Terminal(SCRIPT, kind, "assist", "--desk", "acme", "--home", home, *arguments, **options)


def settle():
    """A suggestion is sent only once it has stood for a moment."""
    time.sleep(0.4)


def test_from_the_first_word_to_goodbye(home):
    with assist(home) as terminal:
        seen = terminal.wait_for(BAR)
        terminal.type("can I return it?")
        for text in ("F1", "opened box", "F2", "within 30 days", "F3", "us a photo"):
            terminal.wait_for(text, seen)
        terminal.type("\r")
        seen = terminal.wait_for("you>", seen)
        settle()
        terminal.type(F2)
        seen = terminal.wait_for("customer>", seen)
        terminal.type("and when?\r")
        terminal.wait_for("opened", seen)
        terminal.wait_until_it_waits()
        settle()
        terminal.type(F5)
        terminal.wait_for("edited>", seen)
        terminal.type(" Really.\r")
        terminal.wait_for("Really.", seen)
        terminal.type("/help\r")
        seen = terminal.wait_for("Keys", seen)
        terminal.type("\x03")
        terminal.wait_until_it_waits()
        terminal.type("\x04")
        assert terminal.exit_status() == 0
        left = terminal.text[terminal.text.rindex("customer: can I return it?") :]
        for text in (
            "agent: You can return it within 30 days.",
            "customer: and when?",
            "no problem. Really.",
            "Goodbye.",
        ):
            assert text in left, "the dialogue stays in the scrollback"
    assert "can I return it?" in (Path(home) / "desks/acme/assist_history").read_text()


@pytest.mark.parametrize(("flags", "said"), [((), "you>"), (("--plain",), "sent:")])
def test_what_is_typed_once_the_followed_log_named_a_customer_is_kept_nowhere(home, tmp_path, flags, said):
    log = tmp_path / "log"
    with assist(home, "--follow", str(log), *flags) as terminal:
        terminal.wait_for("waiting for it")
        terminal.type("/say before\r")
        seen = terminal.wait_for(f"{said} before")
        log.write_text(json.dumps({"role": "customer", "text": "it is dark", "customer": "c-7"}) + "\n")
        terminal.wait_for("opened box", seen)
        terminal.type("/say about c-7\r")
        terminal.wait_for(f"{said} about c-7", seen)
        terminal.wait_until_it_waits()
        terminal.type("\x04")
        assert terminal.exit_status() == 0
    kept = (Path(home) / "desks/acme/assist_history").read_text()
    assert "before" in kept and "c-7" not in kept


def test_ctrl_c_twice_leaves(home):
    with assist(home) as terminal:
        seen = terminal.wait_for(BAR)
        terminal.type("half\x03\x03")
        terminal.wait_for("Ctrl-C again", seen)
        terminal.type("\x03")
        assert terminal.exit_status() == 0
        assert "Goodbye." in terminal.text


def test_ctrl_c_while_the_screen_comes_up_counts_as_any_other(monkeypatch):
    monkeypatch.setattr(asyncio.get_event_loop_policy(), "_loop_factory", interrupted_loops("made"))
    with create_pipe_input() as pipe:
        screen = AssistScreen(
            FakePipeline(ANSWERS, PAST), FakeBook(), InMemoryHistory(), "acme", terminal=(pipe, DummyOutput())
        )
        pipe.send_text("\x04")
        screen.run()
    assert [text for _, text in screen.notes] == ["Ctrl-C again or Ctrl-D leaves."]


def test_it_is_drawn_anew_for_every_width_from_60_to_200(home):
    with assist(home, columns=60) as terminal:
        terminal.wait_for(BAR)
        terminal.type("can I return it?")
        seen = terminal.wait_for("us a photo")
        for columns, rows in ((200, 50), (99, 24), (60, 12), (120, 30)):
            terminal.resize(columns, rows)
            for text in ("F1", "F3", "can I return it?", BAR):
                terminal.wait_for(text, seen)
            seen = terminal.wait_for(BAR, seen)
        terminal.wait_until_it_waits()
        terminal.type("\x03\x04")
        assert terminal.exit_status() == 0


def test_a_paste_of_10000_characters_is_cut(home):
    with assist(home) as terminal:
        seen = terminal.wait_for(BAR)
        terminal.type("\x1b[200~" + "a line of text\n" * 700 + "\x1b[201~\r")
        terminal.wait_for("first 8,000 characters", seen)
        terminal.type("\x04")
        assert terminal.exit_status() == 0


def test_an_escape_in_a_paste_without_brackets_is_no_click_of_a_mouse(home):
    with assist(home) as terminal:
        seen = terminal.wait_for(BAR)
        terminal.type("a \x1b[31mred hat\r")
        for text in ("opened", "you>"):
            terminal.wait_for(text, seen)
        terminal.wait_until_it_waits()
        terminal.type("\x04")
        assert terminal.exit_status() == 0
        assert "customer: a red hat" in terminal.text


def test_hostile_text_leaves_the_terminal_alone(home, tmp_path):
    log = tmp_path / "log"
    safe_to_write = HOSTILE.replace("\udc80", "\\udc80")
    log.write_text(json.dumps({"role": "customer", "text": HOSTILE}) + f"\n{safe_to_write}\n")
    with assist(home, "--follow", str(log), kind="hostile") as terminal:
        seen = terminal.wait_for("[/refund]", terminal.wait_for(BAR))
        settle()
        for line in ("/why\r", "\r/handoff\r", "\r\x1b[200~a\x1b]52;c;AA\x07b\x1b[201~\r"):
            terminal.type(line)
            terminal.wait_until_it_waits()
        terminal.type(F1)
        terminal.wait_until_it_waits()
        terminal.type("\x04")
        assert terminal.exit_status() == 0
        assert seen
        # prompt_toolkit itself only moves the cursor, erases, and sets colours and modes.
        assert not re.search(rb"\x1b[\]Pc]|\x1b\[6n|\x1b\[10A|\xc2[\x80-\x9f]|\xe2\x80\xae", terminal.raw)


def test_no_color_is_respected(home):
    with assist(home, NO_COLOR="1") as terminal:
        seen = terminal.wait_for(BAR)
        terminal.type("question\r")
        terminal.wait_for("opened", seen)
        terminal.type("/why\r")
        terminal.wait_for("Confidence", seen)
        terminal.type("\r")
        terminal.wait_until_it_waits()
        terminal.type("\x04")
        assert terminal.exit_status() == 0
        assert not re.search(rb"\x1b\[[0-9;]*[349][0-7]m|\x1b\[[0-9;]*[34]8;", terminal.raw)


def run(home, *arguments, lines="", kind="plain"):
    python = [sys.executable, "-W", "always::ResourceWarning"]
    command = [*python, SCRIPT, kind, "assist", "--desk", "acme", "--home", home, *arguments]
    return subprocess.run(command, cwd=ROOT, input=lines, capture_output=True, text=True, timeout=60, check=False)


def test_a_pipe_gets_plain_lines(home, tmp_path):
    saved = tmp_path / "dialogue.jsonl"
    done = run(home, lines=f"can I return it?\n/send 1\n/save {saved}\n")
    assert done.returncode == 0, done.stderr
    assert "1. An opened box is no problem. [fairly sure, 72 %]" in done.stdout and "\x1b" not in done.stdout
    assert [turn["role"] for turn in json.loads(saved.read_text())["turns"]] == ["customer", "agent"]


def test_json_lines_go_to_stdout_alone(home, tmp_path):
    log = tmp_path / "log"
    log.write_text('{"role": "customer", "text": "from the log"}\nbroken\n')
    done = run(home, "--json", "--follow", str(log), lines="typed\n/quit\n")
    assert done.returncode == 0, done.stderr
    assert all("suggestions" in json.loads(line) for line in done.stdout.splitlines())
    assert "unclosed file" not in done.stderr, "the followed log is closed"


def test_what_goes_wrong_with_a_followed_log_ends_a_service_with_its_status_in_one_line(home, tmp_path):
    log = tmp_path / "log"
    log.write_text('{"role": "customer", "text": "where is it?"}\n')
    done = run(home, "--json", "--follow", str(log), kind="failing")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert done.stderr.endswith("\nattendant: internal error: ZeroDivisionError: oh (--debug shows where)\n")
    assert "in _answer" in run(home, "--json", "--follow", str(log), "--debug", kind="failing").stderr


def test_a_reader_of_a_followed_log_who_goes_away_ends_the_service(home, tmp_path):
    log = tmp_path / "log"
    log.write_text('{"role": "customer", "text": "where is it?"}\n')
    command = [sys.executable, SCRIPT, "plain", "assist", "--desk", "acme", "--home", home, "--follow", str(log)]
    with subprocess.Popen(
        [*command, "--json"], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as service:
        assert b"suggestions" in service.stdout.readline()
        service.stdout.close()
        with log.open("a") as file:
            file.write('{"role": "customer", "text": "hello?"}\n')
        assert service.wait(30) == 1 and service.stderr.read() == b"- Loading the model.\n"


def test_what_goes_wrong_with_a_followed_log_is_told_at_once_where_lines_are_typed(home, tmp_path):
    log = tmp_path / "log"
    with assist(home, "--plain", "--follow", str(log), kind="failing") as terminal:
        seen = terminal.wait_for("does not exist yet")
        log.write_text('{"role": "customer", "text": "where is it?"}\n')
        seen = terminal.wait_for("ZeroDivisionError: oh (--debug shows where) The log is no longer followed.", seen)
        terminal.type("/say One moment.\r")
        terminal.wait_for("sent: One moment.", seen)
        terminal.wait_until_it_waits()
        terminal.type("\x04")
        assert terminal.exit_status() == 1 and "Traceback" not in terminal.text


def test_plain_in_a_terminal_draws_nothing_around_its_lines(home, tmp_path):
    log = tmp_path / "log"
    with assist(home, "--plain", "--follow", str(log)) as terminal:
        seen = terminal.wait_for("does not exist yet")
        terminal.type("can I return it?\r")
        seen = terminal.wait_for("3. Please send us a photo.", seen)
        terminal.type("/send 3\r")
        seen = terminal.wait_for("sent: Please send us a photo.", seen)
        log.write_text('{"role": "customer", "text": "here it is"}\n')
        terminal.wait_for("4. An opened box", terminal.wait_for("customer: here it is", seen))
        terminal.wait_until_it_waits()
        terminal.type("\x04")
        assert terminal.exit_status() == 0
        assert not re.search("[\u2500-\u259f]", terminal.text), "no lines, boxes or bars"
        assert not re.search(rb"\x1b\[[0-9;]*[1-9][0-9;]*m", terminal.raw.replace(b"\x1b[0m", b"")), "no colours"


def test_a_real_desk_suggests_and_keeps_what_was_sent(tmp_path):
    desk = lamp_desk(tmp_path)
    log = tmp_path / "running.jsonl"
    arguments = ("assist", "--desk", "lamps", "--home", str(tmp_path / "home"), "--follow", str(log))
    with Terminal("-m", "bot", *arguments, columns=120) as terminal:
        seen = terminal.wait_for("does not exist yet")
        with log.open("a") as file:
            file.write('{"role": "customer", "text": "my lamp stays dark", "typing": true}\n')
        terminal.wait_for(RESET.split()[-1], terminal.wait_for("typing>", seen))
        with log.open("a") as file:
            file.write('{"role": "customer", "text": "my lamp stays dark, order 4471"}\n')
        seen = terminal.wait_for("4471", seen)
        terminal.wait_until_it_waits()
        settle()
        terminal.type(F1)
        terminal.wait_for("Suggestions come", seen)
        with log.open("a") as file:
            file.write('{"role": "customer", "text": "no luck. When is my refund here?"}\n')
        seen = terminal.wait_for("luck.", seen)
        terminal.wait_for(REFUND.split()[0], seen)
        terminal.type("I will see to it.\r")
        terminal.wait_until_it_waits()
        terminal.type("\x04")
        assert terminal.exit_status() == 0
    with desk.store() as store:
        first, *others = store.feedback()
        answers = {answer.id: answer.text for answer in store.answers()}
    assert (first.verdict, answers[first.answer_id], first.source) == ("sent", RESET, "assist")
    assert first.question.startswith("my lamp stays dark") and first.answer_id in first.shown
    assert {one.verdict for one in others} == {"skipped"} and RESET not in [answers[one.answer_id] for one in others]
