"""What `attendant assist` says of judgements: on the screen and line by line alike, and only what is true."""

from __future__ import annotations

import json

import pytest
from assist_fakes import use_screen, verdicts
from chat_fakes import ANSWERS, PAST, FakeBook, FakePipeline, FullBook, make_console
from lamp_desk import lamp_desk

from bot.assist_plain import PlainAssist
from bot.customer import forget_customer, known_customer
from bot.feedback import FeedbackBook
from bot.following import FollowedLog
from bot.pipeline import Pipeline

ASKED = "When do I get my money back?"
FORGOTTEN = "Nothing was kept of this: the customer was forgotten."
NOT_KEPT = "This could not be kept: The store cannot be written. Make room."


@pytest.fixture
def desk(tmp_path):
    return lamp_desk(tmp_path)


@pytest.mark.parametrize("command", ["/good 1", "/bad 1", "/send 1", "/skip", "/handoff"])
def test_nothing_is_said_to_be_kept_of_a_customer_who_was_forgotten_meanwhile(desk, command):
    with Pipeline.open(desk) as pipeline:
        known = known_customer(pipeline.store, "c-7")
        helped = PlainAssist(pipeline, make_console(), FeedbackBook(pipeline, "assist"), known)
        helped.take(ASKED)
        forget_customer(desk, "c-7")
        helped.take(command)
        assert list(pipeline.store.feedback()) == []
    told = helped._console.file.getvalue()
    assert told.count(FORGOTTEN) == 1 and "Kept as" not in told


def test_on_the_screen_it_is_said_as_well_where_the_judgement_stands(desk):
    with Pipeline.open(desk) as pipeline:
        known = known_customer(pipeline.store, "c-7")

        async def play(keyboard):
            keyboard.screen.book = FeedbackBook(pipeline, "assist")
            await keyboard.type(f"{ASKED}\r")
            await keyboard.settles()
            await keyboard.type("/good 1\r")
            await keyboard.sees("Kept as a good answer")
            forget_customer(desk, "c-7")
            for number, command in enumerate(("/good 1", "/skip"), start=1):
                await keyboard.settles()
                await keyboard.type(f"{command}\r")
                await keyboard.until(lambda often=number: keyboard.text.count(FORGOTTEN) == often)
            assert keyboard.text.count("Kept as a good answer") == 1

        use_screen(play, pipeline, customer=known)
        assert list(pipeline.store.feedback()) == []


def test_on_the_screen_it_is_noted_in_the_dialogue_that_it_is_about():
    book = FullBook()

    async def play(keyboard):
        screen = keyboard.screen
        screen.book = book
        await keyboard.type("can I return it?\r")
        await keyboard.settles()
        before = screen.assist.dialogue
        screen.assist.judge(True, 1)
        screen.assist.begin()
        await keyboard.until(lambda: before.notes)
        assert [text for _, text in before.notes] == [NOT_KEPT] and screen.notes == ()

    use_screen(play)


@pytest.mark.parametrize("command", ["/bad 1", "/handoff"])
def test_what_is_judged_is_done_though_it_cannot_be_kept(command):
    helped = PlainAssist(FakePipeline(ANSWERS, PAST), make_console(), FullBook())
    helped.take("can I return it?")
    helped.take(command)
    told = helped._console.file.getvalue()
    assert told.count(NOT_KEPT) == 1 and "Kept as" not in told
    if command == "/handoff":
        assert "Hand-over of dialogue" in told and helped.assist.dialogue.handed_over
    else:
        assert [one.answer.text for one in helped.assist.best] == [one.text for one in ANSWERS[1:]]


def test_what_was_called_bad_for_a_customer_is_not_suggested_in_a_new_dialogue_either(desk):
    with Pipeline.open(desk) as pipeline:
        known = known_customer(pipeline.store, "c-7")
        helped = PlainAssist(pipeline, make_console(), FeedbackBook(pipeline, "assist"), known)
        helped.take(ASKED)
        bad = helped.assist.best[0].answer.text
        for line in ("/bad 1", "/new", ASKED):
            helped.take(line)
        assert bad not in [one.answer.text for one in helped.assist.best]
        assert helped.assist.dialogue.customer.earlier == known.earlier != ()


def test_on_the_screen_it_is_not_suggested_either(desk):
    with Pipeline.open(desk) as pipeline:
        known = known_customer(pipeline.store, "c-7")

        async def play(keyboard):
            keyboard.screen.book = FeedbackBook(pipeline, "assist")
            await keyboard.type(f"{ASKED}\r")
            await keyboard.settles()
            bad = keyboard.screen.assist.best[0].answer.text
            await keyboard.type("/bad 1\r")
            await keyboard.sees("Kept as a bad answer")
            await keyboard.type("/new\r")
            await keyboard.sees("A new dialogue begins.", known.summary)
            await keyboard.type(f"\t{ASKED}\r")
            await keyboard.settles()
            assert bad not in [one.answer.text for one in keyboard.screen.assist.best]

        use_screen(play, pipeline, customer=known)


def test_on_the_screen_the_suggestion_sent_last_is_judged_in_whichever_dialogue_that_was(tmp_path):
    log = tmp_path / "log"

    async def asks(keyboard, conversation, text):
        with log.open("a") as file:
            file.write(json.dumps({"conversation": conversation, "role": "customer", "text": text}) + "\n")
        await keyboard.sees(f"customer> {text}")
        await keyboard.settles()

    async def play(keyboard):
        assist, sent = keyboard.screen.assist, {}
        for conversation, text, key in (("b", "where is it?", "/send 2"), ("a", "can I return it?", "/send 1")):
            await asks(keyboard, conversation, text)
            await keyboard.type(f"{key}\r")
            await keyboard.until(lambda: not assist.dialogue.waiting())
            sent[conversation] = assist.dialogue
        await asks(keyboard, "b", "hello?")
        await keyboard.type("/bad\r")
        await keyboard.sees("Kept as a bad answer in conversation a:")
        assert [one.text for one in sent["a"].rejected] == [ANSWERS[0].text] and sent["b"].rejected == ()
        await keyboard.type("/new\r/good\r")
        await keyboard.sees("No suggestion was sent yet")

    screen = use_screen(play, log=FollowedLog(log))
    assert screen.book.kept[-1][1:] == ("can I return it?", 7, "bad")
    assert [verdict for _, verdict in verdicts(screen) if verdict in {"good", "bad"}] == ["bad"]


def test_a_hand_over_is_kept_once_for_a_question():
    helped = PlainAssist(FakePipeline(ANSWERS, PAST), make_console(), FakeBook())
    for line in ("can I return it?", "/handoff", "/handoff", "and the box?", "/handoff"):
        helped.take(line)
    kept = [(question, verdict) for _, question, _, verdict in helped.book.kept]
    assert kept == [("can I return it?", "handed over"), ("can I return it?\nand the box?", "handed over")]
    assert helped._console.file.getvalue().count("Hand-over of dialogue") == 3
