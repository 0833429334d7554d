"""What is being written in `attendant assist` when another dialogue begins: it is not sent to the next customer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from assist_fakes import use_screen, verdicts
from chat_fakes import ANSWERS, PAST, FakeBook, FakePipeline, make_console
from terminal import Terminal

from bot.assist_commands import PUT_ASIDE
from bot.assist_plain import PlainAssist
from bot.following import FollowedLog
from conversations.desk import Desk

BEST, SECOND = ANSWERS[0].text, ANSWERS[1].text
F5, CTRL_U, UP = "\x1b[15~", "\x15", "\x1b[A"
BOB = "Dear Bob, your code is 4711."
SCRIPT = str(Path(__file__).with_name("chat_in_terminal.py"))


def grow(log, text, **row):
    with log.open("a") as file:
        file.write(json.dumps({"role": "customer", "text": text, **row}) + "\n")


def agent_said(screen):
    return [turn.text for turn in screen.assist.dialogue.turns if turn.role == "agent"]


async def write_to_bob(keyboard, log, keys, **row):
    """Bob asks, and something is typed when the log goes on with another conversation."""
    await keyboard.sees("does not exist yet")
    grow(log, "do you ship to ireland?", conversation="k2", **row)
    await keyboard.settles()
    await keyboard.type(keys)
    await keyboard.until(lambda: keyboard.screen.line.buffer.text.endswith(BOB))
    grow(log, "my sofa has a scratch", conversation="k3")
    await keyboard.sees("customer> my sofa has a scratch", PUT_ASIDE)


@pytest.mark.parametrize("keys", [f"{F5} {BOB}", BOB, f"half a reply{F5}{BOB}", f"/say {BOB}", f"\t{BOB}"])
@pytest.mark.parametrize("is_typing", [False, True])
def test_what_is_written_for_one_customer_is_not_sent_to_the_next(tmp_path, keys, is_typing):
    log = tmp_path / "log"

    async def play(keyboard):
        await write_to_bob(keyboard, log, keys, typing=is_typing)
        line = keyboard.screen.line
        assert (line.buffer.text, line.editing, line.of_customer) == ("", None, "")
        await keyboard.settles()
        await keyboard.type("\r/help\r")
        await keyboard.sees("Keys")
        assert [turn.text for turn in keyboard.screen.assist.dialogue.turns] == ["my sofa has a scratch"]
        await keyboard.type(f"\r{UP}{UP}")
        await keyboard.until(lambda: line.buffer.text.endswith(BOB))
        assert line.editing is None, "it began as nothing that is suggested now"

    assert verdicts(use_screen(play, log=FollowedLog(log))) == []


def test_the_rest_of_what_was_cut_off_is_sent_only_when_enter_is_pressed_again(tmp_path):
    log = tmp_path / "log"

    async def play(keyboard):
        await write_to_bob(keyboard, log, BOB)
        await keyboard.type(" See you.\r")
        await keyboard.sees("Another dialogue began: Enter again sends this in it.", "you> See you.")
        assert agent_said(keyboard.screen) == []
        await keyboard.type("\r")
        await keyboard.until(lambda: agent_said(keyboard.screen) == ["See you."])
        await keyboard.type("Bye.\r")
        await keyboard.until(lambda: agent_said(keyboard.screen) == ["See you.", "Bye."])

    use_screen(play, log=FollowedLog(log))


def test_the_rest_of_what_was_cut_off_is_held_back_in_a_third_dialogue_as_well(tmp_path):
    log = tmp_path / "log"

    async def play(keyboard):
        await write_to_bob(keyboard, log, BOB)
        grow(log, "where is my lamp?", conversation="k4")
        await keyboard.sees("customer> where is my lamp?")
        await keyboard.type(" See you.\r")
        await keyboard.sees("Another dialogue began: Enter again sends this in it.", "you> See you.")
        assert agent_said(keyboard.screen) == []

    use_screen(play, log=FollowedLog(log))


def test_a_reply_begun_before_anybody_said_anything_stays(tmp_path):
    log = tmp_path / "log"

    async def play(keyboard):
        await keyboard.sees("does not exist yet")
        await keyboard.type("Hello!")
        await keyboard.sees("you> Hello!")
        grow(log, "my sofa has a scratch", conversation="k3", customer="c-7")
        await keyboard.sees("customer> my sofa", "you> Hello!")
        await keyboard.type("\r")
        await keyboard.until(lambda: agent_said(keyboard.screen) == ["Hello!"])

    desk = FakePipeline(ANSWERS, PAST)
    desk.store = Desk.create(tmp_path, "acme").store()
    with desk.store:
        use_screen(play, desk, log=FollowedLog(log))


def test_new_puts_aside_what_both_had_begun():
    async def play(keyboard):
        await keyboard.type("can I return it?\rhalf a reply\tand ho\t")
        await keyboard.sees("you> half a reply")
        await keyboard.settles()
        await keyboard.type(f"{F5}{CTRL_U}/new\r")
        await keyboard.sees("A new dialogue begins.", PUT_ASIDE)
        line = keyboard.screen.line
        assert (line.buffer.text, line.of_customer) == ("", "")
        await keyboard.type(UP)
        await keyboard.sees("you> half a reply")
        await keyboard.type(UP)
        await keyboard.sees("you> and ho")

    use_screen(play)


def test_a_dialogue_that_begins_behind_a_page_is_told_below_it(tmp_path):
    log = tmp_path / "log"

    async def play(keyboard):
        await keyboard.sees("does not exist yet")
        for text in ("do you ship to ireland?", "and when?"):
            grow(log, text, conversation="k2")
        await keyboard.sees("customer> and when?")
        await keyboard.type("/help\r")
        await keyboard.sees("Keys")
        grow(log, "my sofa has a scratch", conversation="k3")
        await keyboard.sees("Keys", "- A new dialogue begins. customer> my sofa has a scratch")

    use_screen(play, log=FollowedLog(log))


def test_a_suggestion_of_the_dialogue_before_is_not_judged_in_the_next():
    desk = FakePipeline(ANSWERS[:1], PAST)
    book = FakeBook()
    helped = PlainAssist(desk, make_console(), book)
    helped.take("do you ship to ireland?")
    chosen = helped.meant(1)
    helped.take("/new")
    desk.candidates = ANSWERS[1:2]
    helped.take("my sofa has a scratch")
    helped.say(f"{BEST} Really.", chosen)
    assert [kept[1:] for kept in book.kept] == [("my sofa has a scratch", ANSWERS[1].answer_id, "skipped")]
    assert helped.assist.dialogue.sent is None
    helped.take("and now?")
    helped.say(f"{SECOND} Really.", helped.meant(1))
    assert book.kept[-1][1:] == ("and now?", ANSWERS[1].answer_id, "edited")


def test_a_line_for_one_customer_is_put_aside_line_by_line_as_well(tmp_path):
    Desk.create(tmp_path, "acme").store().close()
    log = tmp_path / "log"
    arguments = ("plain", "assist", "--desk", "acme", "--home", str(tmp_path), "--plain", "--follow", str(log))
    with Terminal(SCRIPT, *arguments) as terminal:
        seen = terminal.wait_for("does not exist yet")
        grow(log, "do you ship to ireland?", conversation="k2")
        seen = terminal.wait_for("3. Please send us a photo.", seen)
        terminal.wait_until_it_waits()
        terminal.type(f"/say {BOB}")
        seen = terminal.wait_for(BOB, seen)
        grow(log, "my sofa has a scratch", conversation="k3")
        for text in ("A new dialogue begins.", "customer: my sofa has a scratch", PUT_ASIDE):
            terminal.wait_for(text, seen)
        seen = terminal.wait_for("6. Please send us a photo.", seen)
        terminal.type("\r/say Certainly!\r")
        terminal.wait_for("sent: Certainly!", seen)
        assert f"sent: {BOB}" not in terminal.text
        terminal.wait_until_it_waits()
        seen = len(terminal.text)
        terminal.type(f"{UP}{UP}")
        terminal.wait_for(BOB, seen)
        terminal.type(f"{CTRL_U}\x04")
        assert terminal.exit_status() == 0
