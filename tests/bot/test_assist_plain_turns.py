"""`attendant assist` line by line while several customers speak in turn: who comes first, and who is meant."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from chat_fakes import ANSWERS
from terminal import Terminal
from test_assist_interleaved import DELIVERY, LEEDS, SUE, Followed, kinds, plain, printed, shown, write

from bot import assist_pending, assist_plain
from bot.assist_commands import PUT_ASIDE
from bot.following import Began, Said
from conversations.desk import Desk
from conversations.model import Turn

__all__ = ["printed"]
SCRIPT = str(Path(__file__).with_name("chat_in_terminal.py"))
BEST, _, THIRD = (one.text for one in ANSWERS)


def thread_waits(thread):
    """Whether a thread has come to where it waits for its turn."""
    frame = sys._current_frames().get(thread.ident)
    return frame is not None and frame.f_code.co_name == "take" and "seen" in frame.f_locals


def test_of_a_long_past_the_newest_who_wait_come_first_and_of_the_others_only_warnings(path, printed, monkeypatch):
    monkeypatch.setattr(assist_pending, "MOST_OF_PAST", 3)
    write(path, ("angry", "customer", SUE), *((f"c-{number}", "customer", f"{number}?") for number in range(9)))
    write(path, ("calm", "customer", "hello?"), ("calm", "agent", "Here."))
    helped = plain(as_json=True)
    with Followed(helped, path) as followed:
        of_angry, *lists = printed()
        assert of_angry["conversation"] == "angry" and "suggestions" not in of_angry
        assert [line["question"] for line in lists] == ["8?", "7?"], "the present one, calm, is one of the three"
        write(path, ("c-1", "customer", "still there?"))
        followed.catch_up()
        assert [line["question"] for line in printed()] == ["1?\nstill there?"]


def test_of_a_past_of_more_dialogues_than_are_kept_none_is_searched_for_while_it_is_read(path, monkeypatch):
    monkeypatch.setattr(assist_plain, "MOST_KEPT", 3)
    write(path, *((f"c-{number}", "customer", f"{number}?") for number in range(9)))
    helped = plain()
    with Followed(helped, path):
        assert [call.turns[-1].text for call in helped.pipeline.calls] == ["8?", "7?", "6?"]


def test_enter_pressed_while_something_is_looked_for_is_for_the_customer_who_was_seen(path):
    helped = plain()
    with Followed(helped, path) as followed:
        followed.hears(path, ("a", "customer", DELIVERY))
        taken = [threading.Thread(target=helped.take, args=(line,)) for line in ("/say 4 days.", LEEDS)]
        with helped._one_at_a_time:
            for thread in taken:
                thread.start()
                while not thread_waits(thread):
                    time.sleep(0.01)
            helped._heard(Began("b"))
            helped._heard(Said(Turn("customer", SUE)))
        for thread in taken:
            thread.join(20)
        followed.catch_up()
        of_b = helped.assist.dialogue
        of_a = helped.assist.left.take(("a", None))
    assert [turn.text for turn in of_b.turns] == [SUE]
    assert sorted(turn.text for turn in of_a.turns) == sorted([DELIVERY, "4 days.", LEEDS])
    assert "- For conversation a:\n" in shown(helped)


def test_what_the_log_says_after_something_was_sent_elsewhere_is_said_to_be_of_the_present_one(path):
    helped = plain()
    with Followed(helped, path) as followed:
        followed.hears(path, ("a", "customer", DELIVERY), ("b", "customer", SUE))
        helped.take("/send 1")
        followed.hears(path, ("b", "customer", LEEDS))
    assert f"- For conversation a:\nsent: {BEST}\n- For conversation b:\ncustomer: {LEEDS}\n" in shown(helped)


def test_without_a_number_the_suggestion_that_was_sent_last_is_judged_and_explained_whoever_it_was_sent_to(
    path, printed
):
    helped = plain(as_json=True)
    with Followed(helped, path) as followed:
        followed.hears(path, ("a", "customer", DELIVERY), ("b", "customer", SUE))
        helped.take("/send 5")
        helped.take("/send 1")
        printed()
        helped.take("/why")
        (why,) = printed()
        assert (why["conversation"], why["why"]["about"]["text"]) == ("a", BEST)
        helped.take("/bad")
        assert helped.book.kept[-1][1:] == (DELIVERY, 7, "bad")
        followed.hears(path, ("b", "customer", LEEDS))
        printed()
        helped.take("/why")
        assert [line["conversation"] for line in printed()] == ["b"], "of what is suggested now"
        helped.take("/good")
        assert helped.book.kept[-1][1:] == (DELIVERY, 7, "good")
        followed.hears(path, ("b", "agent", THIRD))
        helped.take("/good")
        assert helped.book.kept[-1][1:] == (LEEDS, 9, "good"), "the agent sent it without this program"
        helped.take("/new")
        helped.take("/good")
        assert "No suggestion was sent yet" in shown(helped)


def test_the_rest_of_a_line_that_was_put_aside_is_taken_only_when_enter_is_pressed_again(path, tmp_path):
    Desk.create(tmp_path, "acme").store().close()
    arguments = ("plain", "assist", "--desk", "acme", "--home", str(tmp_path), "--plain", "--follow", str(path))
    with Terminal(SCRIPT, *arguments) as terminal:
        seen = terminal.wait_for("does not exist yet")
        write(path, ("a", "customer", DELIVERY))
        seen = terminal.wait_for("3. Please send us a photo.", seen)
        terminal.wait_until_it_waits()
        terminal.type("/say Dear Bob,")
        seen = terminal.wait_for("Dear Bob,", seen)
        write(path, ("b", "customer", SUE))
        terminal.wait_for(PUT_ASIDE, seen)
        seen = terminal.wait_for("6. Please send us a photo.", seen)
        terminal.wait_until_it_waits()
        terminal.type(" it is 4711.\r")
        seen = terminal.wait_for("Another dialogue began: Enter again takes this line in it.", seen)
        assert "7. " not in terminal.text
        terminal.type("\r")
        seen = terminal.wait_for("9. Please send us a photo.", seen)
        terminal.wait_until_it_waits()
        terminal.type("Bye.\r")
        terminal.wait_for("12. Please send us a photo.", seen)
        terminal.wait_until_it_waits()
        terminal.type("\x04")
        assert terminal.exit_status() == 0
    assert terminal.text.count("Enter again") == 1


def test_what_was_sent_in_a_left_dialogue_and_comes_back_in_the_log_turns_nothing(path):
    helped = plain()
    with Followed(helped, path) as followed:
        followed.hears(path, ("a", "customer", DELIVERY), ("b", "customer", SUE))
        helped.take("/send 1")
        before = len(shown(helped))
        followed.hears(path, ("a", "agent", BEST))
        assert shown(helped)[before:] == "" and helped.assist.dialogue.conversation == "b"
        helped.take("/say One moment.")
        followed.hears(path, ("a", "customer", LEEDS))
    of_a, of_b = helped.assist.dialogue, helped.assist.left.take(("b", None))
    assert [turn.text for turn in of_b.turns] == [SUE, "One moment."]
    assert [turn.text for turn in of_a.turns] == [DELIVERY, BEST, LEEDS], "what was sent is said once"
    assert shown(helped).count("- Conversation a goes on.\n") == 1


def test_what_the_log_said_before_a_new_dialogue_was_begun_is_not_looked_at_in_that(path, printed):
    helped = plain(as_json=True)
    with Followed(helped, path) as followed:
        followed.hears(path, ("a", "customer", DELIVERY))
        printed()
        with helped._one_at_a_time:
            helped._heard(Said(Turn("customer", SUE)))
            helped.take("/new")
        followed.catch_up()
        (of_the_one_before,) = printed()
        assert kinds(of_the_one_before) == ["harm", "law"] and "suggestions" not in of_the_one_before
        followed.hears(path, ("a", "customer", LEEDS))
    (line,) = printed()
    assert line["question"] == LEEDS and kinds(line) == []
    assert line["dialogue"] != of_the_one_before["dialogue"] and line["conversation"] == "a"


def test_a_new_dialogue_is_begun_where_the_agent_saw_one_though_the_log_turned_to_another(path, log):
    helped = plain(as_json=True)

    def hear(*turn):
        write(path, turn)
        for event in log.poll():
            helped._heard(event)

    hear("a", "customer", DELIVERY)
    helped._look_at_oldest()
    hear("b", "customer", SUE)
    helped.take("/new")
    assert [turn.text for turn in helped.assist.dialogue.turns] == [SUE]
    hear("a", "customer", LEEDS)
    assert [turn.text for turn in helped.assist.dialogue.turns] == [LEEDS]
    assert helped.assist.dialogue.conversation == "a"
