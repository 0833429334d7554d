"""`attendant chat --json`: what a person does is told to programs as what the desk does is."""

from __future__ import annotations

import json

import pytest
from chat_fakes import ANSWERS, PAST, FakeBook, FakePipeline, Unsure, make_console

from bot.chat import Chat

BEST, SECOND, THIRD = (one.text for one in ANSWERS)


@pytest.fixture
def said(capsys):
    """What a chat prints for lines, and the chat."""

    def say(*lines, desk=None):
        chat = Chat(desk or FakePipeline(ANSWERS, PAST), make_console(), FakeBook(), as_json=True)
        for line in lines:
            chat.take(line)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()], chat

    return say


def test_a_hand_over_that_is_asked_for_has_the_fields_of_one_that_is_not(said):
    (answered, asked_for), chat = said("where is my sofa?", "/handoff")
    (automatic,), _ = said("where is my sofa?", desk=FakePipeline(ANSWERS, PAST, confidence=0.3))
    assert answered["decision"] == "answer" and asked_for.keys() == automatic.keys()
    assert (asked_for["decision"], asked_for["answer"]) == ("handoff", None)
    assert asked_for["reason"] == "A hand-over was asked for."
    assert "customer: where is my sofa?" in asked_for["summary"] and chat.dialogue.handed_over


def test_where_nothing_was_asked_nothing_is_handed_over(said):
    lines, chat = said("/handoff", "/why", "/alt")
    assert lines == [] and chat.console.file.getvalue().count("Nothing was asked yet.") == 3


def test_alternatives_have_numbers_and_one_that_is_picked_is_the_answer(said):
    (_, listed, picked), chat = said("can I return it?", "/alt", "2")
    assert [(one["number"], one["text"]) for one in listed["alternatives"]] == [(1, SECOND), (2, THIRD)]
    assert (picked["picked"], picked["decision"], picked["answer"], picked["answer_id"]) == (2, "answer", THIRD, 9)
    assert picked["evidence"] == [{"conversation": "lw-2001", "turn": 1}] and chat.dialogue.given.text == THIRD


def test_where_two_are_close_a_number_picks_one(said):
    (asked, picked), chat = said("can I return it?", "2", desk=Unsure(ANSWERS, PAST))
    assert asked["decision"] == "ask" and picked["answer"] == SECOND and chat.dialogue.given.text == SECOND


def test_an_explanation_has_its_words_turns_and_signals(said):
    (_, _, line), _ = said("parcel lost", "still lost", "/why")
    why = line["why"]
    assert why["about"]["text"] == BEST and why["confidence"] == 0.72
    assert [turn["text"] for turn in why["turns"]] == ["parcel lost", BEST, "still lost"]
    assert why["words"] == [{"word": "still", "share": 0.5, "turn": 2}, {"word": "lost", "share": 0.25, "turn": 2}]
    assert why["without_turn"] == [{"turn": 0, "confidence": 0.4}, {"turn": 1, "confidence": 0.4}]
    assert why["signals"]["answer"] == 0.61 and why["runner_up"]["answer"] == 0.5 and line["left_out"] == 0
