"""Keys pressed in `attendant assist` before what an earlier one does is done: each acts on what comes of that."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from assist_fakes import busy, use_screen, verdicts
from chat_fakes import ANSWERS, FakePipeline, timeless

from bot.assist_commands import PUT_ASIDE
from bot.following import FollowedLog
from conversations.errors import DeskError
from conversations.model import Turn

BEST, SECOND = ANSWERS[0].text, ANSWERS[1].text
F1, F4, F5, CTRL_D, TAB, UP, ALT_2 = "\x1bOP", "\x1bOS", "\x1b[15~", "\x04", "\t", "\x1b[A", "\x1b2"
DELIVERY = "how long does delivery take?"
WITHDRAWN = "This answer was withdrawn meanwhile."


def write(log, conversation, text, role="customer"):
    with log.open("a") as file:
        file.write(json.dumps({"conversation": conversation, "role": role, "text": text}) + "\n")


def said(keyboard):
    return [(turn.role, turn.text) for turn in keyboard.screen.assist.dialogue.turns]


@pytest.mark.parametrize("keys", [F1, f"{TAB}/send 1\r", f"{TAB}/edit 1 {BEST}\r"])
def test_what_is_typed_behind_a_sending_is_not_in_the_question_that_was_answered(keys):
    async def play(keyboard):
        await keyboard.type("can I return it?")
        await keyboard.settles()
        await keyboard.type(f"{keys}thank you")
        await keyboard.sees(f"you> {BEST}", "customer> thank you")
        assert timeless(keyboard.screen.assist.dialogue.turns) == (
            Turn("customer", "can I return it?"),
            Turn("agent", BEST),
        )

    assert verdicts(use_screen(play)) == [(7, "sent")]


@pytest.mark.parametrize(
    ("keys", "more"),
    [
        ("Bye.\r", [("agent", "Bye.")]),
        ("\x1b[200~Bye.\r\nBen\x1b[201~\r", [("agent", "Bye.\nBen")]),
        (F4, []),
        (ALT_2, []),
        (CTRL_D, []),
    ],
)
def test_what_is_pressed_behind_a_sending_comes_after_it(path, keys, more):
    write(path, "a", DELIVERY)

    async def play(keyboard):
        await keyboard.settles()
        with busy(keyboard.screen):
            await keyboard.type(f"{F1}{keys}")
        expected = [("customer", DELIVERY), ("agent", BEST), *more]
        await keyboard.until(lambda: said(keyboard) == expected and not keyboard.screen.jobs.waiting)

    assert verdicts(use_screen(play, log=FollowedLog(path))) == [(7, "sent")]


def gone(ids):
    raise DeskError("The store is gone.", "Put it back.")


@pytest.mark.parametrize("key", [F1, F5])
@pytest.mark.parametrize("trouble", [WITHDRAWN, "The store is gone."])
def test_where_it_was_not_done_words_typed_behind_it_stay_in_the_line_and_no_key_is_obeyed(path, key, trouble):
    write(path, "a", DELIVERY)

    async def play(keyboard):
        screen = keyboard.screen
        await keyboard.settles()
        if trouble == WITHDRAWN:
            screen.desk.withdrawn = {7}
        else:
            screen.desk.store = SimpleNamespace(service=SimpleNamespace(withdrawn_among=gone))
        await keyboard.type(f"{key}Of course.\r{CTRL_D}")
        await keyboard.sees(trouble)
        was_left = key == F5 and trouble != WITHDRAWN
        await keyboard.until(lambda: screen.line.buffer.text == (BEST if was_left else "") + "Of course.")
        screen.desk.store = None
        await keyboard.type(" Yes")
        await keyboard.sees("Of course. Yes")
        assert said(keyboard) == [("customer", DELIVERY)]

    assert verdicts(use_screen(play, log=FollowedLog(path))) == []


def test_what_was_typed_behind_it_is_put_aside_where_the_log_turns_to_another_dialogue(path):
    write(path, "a", DELIVERY)

    async def play(keyboard):
        await keyboard.settles()
        with busy(keyboard.screen):
            await keyboard.type(f"{F1}Dear Bob\r")
            write(path, "b", "where is it?")
            await keyboard.sees("customer> where is it?", PUT_ASIDE)
        await keyboard.sees("Something was said meanwhile: look again.")
        assert said(keyboard) == [("customer", "where is it?")] and keyboard.screen.line.buffer.text == ""
        await keyboard.type(UP)
        await keyboard.sees("you> Dear Bob")

    assert verdicts(use_screen(play, log=FollowedLog(path))) == []


def test_a_withdrawn_answer_that_was_opened_and_entered_in_one_go_is_not_sent():
    async def play(keyboard):
        await keyboard.type("can I return it?\r")
        await keyboard.settles()
        keyboard.screen.desk.withdrawn = {7}
        await keyboard.type(f"{F5}\r")
        await keyboard.sees(WITHDRAWN, SECOND)
        assert said(keyboard) == [("customer", "can I return it?")]

    assert verdicts(use_screen(play, FakePipeline(ANSWERS))) == []
