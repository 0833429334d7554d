"""Warnings in the chat, and what the agent who takes over reads of them."""

from __future__ import annotations

import io
import json

import pytest
from chat_fakes import ANSWERS, HOSTILE, PAST, FakePipeline, Listening, assert_harmless, make_chat, shown

from bot.chat import Chat
from bot.chat_input import read_piped
from bot.early_warning import WISH_GRANTED


@pytest.fixture
def chat():
    return make_chat(Listening(ANSWERS, PAST))


def test_who_asks_for_a_person_is_handed_over_at_once_with_the_summary(chat):
    chat.take("where is my sofa?")
    chat.take("just let me talk to a human")
    text = shown(chat)
    assert text.split("You asked for a person")[0].count(ANSWERS[0].text) == 1, "the second question is not answered"
    assert "one takes over from here" in text and WISH_GRANTED in text
    assert "Hand-over of dialogue" in text
    assert chat.dialogue.answer.decision == "handoff"
    assert chat.book.kept[-1][1:] == ("just let me talk to a human", None, "handed over")
    chat.take("I do not want to talk to a person any more, where is it?")
    assert chat.dialogue.answer.decision == "answer"


def test_a_falling_mood_is_told_once_and_hand_over_proposed(chat):
    for line in ("where is it?", "WHERE IS IT", "I SAID WHERE IS IT"):
        chat.take(line)
    text = shown(chat)
    assert "! The mood fell to" in text
    assert "/handoff shows a summary" in text
    chat.take("STILL NOTHING")
    assert shown(chat).count("The mood fell") == 1
    assert "3 of the last 4 messages sound negative" in shown(chat)


def test_lines_tell_the_mood_where_it_changes_or_is_bad(chat):
    for line, told in {
        "where is it?": 0,
        "WHERE IS IT": 1,
        "/bad": 1,
        "NOBODY ANSWERS": 2,
        "STILL NOTHING": 3,
        "ah, found": 4,
        "and thanks": 5,
        "bye": 5,
    }.items():
        chat.take(line)
        assert shown(chat).count("- Mood: ") == told, line
    assert "- Mood: bad (-0.46), falling." in shown(chat) and "(-0.40), rising." in shown(chat)


def test_each_turn_has_its_own_mood_where_the_customer_says_several_in_a_row(capsys):
    chat = make_chat(Listening(ANSWERS, PAST, confidence=0.3))
    lines = ("THIS IS USELESS", "12345", "67890")
    for line in lines:
        chat.take(line)
    assert len(chat.pipeline.calls[-1].turns) == 1, "they are one question"
    assert [round(score, 2) for score in chat.dialogue.mood.scores] == [-0.94, 0.03, 0.03]
    assert chat.dialogue.warnings == ()
    piped = Chat(chat.pipeline, chat.console, chat.book, as_json=True)
    read_piped(piped, io.StringIO("\n".join(lines[:2])))
    assert [json.loads(line)["mood"]["score"] for line in capsys.readouterr().out.splitlines()] == [-0.94, 0.03]


def test_another_answer_to_the_same_question_is_not_another_turn(chat):
    chat.take("YOU WILL HEAR FROM MY LAWYER")
    before = chat.dialogue.mood
    chat.take("/bad")
    assert chat.dialogue.mood == before
    assert shown(chat).count("! The customer speaks of law") == 1


def test_the_summary_tells_mood_warnings_and_what_was_tried(chat):
    for line in ("where is my sofa?", "/bad", "I WILL SUE YOU", "/handoff"):
        chat.take(line)
    summary = shown(chat).split("Hand-over of dialogue")[1]
    assert f"turned down: {ANSWERS[0].text}" in summary
    assert f"shown: {ANSWERS[1].text}" in summary
    assert "Mood: bad (-0.46), falling; whole dialogue -0.4" in summary
    assert "per message: +0.0 -0.9" in summary
    assert 'message 2: The customer speaks of law: "I WILL SUE"' in summary
    assert ANSWERS[2].text in summary
    chat.take("/new")
    chat.take("hello")
    assert chat.dialogue.warnings == ()
    assert len(chat.dialogue.mood.scores) == 1


def test_a_desk_without_a_mood_head_still_heeds_words():
    chat = make_chat(FakePipeline(ANSWERS, PAST))
    chat.take("real person please")
    text = shown(chat)
    assert WISH_GRANTED in text
    assert "Mood:" not in text


def test_what_is_quoted_in_a_warning_is_harmless(chat):
    chat.take(f"let me talk to a human {HOSTILE}")
    chat.take(f"{HOSTILE} I WILL SUE")
    assert_harmless(shown(chat))


def test_json_carries_mood_and_warnings(chat, capsys):
    piped = Chat(chat.pipeline, chat.console, chat.book, as_json=True)
    read_piped(piped, io.StringIO("where is it?\nI WANT TO SPEAK TO YOUR MANAGER\n"))
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert "summary" not in first and "customer: I WANT TO SPEAK" in second["summary"]
    assert [verdict for *_, verdict in chat.book.kept] == ["handed over"]
    assert first["mood"] == {"negative": 0.02, "neutral": 0.93, "positive": 0.05, "score": 0.03}
    assert first["warnings"] == []
    assert (second["decision"], second["answer"]) == ("handoff", None)
    assert [(one["kind"], one["turn"]) for one in second["warnings"]] == [("person", 2)]
