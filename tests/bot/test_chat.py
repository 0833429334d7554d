from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import pytest
from chat_fakes import (
    ANSWERS,
    HOSTILE,
    PAST,
    FakePipeline,
    Unsure,
    assert_harmless,
    hostile_pipeline,
    make_chat,
    shown,
    timeless,
)

from bot.chat_input import read_piped
from bot.dialogue import LONGEST_MESSAGE, Request
from conversations.errors import DeskError
from conversations.model import Turn


@pytest.fixture
def chat():
    return make_chat()


def test_answer_is_shown_with_confidence_source_and_time(chat):
    assert chat.take("can I still return it?")
    text = shown(chat)
    assert "An opened box is no problem." in text
    assert "fairly sure, 72 %" in text
    assert "from conversation lw-2001, turn 2, 2025-02-18, said by Maren" in text
    assert "20 ms" in text


def test_dialogue_so_far_is_the_context_of_the_next_answer(chat):
    chat.take("can I return it?")
    chat.take("and if it is open?")
    assert timeless(chat.pipeline.calls[-1].turns) == (
        Turn("customer", "can I return it?"),
        Turn("agent", ANSWERS[0].text),
        Turn("customer", "and if it is open?"),
    )


def test_hand_over_hides_the_answer_and_keeps_the_question():
    chat = make_chat(FakePipeline(ANSWERS, PAST, confidence=0.3))
    chat.take("something else")
    assert "A person takes over" in shown(chat) and "No answer is sure enough." in shown(chat)
    assert ANSWERS[0].text not in shown(chat)
    assert timeless(chat.dialogue.turns) == (Turn("customer", "something else"),)
    chat.take("/alt")
    assert ANSWERS[0].text in shown(chat)


def test_a_number_picks_an_alternative_as_the_answer_given(chat):
    chat.take("can I return it?")
    chat.take("/alt")
    chat.take("2")
    assert len(chat.pipeline.calls) == 1
    assert timeless(chat.dialogue.turns)[-1] == Turn("agent", ANSWERS[2].text)
    chat.take("2")  # nothing is listed any more: a message like any other
    assert timeless(chat.pipeline.calls[-1].turns)[-1] == Turn("customer", "2")


def test_what_the_answer_given_says_already_is_no_other_answer():
    longer = replace(ANSWERS[1], text=f"{ANSWERS[0].text} You can return it within 30 days.")
    chat = make_chat(FakePipeline([longer, ANSWERS[0], ANSWERS[2]], PAST))
    for line in ("can I return it?", "/alt"):
        chat.take(line)
    assert "1. Please send us a photo." in shown(chat) and "2. " not in shown(chat)
    chat = make_chat(FakePipeline([ANSWERS[0], longer], PAST))
    for line in ("can I return it?", "/alt"):
        chat.take(line)
    assert f"1. {longer.text}" in shown(chat), "what says more is one"


def test_where_two_are_close_both_are_shown_and_a_number_picks_one():
    chat = make_chat(Unsure(ANSWERS, PAST))
    chat.take("can I return it?")
    text = shown(chat)
    assert "which of these helps you" in text and "Type 1 or 2" in text
    assert ANSWERS[0].text in text and ANSWERS[1].text in text and ANSWERS[2].text not in text
    assert timeless(chat.dialogue.turns) == (Turn("customer", "can I return it?"),)
    chat.take("3")
    assert "from 1 to 2" in shown(chat)
    chat.take("2")
    assert timeless(chat.dialogue.turns)[-1] == Turn("agent", ANSWERS[1].text)
    assert chat.book.kept == [(chat.dialogue.key, "can I return it?", 8, "picked")]


@pytest.mark.parametrize("number", ["0", "9", "99"])
def test_a_number_outside_the_list_is_explained(chat, number):
    chat.take("can I return it?")
    chat.take("/alt")
    chat.take(number)
    assert "from 1 to 2" in shown(chat)
    assert chat.dialogue.given.answer_id == 7


def test_bad_answers_are_kept_and_not_offered_again(chat):
    chat.take("can I return it?")
    chat.take("/bad")
    assert "The next best:" in shown(chat)
    assert chat.book.kept == [(chat.dialogue.key, "can I return it?", 7, "bad")]
    last = chat.pipeline.calls[-1]
    assert last == Request(last.turns, rejected=(ANSWERS[0].text,))
    assert timeless(last.turns) == (Turn("customer", "can I return it?"),)
    assert timeless(chat.dialogue.turns)[-1] == Turn("agent", ANSWERS[1].text)
    chat.take("more")
    assert chat.pipeline.calls[-1].rejected == (ANSWERS[0].text,)
    chat.take("/bad")
    before = len(shown(chat))
    chat.take("/bad")
    assert "A person takes over" in shown(chat)[before:] and "The next best" not in shown(chat)[before:]


def test_good_answers_are_kept(chat):
    chat.take("/good")
    assert "There is no answer to judge." in shown(chat) and not chat.book.kept
    chat.take("q")
    chat.take("/good")
    assert [kept[2:] for kept in chat.book.kept] == [(7, "good")]


def test_what_the_customer_says_in_a_row_is_one_question_and_stays_several_turns():
    chat = make_chat(FakePipeline(ANSWERS, confidence=0.1))
    chat.take("My lamp is dark.")
    chat.take("It's the green one.")
    assert [turn.text for turn in chat.pipeline.calls[-1].turns] == ["My lamp is dark.\nIt's the green one."]
    assert chat.dialogue.asked[-1].text == "My lamp is dark.\nIt's the green one."
    assert [turn.text for turn in chat.dialogue.turns] == ["My lamp is dark.", "It's the green one."]


def test_new_forgets_the_dialogue(chat):
    key = chat.dialogue.key
    chat.take("q")
    chat.take("/bad")
    chat.take("/new")
    assert timeless(chat.dialogue.turns) == () and not chat.dialogue.rejected and chat.dialogue.key != key


def test_why_explains_words_turns_scores_and_source(chat):
    chat.take("/why")
    assert "Nothing was asked yet." in shown(chat)
    chat.take("parcel lost")
    chat.take("still lost")
    chat.take("/why")
    text = shown(chat)
    assert re.search(r"\d+ % customer: still lost", text) and "marks between the turns" in text
    assert "turn 1" in text and "(-32 %)" in text
    assert "0.610" in text and "0.500" in text
    assert "outcome: resolved" in text and "too late to send it back?" in text


def test_why_explains_the_answer_that_was_picked():
    best, *others = ANSWERS
    chat = make_chat(FakePipeline([replace(best, evidence=()), *others], PAST))
    for line in ("parcel lost", "/alt", "1", "/why"):
        chat.take(line)
    page = shown(chat).split("your choice")[1]
    assert "Another answer was ranked first" in page and "outcome: resolved" in page


def test_handoff_summary_says_what_was_asked_tried_and_near(chat):
    chat.take("where is my sofa?")
    chat.take("/bad")
    chat.take("/handoff")
    text = shown(chat)
    assert "customer: where is my sofa?" in text
    assert "turned down: " + ANSWERS[0].text in text
    assert "Please send us a photo." in text


def test_an_answer_has_the_same_chance_wherever_it_is_listed():
    chat = make_chat(FakePipeline(ANSWERS, PAST, confidence=0.38))
    chat.take("where is my sofa?")
    assert "not sure, 38 %" in shown(chat)
    for line in ("/alt", "/handoff"):
        before = len(shown(chat))
        chat.take(line)
        listed = [text for text in shown(chat)[before:].splitlines() if any(one.text in text for one in ANSWERS)]
        chances = [re.search(r"\d+ %", text)[0] for text in listed]
        assert chances == ["38 %", "11 %", "5 %"], "a share of the confidence, as assist shows it"


def test_help_lists_every_command_and_key(chat):
    chat.take("/HELP")
    for word in ("/why", "/alt", "/good", "/bad", "/handoff", "/new", "/quit", "F2", "Ctrl-D"):
        assert word in shown(chat)


def test_quit_ends_and_unknown_commands_are_named(chat):
    assert chat.take("/nonsense")
    assert "There is no command /nonsense" in shown(chat)
    assert not chat.pipeline.calls
    assert not chat.take("/quit")


def test_a_message_may_begin_with_a_slash(chat):
    chat.take("/etc/hosts is what I see")
    assert chat.pipeline.calls[-1].turns[-1].text == "/etc/hosts is what I see"


@pytest.mark.parametrize("message", ["🙂🙂", "我的包裹在哪里？", "أين طردي؟", "?", "0", "a" * 7_999])
def test_any_script_is_a_message(chat, message):
    chat.take(message)
    assert chat.pipeline.calls[-1].turns[-1].text == message


@pytest.mark.parametrize("message", ["", "   ", "\t\n"])
def test_empty_lines_are_passed_over(chat, message):
    assert chat.take(message)
    assert not chat.pipeline.calls and shown(chat) == ""


def test_a_message_of_control_characters_only_is_said_to_be_empty(chat):
    chat.take("\x1b[2J\u202e")
    assert "nothing to read" in shown(chat) and not chat.pipeline.calls


def test_a_message_of_100000_characters_is_cut_with_a_notice(chat):
    chat.take("word " * 20_000)
    assert len(chat.pipeline.calls[-1].turns[-1].text) <= LONGEST_MESSAGE
    assert "Only the first 8,000 characters" in shown(chat)


def test_an_interrupted_or_failed_answer_leaves_the_dialogue_as_it_was(chat):
    chat.take("first")
    before = chat.dialogue.turns
    chat.pipeline.failure = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        chat.take("second")
    assert chat.dialogue.turns == before
    chat.pipeline.failure = DeskError("The store is gone.", "Put it back.")
    assert chat.take("second")
    assert chat.dialogue.turns == before and "The store is gone. Put it back." in shown(chat)


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("confidence", [0.2, 0.9])
@pytest.mark.parametrize("width", [60, 120])
def test_hostile_text_is_harmless_everywhere(terminal, confidence, width):
    chat = make_chat(hostile_pipeline(confidence), width, terminal)
    for line in (HOSTILE, "/why", "/alt", "1", "/good", "/bad", "/handoff", "/alt"):
        chat.take(line)
    chat.pipeline.failure = DeskError(HOSTILE, HOSTILE)
    chat.take("again")
    text = shown(chat)
    assert_harmless(text)
    unwrapped = "".join(text.split())
    for kept in ("[/refund]", "[boldred]", ":smile:"):
        assert kept in unwrapped


def test_every_view_fits_60_columns():
    chat = make_chat(width=60, terminal=True)
    for line in ("where is my parcel? " * 20, "我的包裹在哪里？" * 20, "/why", "/alt", "/handoff", "/help"):
        chat.take(line)
    from rich.cells import cell_len

    assert max(cell_len(line) for line in shown(chat).splitlines()) <= 60


def test_piped_lines_are_answered_to_the_end_or_quit(chat):
    read_piped(chat, io.StringIO("first\r\n\nsecond\n/quit\nthird\n"))
    assert [call.turns[-1].text for call in chat.pipeline.calls] == ["first", "second"]
    assert "╭" not in shown(chat)


def test_piped_lines_without_end_are_cut(chat):
    read_piped(chat, io.StringIO("x" * 1_000_000 + "\nnext"))
    assert [len(call.turns[-1].text) for call in chat.pipeline.calls] == [LONGEST_MESSAGE, 4]


def test_json_chat_prints_one_object_per_answer(capsys):
    from chat_fakes import FakeBook, make_console

    from bot.chat import Chat

    chat = Chat(FakePipeline(ANSWERS, PAST), make_console(), FakeBook(), as_json=True)
    read_piped(chat, io.StringIO("one\n/help\ntwo\n"))
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["decision"] for line in lines] == ["answer", "answer"]
