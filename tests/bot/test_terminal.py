"""The chat and the command line in a real pseudo-terminal."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import ROOT, Terminal

from bot.chat_commands import TOOLBAR
from bot.chat_input import bottom_bar
from conversations.desk import Desk

SCRIPT = str(Path(__file__).with_name("chat_in_terminal.py"))


@pytest.fixture
def home(tmp_path):
    Desk.create(tmp_path, "acme").store().close()
    return str(tmp_path)


def chat(home, kind="plain", **options):
    return Terminal(SCRIPT, kind, "chat", "--desk", "acme", "--home", home, **options)


def test_a_chat_from_greeting_to_goodbye(home):
    with chat(home) as terminal:
        seen = terminal.wait_for("you>")
        terminal.type("can I return it?\r")
        seen = terminal.wait_for("An opened box is no problem.", seen)
        seen = terminal.wait_for("you>", seen)
        terminal.type("\x1bOQ")
        seen = terminal.wait_for("You can return it within 30 days.", seen)
        terminal.type("/why\r")
        seen = terminal.wait_for("outcome: resolved", seen)
        seen = terminal.wait_for("you>", seen)
        terminal.type("half\x03")
        seen = terminal.wait_for("Cancelled.", seen)
        terminal.wait_for("you>", seen)
        terminal.type("\x04")
        assert terminal.exit_status() == 0
        assert "Goodbye." in terminal.text
    assert "can I return it?" in (Path(home) / "desks/acme/chat_history").read_text()


def test_hostile_answers_leave_the_terminal_alone(home):
    with chat(home, "hostile", columns=60) as terminal:
        seen = terminal.wait_for("you>")
        for line in ("question", "/why", "/alt", "1", "/handoff"):
            terminal.type(f"{line}\r")
            seen = terminal.wait_for("you>", terminal.wait_for("[/refund]", seen))
        terminal.type("\x03")
        terminal.wait_for("Cancelled.", seen)
        terminal.type("\x03")  # at once, while the notice is still being shown
        assert terminal.exit_status() == 0, terminal.text[seen:]
        # prompt_toolkit itself only moves the cursor, erases, and sets colours and modes.
        attacks = rb"\x1b[\]Pc]|\x1b\[6n|\x1b\[10A|\xc2[\x80-\x9f]|\xe2\x80\xae"
        assert not re.search(attacks, terminal.raw)


@pytest.mark.parametrize("arguments", [("chat",), ("chat", "--plain"), ("assist", "--plain")])
def test_what_is_typed_is_drawn_without_what_would_turn_the_line_around(home, arguments):
    with Terminal(SCRIPT, "plain", *arguments, "--desk", "acme", "--home", home) as terminal:
        seen = terminal.wait_for(">")
        terminal.type("left \u202eright\r")
        terminal.wait_for("An opened box", seen)
        terminal.wait_until_it_waits()
        terminal.type("\x04")
        assert terminal.exit_status() == 0
        assert "left ·right" in terminal.text and "\u202e" not in terminal.text


def test_no_color_is_respected(home):
    with chat(home, NO_COLOR="1") as terminal:
        seen = terminal.wait_for("you>")
        terminal.type("question\r")
        terminal.wait_for("you>", terminal.wait_for("An opened box", seen))
        terminal.type("/quit\r")
        assert terminal.exit_status() == 0
        assert not re.search(rb"\x1b\[[0-9;]*[34][0-7]m|\x1b\[38;", terminal.raw)


def test_the_bar_tells_how_the_customer_sounds(home):
    with chat(home, PROMPT_TOOLKIT_NO_CPR="") as terminal:
        terminal.wait_for("you>")
        terminal.type("\x1b[5;1R")  # where the cursor is: the bar waits for that
        seen = terminal.wait_for("/good")
        assert "mood" not in terminal.text
        terminal.type("WHERE IS IT\r")
        terminal.wait_for("you>", terminal.wait_for("opened box", seen))
        terminal.type("\x1b[5;1R")
        terminal.wait_for("mood bad (-0.47), falling", seen)
        terminal.type("\x04")
        assert terminal.exit_status() == 0
        assert "Mood:" not in terminal.text, "once is enough"


def test_the_chat_is_drawn_anew_for_every_width_from_60_to_200(home):
    where = "\x1b[5;1R"  # where the cursor is: the bar waits for that
    with chat(home, columns=60, PROMPT_TOOLKIT_NO_CPR="") as terminal:
        seen = terminal.wait_for("you>")
        terminal.type(f"{where}half a message")
        seen = terminal.wait_for(bottom_bar(TOOLBAR, 60), seen)
        for columns in (200, 99, 60, 120):
            bar, before = bottom_bar(TOOLBAR, columns), len(terminal.text)
            terminal.resize(columns, 30)
            terminal.wait_for("half a message", before)
            terminal.type(where)
            seen = terminal.wait_for(bar, before)
            terminal.wait_until_it_waits()
            terminal.read_all()
            assert [part for part in TOOLBAR if part in terminal.text[before:] and part not in bar] == []
        terminal.type(f"\r{where}")
        terminal.wait_for("opened box", seen)
        terminal.wait_until_it_waits()
        terminal.type("\x04")
        assert terminal.exit_status() == 0


def test_a_paste_of_10000_characters_is_cut(home):
    with chat(home) as terminal:
        seen = terminal.wait_for("you>")
        terminal.type("\x1b[200~" + "a line of text\n" * 700 + "\x1b[201~\r")
        seen = terminal.wait_for("Only the first 8,000 characters", seen)
        terminal.wait_for("you>", terminal.wait_for("opened box", seen))
        terminal.type("\x04")
        assert terminal.exit_status() == 0


def test_help_answers_in_a_terminal():
    with Terminal("-m", "bot", "--help") as terminal:
        assert terminal.exit_status() == 0
        assert "import" in terminal.text and "doctor" in terminal.text


def test_wrong_usage_is_2_and_an_unknown_desk_1(home):
    with Terminal("-m", "bot", "ask") as terminal:
        assert terminal.exit_status() == 2
        assert "Missing argument 'QUESTION'." in terminal.text
    with Terminal("-m", "bot", "chat", "--desk", "nobody", "--home", home) as terminal:
        assert terminal.exit_status() == 1
        assert "There is no desk 'nobody'. There are: acme." in terminal.text


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells that a program waits")
def test_ctrl_c_outside_the_chat_is_130(home):
    with Terminal("-m", "bot", "ask", "-", "--desk", "acme", "--home", home) as terminal:
        terminal.wait_until_it_waits()
        terminal.type("\x03")
        assert terminal.exit_status() == 130
        assert "stopped; nothing was lost" in terminal.text


def test_ctrl_c_while_it_ends_prints_nothing():
    script = (
        "import atexit, signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "atexit.register(signal.raise_signal, signal.SIGINT);"
        "import bot.cli; bot.cli.main(['--version'])"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("attendant") and ended.stderr == ""


def test_a_plain_chat_draws_nothing_around_its_lines(home):
    with Terminal(SCRIPT, "plain", "chat", "--plain", "--desk", "acme", "--home", home) as terminal:
        seen = terminal.wait_for("you>")
        terminal.type("can I return it?\r")
        seen = terminal.wait_for("An opened box is no problem.", seen)
        seen = terminal.wait_for("[fairly sure, 72 %]", seen)
        terminal.wait_for("you>", seen)
        terminal.wait_until_it_waits()
        terminal.type("\x04")
        assert terminal.exit_status() == 0
        assert "F2" not in terminal.text
        assert not re.search("[\u2500-\u259f]", terminal.text), "no lines, boxes or bars"
        assert not re.search(rb"\x1b\[[0-9;]*[1-9][0-9;]*m", terminal.raw.replace(b"\x1b[0m", b"")), "no colours"
