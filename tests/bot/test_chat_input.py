from __future__ import annotations

import asyncio
import gc
import signal
import stat
import threading

import pytest
from chat_fakes import HOSTILE, interrupted_loops, make_chat, shown
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from bot.chat_commands import COMMANDS, TOOLBAR
from bot.chat_input import CommandCompleter, bottom_bar, open_history, talk
from bot.dialogue import LONGEST_MESSAGE
from bot.mood import MoodTrend

SURROGATE = "\udc80"
"""A terminal sends bytes, so this cannot come from one."""


def talk_with(keys, chat=None, history=None):
    chat = chat or make_chat()
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        # More than a pipe holds is written while the chat reads.
        typist = threading.Thread(target=pipe.send_text, args=(keys,))
        typist.start()
        talk(chat, history or InMemoryHistory())
        typist.join(5)
    return chat


def asked(chat):
    return [call.turns[-1].text for call in chat.pipeline.calls]


def paste(text):
    return f"\x1b[200~{text}\x1b[201~"


def test_messages_are_sent_by_enter_until_quit():
    chat = talk_with("first\rsecond\r/quit\r")
    assert asked(chat) == ["first", "second"]
    assert "Goodbye." in shown(chat)


def test_ctrl_d_leaves():
    assert "Goodbye." in shown(talk_with("\x04"))


def test_ctrl_c_clears_the_line_and_twice_leaves():
    chat = talk_with("half a mess\x03whole\r\x03\x03")
    assert asked(chat) == ["whole"]
    assert shown(chat).count("Cancelled.") == 2 and "Goodbye." in shown(chat)


def test_ctrl_c_while_answering_keeps_the_chat_alive():
    chat = make_chat()
    chat.pipeline.failure = KeyboardInterrupt()
    talk_with("question\r\x04", chat)
    assert "Cancelled." in shown(chat) and chat.dialogue.turns == ()


@pytest.mark.parametrize("typed", ["abc\x03", "another\r"])
def test_what_is_typed_between_two_ctrl_c_keeps_the_chat_alive(typed):
    chat = make_chat()
    chat.pipeline.failure = KeyboardInterrupt()
    talk_with(f"question\r{typed}/help\r\x04", chat)
    assert "this list" in shown(chat)


@pytest.mark.parametrize("moment", ["made", "closed"])
@pytest.mark.filterwarnings("error:Exception ignored in. <function BaseEvent:pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_while_the_prompt_comes_up_or_goes_counts_as_any_other(monkeypatch, moment):
    monkeypatch.setattr(asyncio.get_event_loop_policy(), "_loop_factory", interrupted_loops(moment))
    before = signal.getsignal(signal.SIGINT)
    chat = talk_with("lost\rlost too\r\x04")
    gc.collect()  # a loop that was left half made would say so now
    assert "Cancelled." in shown(chat) and "Goodbye." in shown(chat) and asked(chat) == []
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("key", ["\x1bOQ", "\x1ba"])
def test_the_key_shows_alternatives_and_keeps_what_was_typed(key):
    chat = talk_with(f"question\rhalf {key}whole\r\x04")
    assert "You can return it within 30 days." in shown(chat)
    assert asked(chat) == ["question", "half whole"]


def test_pasted_lines_stay_one_message():
    assert asked(talk_with(paste("one\r\ntwo\nthree") + "\r\x04")) == ["one\ntwo\nthree"]


@pytest.mark.parametrize("escape", ["\x1b[31m", "\x1b[1;31m", "\x1b[<31m", "\x1b[Mabc"])
def test_an_escape_in_a_paste_without_brackets_is_no_click_of_a_mouse(escape):
    assert asked(talk_with(f"a {escape}red hat\r\x04")) == ["a red hat"]


def test_alt_enter_makes_a_new_line():
    assert asked(talk_with("one\x1b\rtwo\r\x04")) == ["one\ntwo"]


@pytest.mark.timeout(100)
def test_a_paste_of_100000_characters_is_taken_quickly_and_cut():
    chat = talk_with(paste("a line of text\n" * 6_667) + "\r\x04")
    assert len(asked(chat)[0]) <= LONGEST_MESSAGE and "Only the first 8,000" in shown(chat)


def test_completion_offers_commands_with_their_meaning():
    found = list(CommandCompleter(COMMANDS).get_completions(Document("/h"), CompleteEvent()))
    assert [one.text for one in found] == ["/help", "/handoff"]
    assert found[0].display_meta_text == COMMANDS["help"]
    assert not list(CommandCompleter(COMMANDS).get_completions(Document("h"), CompleteEvent()))


def test_the_bar_has_the_mood_first_and_as_many_keys_as_there_is_room_for():
    mood = f"mood {MoodTrend((0.2, -0.5)).in_words} "
    assert mood == "mood somewhat bad (-0.20), falling ", "the longest there is"
    for columns in (60, 120, 200):
        bar = bottom_bar((mood, *TOOLBAR), columns)
        assert bar.startswith(mood) and "/help" in bar and "/why" in bar and len(bar) <= columns


def test_history_is_private_harmless_and_lasts(tmp_path):
    path = tmp_path / "chat_history"
    hostile = paste(HOSTILE.replace(SURROGATE, ""))
    talk_with(f"first\r{hostile}\r\x04", history=open_history(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "\x1b" not in path.read_text() and "[/refund]" in path.read_text()
    # The up key brings back what was typed in an earlier chat; its history is loaded beside the input.
    assert list(open_history(path).load_history_strings())[-1] == "first"


def test_history_that_cannot_be_kept_does_not_stop_the_chat(tmp_path):
    (tmp_path / "chat_history").mkdir()
    assert isinstance(open_history(tmp_path / "chat_history"), InMemoryHistory)
    path = tmp_path / "other"
    history = open_history(path)
    path.unlink()
    path.mkdir()
    history.store_string("x")
    (tmp_path / "bytes").write_bytes(b"# t\n+\xff\x1b[2J\x9b\n")
    assert list(open_history(tmp_path / "bytes").load_history_strings()) == ["\ufffd\ufffd"]
