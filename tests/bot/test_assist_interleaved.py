"""`attendant assist` beside a log in which several customers speak in turn: nobody's question or warning is lost."""

from __future__ import annotations

import json
import threading

import pytest
from assist_fakes import use_screen
from chat_fakes import ANSWERS, PAST, FakeBook, Listening, make_console
from lamp_desk import lamp_desk

from bot import assist_plain, left_dialogues
from bot.assist_plain import PlainAssist
from bot.following import FollowedLog, WentOn
from conversations.errors import DeskError

BEST, SECOND, THIRD = (one.text for one in ANSWERS)
DELIVERY, SUE, LEEDS = "how long does delivery take?", "I will sue you, my battery exploded", "to Leeds I mean"


def write(log, *turns, **more):
    with log.open("a") as file:
        for conversation, role, text in turns:
            row = {"conversation": conversation, "role": role, "text": text, **more}
            file.write(json.dumps({key: value for key, value in row.items() if value is not None}) + "\n")


class Followed:
    """A log that is followed on a thread."""

    def __init__(self, helped, path):
        self.log, self._stop, self._idle = FollowedLog(path), threading.Event(), threading.Event()
        self._poll, self.log.poll = self.log.poll, self._polled
        self._helped = helped
        self._thread = threading.Thread(target=helped.follow, args=(self.log, self._stop))

    def _polled(self):
        events = self._poll()
        if not events and not self._helped._pending:
            self._idle.set()
        return events

    def catch_up(self):
        """Waits until nothing new is in the log and all of it was looked at."""
        self._idle.clear()
        assert self._idle.wait(20)

    def hears(self, path, *turns, **more):
        """Lets the log say something, and waits until it was looked at."""
        write(path, *turns, **more)
        self.catch_up()

    def __enter__(self):
        self._thread.start()
        self.catch_up()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(20)
        self.log.close()


def plain(as_json=False):
    return PlainAssist(Listening(ANSWERS, PAST), make_console(), FakeBook(), as_json=as_json)


def shown(helped):
    return helped._console.file.getvalue()


@pytest.fixture
def printed(capsys):
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def kinds(line):
    return [warning["kind"] for warning in line["warnings"]]


def test_a_dialogue_that_is_left_for_another_one_is_printed_with_its_warnings(path, printed):
    helped = plain(as_json=True)
    with Followed(helped, path) as followed:
        followed.hears(path, ("a", "customer", DELIVERY), ("b", "customer", SUE), ("a", "customer", LEEDS))
    of_b, of_a = printed()
    assert (of_b["conversation"], of_b["question"], kinds(of_b)) == ("b", SUE, ["harm", "law"])
    assert (of_a["conversation"], of_a["question"], kinds(of_a)) == ("a", f"{DELIVERY}\n{LEEDS}", [])
    assert of_b["dialogue"] != of_a["dialogue"] and of_a["customer"] is None
    numbers = [one["number"] for line in (of_b, of_a) for one in line["suggestions"]]
    assert numbers == [1, 2, 3, 4, 5, 6]


def test_a_line_names_the_customer_as_the_log_does(path, printed, tmp_path):
    helped = plain(as_json=True)
    write(path, ("a", "customer", DELIVERY), customer="c-7")
    write(path, (None, "customer", SUE), customer="c-8")
    with lamp_desk(tmp_path).store() as store:
        helped.pipeline.store = store
        with Followed(helped, path):
            pass
    assert [(line["conversation"], line["customer"]) for line in printed()] == [(None, "c-8"), ("a", "c-7")]


def test_of_a_long_past_only_what_waits_is_suggested_for_and_every_warning_of_words_is_told(path, printed):
    for number in range(40):
        write(path, *[(f"old-{number}", "customer", DELIVERY), (f"old-{number}", "agent", "Two days.")] * 3)
    write(path, ("angry", "customer", SUE), ("angry", "agent", "I am sorry."), ("a", "customer", DELIVERY))
    write(path, ("old-3", "customer", LEEDS), ("loud", "customer", "WHERE IS IT"), ("loud", "customer", "SAY IT"))
    write(path, ("loud", "agent", "Here."), ("b", "customer", "hello?"))
    helped = plain(as_json=True)
    with Followed(helped, path):
        pass
    lines = printed()
    asked = {line["conversation"]: line["question"] for line in lines if "question" in line}
    assert asked == {"a": DELIVERY, "old-3": LEEDS, "b": "hello?"} and len(helped.pipeline.calls) == 3
    warned = {line["conversation"]: kinds(line) for line in lines if line["warnings"]}
    assert warned == {"angry": ["harm", "law"]} and len(lines) == 4, "who was answered is not listened to any more"


def test_warnings_are_printed_once_where_nobody_waits_and_with_every_list(path, printed):
    write(path, ("b", "customer", SUE), ("b", "agent", "I am sorry."), ("a", "customer", DELIVERY))
    with Followed(plain(as_json=True), path) as followed:
        printed()
        write(path, ("b", "agent", "Really."))
        followed.catch_up()
        assert printed() == []
        write(path, ("b", "customer", "thanks"))
        followed.catch_up()
        (line,) = printed()
        assert kinds(line) == ["harm", "law"] and line["question"] == "thanks"


def test_warnings_are_printed_though_no_suggestions_can_be_found(path, printed):
    write(path, ("b", "customer", SUE), ("a", "customer", DELIVERY))
    helped = plain(as_json=True)
    helped.pipeline.failure = DeskError("The store is gone.", "Put it back.")
    with Followed(helped, path):
        pass
    (line,) = printed()
    assert line["conversation"] == "b" and kinds(line) == ["harm", "law"] and "suggestions" not in line


def test_of_more_dialogues_than_are_kept_none_that_waits_is_lost(path, printed, monkeypatch):
    for module in (assist_plain, left_dialogues):
        monkeypatch.setattr(module, "MOST_KEPT", 3)
    with Followed(plain(as_json=True), path) as followed:
        followed.hears(path, *((f"c-{number}", "customer", f"{number}?") for number in range(9)))
    assert [line["question"] for line in printed()] == [f"{number}?" for number in range(9)]


def test_a_number_is_sent_in_the_dialogue_that_it_was_printed_in(path, printed):
    helped = plain(as_json=True)
    with Followed(helped, path) as followed:
        followed.hears(path, ("a", "customer", DELIVERY), ("b", "customer", SUE))
        printed()
        helped.take("/send 2")
        (sent,) = printed()
        assert (sent["conversation"], sent["sent"]) == ("a", SECOND)
        helped.take("/say 4 days.")
        assert [(line["conversation"], line["sent"]) for line in printed()] == [("b", "4 days.")]
        assert helped.book.kept[0][1:] == (DELIVERY, 8, "sent")
        write(path, ("a", "agent", SECOND), ("a", "customer", LEEDS))
        followed.catch_up()
        (line,) = printed()
    request = helped.pipeline.calls[-1]
    assert [turn.text for turn in request.turns] == [DELIVERY, SECOND, LEEDS], "what was sent is said once"
    assert [one["number"] for one in line["suggestions"]] == [7, 8, 9]
    helped.take("/send 4")
    assert "- For conversation b:\n- There is nothing to suggest yet.\n" in shown(helped) and printed() == []


def test_what_an_agent_answers_in_a_dialogue_that_was_left_is_judged_by_what_was_suggested_there(path):
    write(path, ("a", "customer", DELIVERY), ("b", "customer", SUE))
    helped = plain()
    with Followed(helped, path) as followed:
        write(path, ("a", "agent", THIRD))
        followed.catch_up()
    assert [kept[1:] for kept in helped.book.kept] == [(DELIVERY, 9, "sent")]


def test_lines_say_which_dialogue_they_are_about(path):
    helped = plain()
    with Followed(helped, path) as followed:
        followed.hears(path, ("a", "customer", DELIVERY), ("b", "customer", SUE), ("a", "customer", LEEDS))
        helped.take("/send 1")
        helped.take("/new")
        helped.take("hello")
    lines = shown(helped).splitlines()
    places = [
        lines.index(text)
        for text in (
            f"customer: {DELIVERY}",
            "- A new dialogue begins.",
            f"customer: {SUE}",
            "- Conversation a goes on.",
            f"customer: {LEEDS}",
            "- For conversation b:",
            f"1. {BEST} [fairly sure, 72 %]",
            "- For conversation a:",
            f"4. {BEST} [fairly sure, 72 %]",
        )
    ]
    assert places == sorted(places)
    sent = lines.index(f"sent: {BEST}")
    assert lines[sent - 1] == "- For conversation b:"
    assert lines[sent + 1 : sent + 3] == ["- For conversation a:", "- A new dialogue begins."]
    assert lines[sent + 3] == f"7. {BEST} [fairly sure, 72 %]"


def test_programs_are_told_a_hand_over_and_an_explanation_and_whose(path, printed):
    helped = plain(as_json=True)
    with Followed(helped, path) as followed:
        followed.hears(path, ("a", "customer", DELIVERY), ("b", "customer", SUE))
        printed()
        for line in ("/handoff", "/why 2", "/help"):
            helped.take(line)
    over, why = printed()
    assert (over["conversation"], over["decision"], kinds(over)) == ("b", "handoff", ["harm", "law"])
    assert over["summary"].startswith(f"Hand-over of dialogue {over['dialogue']}") and SUE in over["summary"]
    assert why["conversation"] == "a" and why["why"]["about"]["text"] == SECOND
    assert why["why"]["turns"] == [{"role": "customer", "text": DELIVERY}]


def test_on_the_screen_a_conversation_goes_on_and_its_notes_with_it(path):
    write(path, ("b", "customer", SUE))

    async def play(keyboard):
        await keyboard.sees(f"customer> {SUE}", "Warning: The customer speaks of law", BEST)
        write(path, ("a", "customer", DELIVERY))
        await keyboard.sees(f"customer> {DELIVERY}", "Still without an answer: conversation b. The customer")
        assert SUE not in [turn.text for turn in keyboard.screen.assist.dialogue.turns]
        write(path, ("b", "customer", "hello?"))
        await keyboard.sees(f"customer> {SUE}", "Warning: The customer speaks of law", "customer> hello?")
        await keyboard.until(lambda: keyboard.screen.desk.calls[-1].turns[-1].text == f"{SUE}\nhello?")

    use_screen(play, Listening(ANSWERS, PAST), log=FollowedLog(path))


def test_customers_who_name_no_conversation_each_go_on_where_they_were_left(path, printed, tmp_path):
    helped = plain(as_json=True)
    with lamp_desk(tmp_path).store() as store:
        helped.pipeline.store = store
        with Followed(helped, path) as followed:
            followed.hears(path, (None, "customer", DELIVERY), customer="c-7")
            followed.hears(path, (None, "customer", SUE), customer="c-8")
            helped.take("/send 1")
            followed.hears(path, (None, "agent", BEST), customer="c-7")
            assert helped.assist.dialogue.customer.name == "c-8", "what was sent and comes back turns nothing"
            followed.hears(path, (None, "customer", LEEDS), customer="c-7")
    *_, line = printed()
    assert [turn.text for turn in helped.pipeline.calls[-1].turns] == [DELIVERY, BEST, LEEDS]
    assert (line["conversation"], line["customer"], kinds(line)) == (None, "c-7", [])
    assert shown(helped).count("The dialogue with customer c-7 goes on.") == 1
    helped.take("/new")
    helped.assist.follow(WentOn((None, "c-8")))
    helped.assist.follow(WentOn((None, "c-7")))
    assert helped.assist.dialogue.turns == (), "the one that was begun anew is theirs"
