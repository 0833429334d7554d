"""What the chat keeps of what a person does in it, and what it says where nothing can be kept."""

from __future__ import annotations

import json

import pytest
from chat_fakes import ANSWERS, PAST, FakePipeline, FullBook, Listening, make_chat, make_console, shown
from lamp_desk import lamp_desk

from bot.chat import Chat
from bot.customer import forget_customer, known_customer
from bot.feedback import FeedbackBook
from bot.pipeline import Pipeline

NOT_KEPT = "This could not be kept: The store cannot be written. Make room."


@pytest.fixture
def full():
    """A chat in which nothing can be kept."""
    return Chat(Listening(ANSWERS, PAST), make_console(), FullBook())


def test_a_rejection_that_cannot_be_kept_is_one_all_the_same(full):
    for line in ("can I return it?", "/bad"):
        full.take(line)
    told = shown(full)
    assert told.index(NOT_KEPT) < told.index("The next best:") < told.index(ANSWERS[1].text)
    assert "Kept as a bad answer" not in told and "not offered again here" in told
    full.take("more")
    assert full.pipeline.calls[-1].rejected == (ANSWERS[0].text,)


@pytest.mark.parametrize("lines", [["just let me talk to a human"], ["where is it?", "/handoff"]])
def test_a_hand_over_that_cannot_be_kept_has_its_summary_first(full, lines):
    for line in lines:
        full.take(line)
    assert shown(full).index("Hand-over of dialogue") < shown(full).index(NOT_KEPT)
    assert full.dialogue.handed_over


def test_programs_get_the_summary_of_a_hand_over_that_cannot_be_kept(capsys):
    chat = Chat(FakePipeline(ANSWERS, PAST), make_console(), FullBook(), as_json=True)
    for line in ("where is it?", "/handoff"):
        chat.take(line)
    *_, last = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert "customer: where is it?" in last["summary"] and NOT_KEPT in shown(chat)


def test_a_pick_that_cannot_be_kept_is_given_and_a_good_word_is_not_thanked_for(full):
    for line in ("can I return it?", "/alt", "2"):
        full.take(line)
    assert full.dialogue.given == ANSWERS[2] and NOT_KEPT in shown(full)
    full.take("/good")
    assert "Thank you" not in shown(full) and shown(full).count(NOT_KEPT) == 2


def test_nothing_is_said_to_be_kept_of_a_customer_who_was_forgotten_meanwhile(tmp_path):
    desk = lamp_desk(tmp_path)
    with Pipeline.open(desk) as pipeline:
        known = known_customer(pipeline.store, "c-7")
        chat = Chat(pipeline, make_console(), FeedbackBook(pipeline, "chat", known.key), customer=known)
        chat.take("When do I get my money back?")
        chat.dialogue.pick(chat.dialogue.answer.candidates[0])
        forget_customer(desk, "c-7")
        chat.take("/good")
        assert list(pipeline.store.feedback()) == []
    assert "Thank you" not in shown(chat)
    assert "Nothing was kept of this: the customer was forgotten." in shown(chat)


def test_a_hand_over_is_kept_once_with_the_answers_of_its_summary(tmp_path):
    with Pipeline.open(lamp_desk(tmp_path)) as pipeline:
        chat = Chat(pipeline, make_console(), FeedbackBook(pipeline, "chat"))
        for line in ("my lamp is dark, let me talk to a human", "/handoff"):
            chat.take(line)
        (kept,) = pipeline.store.feedback()
        nearest = shown(chat).split("Nearest past answers:")[1]
        assert len(kept.shown) == 3 and all(one.text[:40] in nearest for one in pipeline.store.answers(kept.shown))
        chat.take("1")
        assert chat.dialogue.given is None, "a summary numbers nothing to pick"
        chat.take("/handoff")
        assert [one.verdict for one in pipeline.store.feedback()] == ["handed over"] * 2, "another question"


def test_a_hand_over_after_an_answer_is_kept_with_that_answer_too():
    chat = make_chat()
    for line in ("where is it?", "/handoff", "/handoff"):
        chat.take(line)
    assert [kept[2:] for kept in chat.book.kept] == [(None, "handed over")]
    assert chat.book.shown == [[7, 8, 9]]
    for line in ("/alt", "2", "/handoff"):
        chat.take(line)
    assert [kept[2:] for kept in chat.book.kept[1:]] == [(9, "picked"), (None, "handed over")]


def test_what_the_customer_called_bad_is_not_offered_in_a_new_dialogue_either(tmp_path):
    desk = lamp_desk(tmp_path)
    with Pipeline.open(desk) as pipeline:
        known = known_customer(pipeline.store, "c-7")
        chat = Chat(pipeline, make_console(), FeedbackBook(pipeline, "chat", known.key), customer=known)
        chat.take("When do I get my money back?")
        bad = chat.dialogue.answer.candidates[0]
        chat.dialogue.pick(bad)
        for line in ("/bad", "/new", "When do I get my money back?"):
            chat.take(line)
        assert bad.text not in [one.text for one in chat.dialogue.answer.candidates]
        assert chat.dialogue.customer.earlier == known.earlier != ()
        forget_customer(desk, "c-7")
        chat.take("/new")
        assert chat.dialogue.customer.earlier == chat.dialogue.customer.disliked == ()
