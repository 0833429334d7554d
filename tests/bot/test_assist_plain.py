"""`attendant assist --plain`: lines in, lines out, for screen readers, pipes and scripts."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace

import pytest
from chat_fakes import (
    ANSWERS,
    HOSTILE,
    PAST,
    FakeBook,
    FakePipeline,
    FullBook,
    Listening,
    assert_harmless,
    hostile_pipeline,
    make_console,
    timeless,
)

from bot.assist_commands import COMMANDS
from bot.assist_plain import PlainAssist
from bot.chat_input import read_piped
from bot.customer import Customer
from bot.dialogue import Request
from bot.following import FollowedLog
from bot.suggestions import DRAFT
from conversations.errors import DeskError
from conversations.model import Turn

BEST, SECOND, THIRD = (one.text for one in ANSWERS)


@pytest.fixture
def desk():
    return FakePipeline(ANSWERS, PAST)


@pytest.fixture
def helped(desk):
    return PlainAssist(desk, make_console(), FakeBook())


def shown(helped):
    return helped._console.file.getvalue()


def verdicts(helped):
    return [(answer_id, verdict) for _, _, answer_id, verdict in helped.book.kept]


def test_a_line_is_what_the_customer_says_and_three_suggestions_follow(helped):
    assert helped.take("can I return it?")
    lines = shown(helped).splitlines()
    assert lines[0] == f"1. {BEST} [fairly sure, 72 %]"
    assert lines[1].strip() == "from conversation lw-2001, turn 2, 2025-02-18, said by Maren"
    assert lines[2].startswith(f"2. {SECOND}") and lines[4].startswith(f"3. {THIRD}")


def test_lines_in_a_row_are_one_question(helped, desk):
    helped.take("hello")
    helped.take("can I return it?")
    assert desk.calls[-1].turns == (Turn("customer", "hello\ncan I return it?"),)


@pytest.mark.parametrize(
    ("command", "sent", "kept"),
    [
        ("/send 2", SECOND, [(8, "sent")]),
        ("/edit 3 Please send us two photos.", "Please send us two photos.", [(9, "edited")]),
        (f"/say {BEST}", BEST, [(7, "sent")]),
        ("/say Please do send us a photo.", "Please do send us a photo.", [(9, "edited")]),
        ("/edit 1 Certainly!", "Certainly!", [(7, "skipped"), (8, "skipped"), (9, "skipped")]),
        ("/say Certainly!", "Certainly!", [(7, "skipped"), (8, "skipped"), (9, "skipped")]),
    ],
)
def test_what_is_sent_joins_the_dialogue_and_is_kept_as_what_it_was(helped, desk, command, sent, kept):
    helped.take("can I return it?")
    helped.take(command)
    assert timeless(helped.assist.dialogue.turns)[-1] == Turn("agent", sent) and f"sent: {sent}" in shown(helped)
    assert verdicts(helped) == kept
    helped.take("and the rest?")
    assert desk.calls[-1].turns == (*helped.assist.dialogue.turns[:2], Turn("customer", "and the rest?"))


def test_skipped_answers_come_back_only_with_the_next_question(helped, desk):
    helped.take("can I return it?")
    helped.take("/skip")
    assert desk.calls[-1].rejected == (BEST, SECOND, THIRD)
    assert "No past answer is left" in shown(helped)
    helped.take("/say One moment.")
    helped.take("please")
    assert desk.calls[-1].rejected == ()


def test_what_was_sent_is_judged_for_the_question_that_it_was_sent_for(helped, desk):
    for line in ("/good", "can I return it?", "/send 2", "that is no help, and when?", "/bad"):
        helped.take(line)
    assert "No suggestion was sent yet" in shown(helped)
    assert helped.book.kept[-1][1:] == ("can I return it?", 8, "bad")
    assert SECOND in desk.calls[-1].rejected, "it is not suggested again in this dialogue"
    helped.take("/new")
    helped.take("can I return it?")
    helped.take("/bad")
    assert desk.calls[-1].rejected == () and len(helped.book.kept) == 2


def test_what_is_suggested_is_judged_by_its_number(helped, desk):
    helped.take("can I return it?")
    helped.take("/good 3")
    helped.take("/bad 1")
    assert verdicts(helped) == [(9, "good"), (7, "bad")]
    assert [one.answer.text for one in helped.assist.best] == [SECOND, THIRD]


def test_what_the_customer_had_before_counts(desk):
    known = Customer("C-7", "k", (Turn("customer", "my lamp"),), (SECOND,))
    helped = PlainAssist(desk, make_console(), FakeBook(), known)
    helped.take("again dark")
    assert desk.calls[-1].earlier == known.earlier and desk.calls[-1].rejected == (SECOND,)


def test_what_is_found_last_is_what_is_suggested(desk, helped):
    """A customer who begins something new is answered twice: as part of the whole dialogue, then to that alone."""
    whole, alone = desk._answer(Request((Turn("customer", "x"),))), replace(ANSWERS[0], text="To this alone.")
    desk.answer_in_steps = lambda *_: iter([None, whole, None, replace(whole, candidates=(alone,))])
    helped.take("how much is delivery?")
    assert shown(helped).startswith("1. To this alone.")


@pytest.mark.parametrize(
    "command",
    [
        "/send",
        "/send 9",
        "/send x",
        "/edit 1",
        "/edit",
        "/say",
        "/save",
        "/nonsense",
        "/bad x",
        "/bad 9",
        "/why x",
        "/why 9",
    ],
)
def test_commands_that_cannot_be_obeyed_say_so_and_change_nothing(helped, command):
    helped.take("can I return it?")
    before = helped.assist.dialogue.turns
    assert helped.take(command)
    assert helped.assist.dialogue.turns == before and "- " in shown(helped) and not helped.book.kept


def test_before_anything_was_asked_commands_say_so(helped):
    for command in ("/send 1", "/edit 1 x", "/skip", "/why", "/handoff"):
        assert helped.take(command)
    assert shown(helped).count("Nothing was asked yet.") == 1 and "nothing to explain" in shown(helped)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_is_listed_is_known(helped, name):
    helped.take(f"/{name}")
    assert "There is no command" not in shown(helped)


def test_why_help_handoff_and_quit(helped):
    helped.take("parcel lost")
    for command in ("/why", "/help", "/handoff"):
        assert helped.take(command)
    text = shown(helped)
    assert "outcome: resolved" in text and "Hand-over of dialogue" in text
    assert all(f"/{name}" in text for name in COMMANDS)
    assert verdicts(helped) == [(None, "handed over")]
    assert not helped.take("/quit")


def test_why_explains_a_suggestion_by_its_number(helped):
    helped.take("parcel lost")
    for number, count in enumerate((0, 1, 2), start=1):
        helped.take(f"/why {number}")
        assert shown(helped).count("Another answer was ranked first") == count
    helped.take("/forget")
    assert "begin with attendant assist --customer ID" in shown(helped)


def test_a_desk_that_changed_beneath_is_said_and_the_dialogue_stays(helped, desk):
    desk.failure = DeskError("The store is gone.", "Put it back.")
    assert helped.take("hello")
    assert "The store is gone. Put it back." in shown(helped)
    assert timeless(helped.assist.dialogue.turns) == (Turn("customer", "hello"),)


def test_json_prints_a_line_for_every_question_and_for_what_is_sent(desk, capsys):
    helped = PlainAssist(desk, make_console(), FakeBook(), as_json=True)
    assert read_piped(helped, io.StringIO("can I return it?\n/send 1\n/quit\nnever\n"))
    found, sent = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [one["answer"] for one in found["suggestions"]] == [BEST, SECOND, THIRD]
    assert (
        found["question"] == "can I return it?" and found["confidence"] == found["suggestions"][0]["chance"] == 0.72
    )
    assert sent["sent"] == BEST


@pytest.mark.parametrize("command", ["/send 1", f"/edit 1 {BEST}", f"/say {BEST}"])
def test_what_is_sent_is_printed_though_it_cannot_be_kept_as_feedback(desk, capsys, command):
    helped = PlainAssist(desk, make_console(), FullBook(), as_json=True)
    helped.take("can I return it?")
    capsys.readouterr()
    assert helped.take(command)
    assert json.loads(capsys.readouterr().out)["sent"] == BEST
    assert "The store cannot be written. Make room." in shown(helped) and len(helped.assist.dialogue.turns) == 2


def test_json_tells_mood_and_warnings_and_is_refreshed_while_the_customer_types(tmp_path, capsys):
    desk, path, stop = Listening(ANSWERS, PAST), tmp_path / "log", threading.Event()
    helped = PlainAssist(desk, make_console(), FakeBook(), as_json=True)
    thread = threading.Thread(target=helped.follow, args=(FollowedLog(path), stop))
    thread.start()
    lines = (
        {"text": "can I"},
        {"text": "I WILL SUE YOU"},
        {"text": "I WILL SUE YOU", "typing": False},
        {"text": "or"},
    )
    for number, line in enumerate(lines, start=1):
        with path.open("a") as log:
            log.write(json.dumps({"role": "customer", "typing": True, **line}) + "\n")
        for _ in range(200):
            if len(desk.calls) == number:
                break
            stop.wait(0.05)
    stop.set()
    thread.join(10)
    first, second, said, last = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert helped.assist.dialogue.turns[0].at, "it was said while it was followed"
    assert [one["typing"] for one in (first, second, said, last)] == [True, True, False, True]
    assert [one["question"] for one in (first, second)] == ["can I", "I WILL SUE YOU"] and first["suggestions"]
    assert desk.counted == [DRAFT, DRAFT, None, DRAFT]
    assert second["mood"] is None and second["warnings"] == [], "it is not said yet"
    assert said["mood"] == {"score": -0.94, "level": -0.47, "words": "bad (-0.47), falling", "scores": [-0.94]}
    assert [(one["kind"], one["turn"]) for one in said["warnings"]] == [("law", 1)]
    assert (last["mood"], last["warnings"]) == (said["mood"], said["warnings"])
    assert "Mood:" not in shown(helped)


def test_lines_tell_the_mood_where_it_changes_or_is_bad():
    helped = PlainAssist(Listening(ANSWERS, PAST), make_console(), FakeBook())
    for line, told in {"where is it?": 0, "WHERE IS IT": 1, "/skip": 1, "I SAID WHERE": 2}.items():
        helped.take(line)
        assert shown(helped).count("- Mood: ") == told, line
    assert "- Mood: bad (-0.46), falling." in shown(helped)


def test_hostile_text_is_harmless():
    helped = PlainAssist(hostile_pipeline(), make_console(), FakeBook())
    for line in (HOSTILE, "/why", "/send 1", HOSTILE, f"/edit 1 {HOSTILE}", "/handoff", f"/{HOSTILE}"):
        helped.take(line)
    assert_harmless(shown(helped))
    assert "[/refund]" in shown(helped)


def test_a_long_line_is_cut_with_a_notice(helped):
    helped.take("word " * 3_000)
    assert "Only the first 8,000 characters" in shown(helped)


def test_a_followed_log_is_suggested_for_at_its_end(helped, desk, tmp_path):
    path = tmp_path / "log"
    past = [("customer", "hello"), ("agent", "Hi, what is it?"), ("customer", "can I return it?")]
    path.write_text("".join(json.dumps({"role": role, "text": text}) + "\n" for role, text in past) + "broken\n")
    stop = threading.Event()
    thread = threading.Thread(target=helped.follow, args=(FollowedLog(path), stop))
    thread.start()
    for _ in range(200):
        if desk.calls:
            break
        stop.wait(0.05)
    stop.set()
    thread.join(10)
    assert [call.turns[-1].text for call in desk.calls] == ["can I return it?"]
    assert "line 4" in shown(helped) and f"1. {BEST}" in shown(helped) and "agent: Hi, what is it?" in shown(helped)
    assert not helped.book.kept, "what was said before nobody looked is no judgement"
