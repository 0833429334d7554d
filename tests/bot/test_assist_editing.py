"""Editing a suggestion on the screen of `attendant assist`: what stood in the line before is not lost by it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from assist_fakes import use_screen, verdicts
from chat_fakes import ANSWERS, PAST, FakePipeline

BEST = ANSWERS[0].text
F5, F6, CTRL_C, CTRL_U, UP = "\x1b[15~", "\x1b[17~", "\x03", "\x15", "\x1b[A"


def test_a_key_opens_a_suggestion_for_editing_before_it_is_sent():
    async def play(keyboard):
        await keyboard.type("can I return it?\r")
        await keyboard.settles()
        await keyboard.type(F6)
        await keyboard.sees("you, edited> You can return it within 30 days.")
        await keyboard.type(" Of course.\r")
        await keyboard.sees("you> You can return it within 30 days. Of course.")

    assert verdicts(use_screen(play)) == [(8, "edited")]


def test_an_edit_can_be_dropped_and_an_unchanged_one_counts_as_sent():
    async def play(keyboard):
        await keyboard.type("can I return it?\r")
        await keyboard.settles()
        await keyboard.type(F5)
        await keyboard.sees("you, edited>")
        await keyboard.type("\x03")
        await keyboard.until(lambda: keyboard.screen.line.editing is None and not keyboard.screen.line.buffer.text)
        await keyboard.type(F5)
        await keyboard.sees("you, edited>")
        await keyboard.type("\r")
        await keyboard.sees(f"you> {BEST}")

    assert verdicts(use_screen(play)) == [(7, "sent")]


async def ask(keyboard, typed=""):
    """The customer asks, the agent has begun to write, and opens the best suggestion."""
    await keyboard.type("can I return it?\r")
    await keyboard.settles()
    await keyboard.type(f"{typed}{F5}")
    await keyboard.sees("you, edited>")


def agent_said(screen):
    return [turn.text for turn in screen.assist.dialogue.turns if turn.role == "agent"]


@pytest.mark.parametrize("keys", [f"{CTRL_U}/handoff\r", f"{CTRL_U}\r/handoff\r"])
def test_a_command_in_the_place_of_an_edit_is_obeyed_and_not_sent(keys):
    async def play(keyboard):
        await ask(keyboard)
        await keyboard.type(keys)
        await keyboard.sees("Hand-over of dialogue")
        assert keyboard.screen.line.editing is None

    screen = use_screen(play)
    assert agent_said(screen) == [] and verdicts(screen) == [(None, "handed over")]


def test_a_command_from_before_in_the_place_of_an_edit_is_obeyed():
    async def play(keyboard):
        await keyboard.type("/handoff\r")
        await keyboard.sees("Nothing was asked yet")
        await ask(keyboard)
        await keyboard.type(f"{UP}{UP}")
        await keyboard.sees("edited> /handoff")
        await keyboard.type("\r")
        await keyboard.sees("Hand-over of dialogue")

    assert agent_said(use_screen(play)) == []


def test_a_suggestion_that_reads_as_a_command_is_sent_when_it_was_edited():
    async def play(keyboard):
        await ask(keyboard)
        await keyboard.type(" please\r")
        await keyboard.sees("you> /help shows all commands of our bot. please")

    desk = FakePipeline([replace(ANSWERS[0], text="/help shows all commands of our bot.")], PAST)
    assert verdicts(use_screen(play, desk)) == [(7, "edited")]


@pytest.mark.parametrize(
    "keys",
    [CTRL_C, f"{CTRL_U}{CTRL_C}", f"{CTRL_U}\r", f"{F6}{CTRL_C}", f"{CTRL_U}Certainly!{CTRL_C}", f"{CTRL_U}/help\r"],
)
def test_a_half_written_reply_comes_back_after_an_edit(keys):
    async def play(keyboard):
        await ask(keyboard, "half a reply")
        await keyboard.type(keys)
        await keyboard.sees("you> half a reply")

    assert agent_said(use_screen(play)) == []


def test_a_half_written_reply_waits_for_the_agent_when_the_edited_one_was_sent():
    async def play(keyboard):
        await ask(keyboard, "half a reply")
        await keyboard.type("\r")
        await keyboard.sees(f"you> {BEST}", "customer>")
        await keyboard.type("\t")
        await keyboard.sees("you> half a reply")

    assert agent_said(use_screen(play)) == [BEST]
