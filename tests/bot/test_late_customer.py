"""A customer whom the followed log names only after the agent judged and sent: forgetting them reaches that too."""

from __future__ import annotations

import json
import threading

import pytest
from assist_fakes import busy, use_screen
from chat_fakes import make_console
from lamp_desk import lamp_desk

from bot.assist_plain import PlainAssist
from bot.customer import forget_customer
from bot.feedback import FeedbackBook
from bot.following import FollowedLog
from bot.pipeline import Pipeline

ASKED = "My Flibbertigibbet lamp needs a quarzelbulb, when do I get my money back?"
THANKED = "Thanks, and can I return the quarzelbulb?"
F1 = "\x1bOP"


@pytest.fixture
def desk(tmp_path):
    return lamp_desk(tmp_path)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "late.jsonl"
    write(path, ASKED)
    return path


def write(log, text, **more):
    with log.open("a") as file:
        file.write(json.dumps({"conversation": "L-1", "role": "customer", "text": text, **more}) + "\n")


def follow(helped, path, *acts):
    """Follows a log, and does one thing after another, each when all before was looked at."""
    log, stop, left = FollowedLog(path), threading.Event(), iter(acts)
    poll = log.poll

    def polled():
        events = poll()
        if not events and not helped._pending:
            next(left, stop.set)()
        return events

    log.poll = polled
    helped.follow(log, stop)


def in_lines(pipeline, path, *acts):
    """Lines are the agent's; dicts are the rest of what the log says next."""
    helped = PlainAssist(pipeline, make_console(), FeedbackBook(pipeline, "assist"))

    def act(one):
        return lambda: helped.take(one) if isinstance(one, str) else write(path, THANKED, **one)

    follow(helped, path, *map(act, acts))
    return helped._console.file.getvalue()


def is_held(desk):
    """Whether any file of the desk holds a word of the dialogue."""
    return any(b"quarzel" in path.read_bytes() for path in desk.path.rglob("*") if path.is_file())


def test_forget_takes_what_was_judged_and_sent_before_and_after_the_customer_was_named(desk, log):
    with Pipeline.open(desk) as pipeline:
        acts = ("/good 1", "/send 1", {"customer": "late-9"}, "/bad", "/forget", "/forget")
        assert "3 feedback" in in_lines(pipeline, log, *acts)
        assert list(pipeline.store.feedback()) == []
    assert not is_held(desk)


def test_they_need_not_be_judged_again_to_be_found(desk, log):
    with Pipeline.open(desk) as pipeline:
        in_lines(pipeline, log, "/good 1", "/send 1", {"customer": "late-9"})
    assert is_held(desk)
    assert forget_customer(desk, "late-9")["feedback"] == 2
    assert not is_held(desk)


def test_nothing_stays_of_one_who_was_forgotten_before(desk, log):
    forget_customer(desk, "c-8")
    with Pipeline.open(desk) as pipeline:
        in_lines(pipeline, log, "/good 1", "/send 1", {"customer": "c-8"}, "/bad", "/good 1")
        assert list(pipeline.store.feedback()) == []


def test_on_the_screen_it_is_the_same(desk, log):
    with Pipeline.open(desk) as pipeline:

        async def play(keyboard):
            screen = keyboard.screen
            screen.book = FeedbackBook(pipeline, "assist")
            await keyboard.settles()
            await keyboard.type("/good 1\r" + F1)
            await keyboard.sees("Kept as a good answer")
            write(log, THANKED, customer="late-9")
            await keyboard.sees("Customer late-9: nothing is known from before.")
            await keyboard.type("/forget\r/forget\r")
            await keyboard.until(lambda: not screen.application.is_running)

        assert "2 feedback" in use_screen(play, pipeline, log=FollowedLog(log)).last_words
        assert list(pipeline.store.feedback()) == []
    assert not is_held(desk)


def test_what_is_judged_while_the_customer_is_looked_up_is_theirs_too(desk, log):
    with Pipeline.open(desk) as pipeline:

        async def play(keyboard):
            screen = keyboard.screen
            screen.book = FeedbackBook(pipeline, "assist")
            await keyboard.settles()
            with busy(screen):
                write(log, THANKED, customer="late-9")
                await keyboard.until(lambda: screen.assist.dialogue.met)
                screen.assist.judge(True, 1)
            await keyboard.until(lambda: not screen.jobs.waiting)
            assert screen.assist.dialogue.customer

        use_screen(play, pipeline, log=FollowedLog(log))
        assert [one.customer is not None for one in pipeline.store.feedback()] == [True]


def test_a_judgement_of_what_was_sent_to_another_customer_is_that_customers(desk, log):
    with Pipeline.open(desk) as pipeline:
        other = {"conversation": "L-2", "customer": "ann-2"}
        in_lines(pipeline, log, "/send 1", {"customer": "late-9"}, other, "/bad")
        assert {one.verdict for one in pipeline.store.feedback()} == {"sent", "bad"}
    assert forget_customer(desk, "late-9")["feedback"] == 2


def test_on_the_screen_it_is_not_kept_as_the_present_customers(desk, log):
    with Pipeline.open(desk) as pipeline:

        async def play(keyboard):
            screen = keyboard.screen
            screen.book = FeedbackBook(pipeline, "assist")
            await keyboard.settles()
            await keyboard.type(F1)
            write(log, THANKED, customer="late-9")
            await keyboard.sees("Customer late-9: nothing is known from before.")
            write(log, "Is my order here?", conversation="L-2", customer="ann-2")
            await keyboard.sees("Customer ann-2: nothing is known from before.")
            await keyboard.type("/bad\r")
            await keyboard.sees("Kept as a bad answer in conversation L-1")

        use_screen(play, pipeline, log=FollowedLog(log))
        kept = list(pipeline.store.feedback())
        assert "bad" in {one.verdict for one in kept} and len({one.customer for one in kept}) == 1
