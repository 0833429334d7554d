"""What happens behind an open page of `attendant assist`: it is told there, and no key acts on what nobody sees."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import pytest
from assist_fakes import busy, use_screen, verdicts
from chat_fakes import ANSWERS, PAST, Listening

from bot.following import FollowedLog
from conversations.desk import Desk

F1, F2, F4, F5, CTRL_C = "\x1bOP", "\x1bOQ", "\x1bOS", "\x1b[15~", "\x03"
ANGRY = "I WILL SUE YOU, AND LET ME SPEAK TO A MANAGER"


def grow(log, text, **row):
    with log.open("a") as file:
        file.write(json.dumps({"role": "customer", "text": text, "conversation": "k1", **row}) + "\n")


async def read_help(keyboard):
    """A question is suggested for, and /help is opened over it."""
    await keyboard.sees("F1")
    await keyboard.settles()
    await keyboard.type("/help\r")
    await keyboard.sees("Keys", "PgUp and PgDn scroll")


@pytest.fixture
def log(tmp_path):
    grow(tmp_path / "log.jsonl", "how long does delivery take?")
    return tmp_path / "log.jsonl"


def use(play, log, **options):
    return use_screen(play, Listening(ANSWERS, PAST), log=FollowedLog(log), **options)


@pytest.mark.parametrize("keys", [F1, "\x1b3", F4, F5, "/send 1\r", "/skip\r", "/bad 1\r", "/edit 1\r"])
def test_what_a_page_hides_is_neither_sent_nor_skipped_nor_edited_nor_judged(log, keys):
    async def play(keyboard):
        await read_help(keyboard)
        await keyboard.type(keys)
        await keyboard.sees("how long does delivery take?", "The page hid what is suggested: look again.", "F1")
        assert keyboard.screen.page is None and keyboard.screen.line.buffer.text == ""
        assert len(keyboard.screen.assist.best) == 3 and len(keyboard.screen.assist.dialogue.turns) == 1

    assert verdicts(use(play, log)) == []


@pytest.mark.parametrize("closes", ["\r", CTRL_C, F1])
def test_suggestions_have_to_stand_for_a_while_once_a_page_is_closed(log, closes):
    async def play(keyboard):
        await read_help(keyboard)
        await keyboard.type(f"{closes}{F2}")
        await keyboard.sees("Suggestion 2 has just changed: look again.")
        await keyboard.settles()
        await keyboard.type(F2)
        await keyboard.sees(f"you> {ANSWERS[1].text}")

    assert verdicts(use(play, log)) == [(8, "sent")]


@pytest.mark.parametrize(("columns", "rows"), [(120, 30), (60, 12)])
def test_what_is_said_and_warned_of_meanwhile_stands_below_the_page(log, columns, rows):
    async def play(keyboard):
        await read_help(keyboard)
        assert "how long does delivery" not in keyboard.text
        grow(log, f"{ANGRY} {'and so on ' * 200}")
        for _ in range(3):
            grow(log, "hello?")
        await keyboard.sees("Keys", "PgUp and PgDn scroll", f"customer> {ANGRY[:30]}", "Warning: The customer asks")
        await keyboard.sees("customer> hello?")
        await keyboard.type("/nonsense\r")
        await keyboard.sees("no command /nonsense", "Keys")
        await keyboard.type("I am sorry.\r")
        await keyboard.sees("you> I am sorry.", "Keys")

    use(play, log, columns=columns, rows=rows)


def test_a_page_in_the_place_of_another_still_tells_what_came_since_the_first(log):
    async def play(keyboard):
        await read_help(keyboard)
        grow(log, ANGRY)
        await keyboard.sees("Warning: The customer")
        await keyboard.settles()
        await keyboard.type("/why\r")
        await keyboard.sees("Confidence: fairly sure", "Warning: The customer", f"customer> {ANGRY}")
        await keyboard.type("\r/help\r")
        await keyboard.sees("Keys")
        assert "Warning" not in keyboard.text

    use(play, log, rows=50)


def test_what_came_behind_a_page_was_passed_over_by_nobody(log):
    async def play(keyboard):
        await read_help(keyboard)
        keyboard.screen.desk.candidates = ANSWERS[1:]
        grow(log, "and what does it cost?")
        await keyboard.until(lambda: len(keyboard.screen.assist.best) == 2)
        await keyboard.type("My own words.\r")
        await keyboard.sees("you> My own words.")
        grow(log, "thanks")
        await keyboard.until(lambda: len(keyboard.screen.assist.best) == 2)
        await keyboard.type("\rMy own words again.\r")
        await keyboard.sees("you> My own words again.")

    assert verdicts(use(play, log)) == [(8, "skipped"), (9, "skipped")]


@asynccontextmanager
async def why_is_asked(keyboard):
    """Its page is ready only behind this."""
    await keyboard.settles()
    with busy(keyboard.screen):
        await keyboard.type("/why\r")
        await keyboard.until(lambda: len(keyboard.screen.jobs.waiting) == 2)
        yield


def test_a_page_that_is_ready_late_tells_what_came_since_it_was_asked_for(log):
    async def play(keyboard):
        async with why_is_asked(keyboard):
            grow(log, ANGRY)
            await keyboard.sees(f"customer> {ANGRY}", "Warning: The customer asks for a person")
        await keyboard.sees(
            "Confidence: fairly sure", f"customer> {ANGRY}", "Warning: The customer asks for a person"
        )
        assert "how long does delivery take? customer>" not in keyboard.text

    use(play, log, rows=50)


def test_a_page_that_is_ready_when_the_log_turned_to_another_dialogue_is_not_opened_over_that(log):
    async def play(keyboard):
        async with why_is_asked(keyboard):
            grow(log, "my sofa has a scratch", conversation="k2")
            await keyboard.sees("customer> my sofa")
        await keyboard.sees("The dialogue changed meanwhile: what explains conversation k1 is not shown.", "F1")
        assert keyboard.screen.page is None
        grow(log, "well?")
        await keyboard.sees("Conversation k1 goes on.")
        await keyboard.type("/why\r")
        await keyboard.sees("Confidence: fairly sure")

    # Narrow, so that nothing stands beside the dialogue.
    use(play, log, columns=80)


def test_behind_a_page_that_was_opened_before_anything_was_said_all_is_news(tmp_path):
    log = tmp_path / "later.jsonl"

    async def play(keyboard):
        await keyboard.sees("does not exist yet")
        await keyboard.type("/help\r")
        await keyboard.sees("Keys")
        grow(log, "hello", customer="c-7")
        await keyboard.sees("Keys", "customer> hello", "- Customer c-7: nothing is known from before.")

    desk = Listening(ANSWERS, PAST)
    desk.store = Desk.create(tmp_path, "acme").store()
    with desk.store:
        use_screen(play, desk, log=FollowedLog(log))
