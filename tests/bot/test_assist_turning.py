"""`attendant assist` where things change while the agent works: answers are withdrawn, and dialogues turn."""

from __future__ import annotations

import json

import pytest
from assist_fakes import use_screen, verdicts
from chat_fakes import ANGRY, ANSWERS, PAST, FakeBook, Listening, make_console
from lamp_desk import lamp_desk

from bot import left_dialogues
from bot.assist import Assist
from bot.assist_plain import PlainAssist
from bot.assist_whose import Whose
from bot.customer import Customer
from bot.feedback import FeedbackBook
from bot.following import Began, FollowedLog, Said, WentOn
from bot.pipeline import Pipeline
from conversations.model import Turn

BEST, SECOND = ANSWERS[0].text, ANSWERS[1].text
F1, F5 = "\x1bOP", "\x1b[15~"
DELIVERY, SUE = "how long does delivery take?", "I will sue you, my battery exploded"
WITHDRAWN = "This answer was withdrawn meanwhile."


def write(log, conversation, text, role="customer", **more):
    with log.open("a") as file:
        file.write(json.dumps({"conversation": conversation, "role": role, "text": text, **more}) + "\n")


@pytest.mark.parametrize("command", ["/send 1", "/edit 1 A new lamp is on its way."])
def test_a_withdrawn_answer_is_refused_before_it_is_sent_and_others_are_suggested(tmp_path, command):
    with Pipeline.open(lamp_desk(tmp_path)) as pipeline:
        helped = PlainAssist(pipeline, make_console(), FeedbackBook(pipeline, "assist"))
        helped.take("lamp does not light up any more, tried the buttons already")
        withdrawn = helped.assist.best[0].answer
        pipeline.store.service.withdraw([withdrawn.answer_id])
        helped.take(command)
        assert [turn.role for turn in helped.assist.dialogue.turns] == ["customer"]
        assert withdrawn.text not in [one.answer.text for one in helped.assist.best] and helped.assist.best
        helped.take("/send 1")
        assert helped.assist.dialogue.turns[-1].role == "agent"
        said = helped._console.file.getvalue()
        assert said.count(WITHDRAWN) == 1 and said.count("sent: ") == 1
        assert [one.verdict for one in pipeline.store.feedback()] == ["sent"]


@pytest.mark.parametrize("keys", [F1, F5, "/send 1\r", "/edit 1\r", "/edit 1 Surely.\r"])
def test_on_the_screen_a_withdrawn_answer_is_neither_sent_nor_left_in_the_line(keys):
    async def play(keyboard):
        screen = keyboard.screen
        await keyboard.type("can I return it?\r")
        await keyboard.settles()
        screen.desk.withdrawn = {7}
        await keyboard.type(keys)
        await keyboard.sees(WITHDRAWN)
        await keyboard.until(lambda: screen.assist.best and screen.assist.best[0].answer.answer_id == 8)
        assert (screen.line.buffer.text, screen.line.editing) == ("", None)
        assert [turn.role for turn in screen.assist.dialogue.turns] == ["customer"]
        await keyboard.settles()
        await keyboard.type(F1)
        await keyboard.sees(f"you> {SECOND}")

    assert verdicts(use_screen(play)) == [(8, "sent")]


def test_a_key_that_is_pressed_twice_sends_once():
    async def play(keyboard):
        await keyboard.type("can I return it?\r")
        await keyboard.settles()
        await keyboard.type(F1 + F1)
        await keyboard.sees(f"you> {BEST}")
        await keyboard.until(lambda: not keyboard.screen.jobs.waiting)
        assert [turn.text for turn in keyboard.screen.assist.dialogue.turns] == ["can I return it?", BEST]

    assert verdicts(use_screen(play)) == [(7, "sent")]


def test_other_words_made_of_an_answer_that_was_withdrawn_meanwhile_are_kept(tmp_path):
    with Pipeline.open(lamp_desk(tmp_path)) as pipeline:
        helped = PlainAssist(pipeline, make_console(), FakeBook())
        helped.take("lamp does not light up any more, tried the buttons already")
        answer = helped.assist.best[0].answer.answer_id
        pipeline.store.service.withdraw([answer])
        FeedbackBook(pipeline, "assist").add(helped.assist.dialogue, answer, "edited")
        assert [one.verdict for one in pipeline.store.feedback()] == ["edited"]


async def answer_and_leave(keyboard, path):
    """Conversation a is answered by a key, then the log turns to b."""
    write(path, "a", DELIVERY)
    await keyboard.settles()
    await keyboard.type(F1)
    await keyboard.sees(f"you> {BEST}")
    write(path, "b", "where is it?")
    await keyboard.sees("customer> where is it?")


@pytest.mark.parametrize("names", [{}, {"customer": "c-7"}])
def test_what_was_sent_in_a_left_dialogue_and_comes_back_turns_nothing(path, monkeypatch, names):
    monkeypatch.setattr("bot.customer.known_customer", lambda store, name: Customer(name, name))

    async def play(keyboard):
        assist, line = keyboard.screen.assist, keyboard.screen.line
        await answer_and_leave(keyboard, path)
        await keyboard.type("one mom")
        await keyboard.until(lambda: line.buffer.text == "one mom")
        write(path, "a", BEST, "agent", **names)
        write(path, "b", "hello?")
        await keyboard.sees("customer> hello?")
        assert line.buffer.text == "one mom" and "goes on" not in keyboard.text
        write(path, "a", "thanks")
        await keyboard.sees("customer> thanks", "Conversation a goes on.")
        assert [turn.text for turn in assist.dialogue.turns] == [DELIVERY, BEST, "thanks"]
        assert assist.dialogue.met == names.get("customer")
        if names:
            await keyboard.sees("Customer c-7: nothing is known from before.")

    use_screen(play, log=FollowedLog(path))


@pytest.mark.parametrize(("role", "text"), [("customer", "and when?"), ("agent", SECOND)])
def test_after_such_an_echo_what_is_new_in_the_left_dialogue_turns_to_it(path, role, text):
    async def play(keyboard):
        await answer_and_leave(keyboard, path)
        write(path, "a", BEST, "agent")
        write(path, "a", text, role)
        await keyboard.sees("Conversation a goes on.", text)
        assert [turn.text for turn in keyboard.screen.assist.dialogue.turns] == [DELIVERY, BEST, text]

    use_screen(play, log=FollowedLog(path))


@pytest.mark.parametrize("is_handed_over", [False, True])
def test_what_is_still_without_an_answer_is_told_once_and_not_where_it_was_handed_over(path, is_handed_over):
    def told(screen):
        return [text for _, text in screen.notes if "Still without" in text]

    async def turn_away(keyboard, text, often):
        write(path, "b", text)
        await keyboard.sees(f"customer> {text}")
        await keyboard.until(lambda: len(told(keyboard.screen)) == often)

    async def play(keyboard):
        write(path, "a", SUE)
        await keyboard.settles()
        if is_handed_over:
            await keyboard.type("/handoff\r")
            await keyboard.sees("Hand-over of dialogue")
            await keyboard.type("\x03")
        await turn_away(keyboard, "one?", 0 if is_handed_over else 1)
        write(path, "a", "hello?")
        await keyboard.sees("customer> hello?")
        if is_handed_over:
            keyboard.screen.assist.hand_over()
        await turn_away(keyboard, "two?", 0 if is_handed_over else 1)
        write(path, "a", "I will call the press")
        await keyboard.sees("customer> I will call the press")
        await turn_away(keyboard, "three?", 1 if is_handed_over else 2)

    notes = told(use_screen(play, log=FollowedLog(path)))
    assert ["speaks of law" in text for text in notes] == ([True] if is_handed_over else [True, False])
    assert "speaks of the press" in notes[-1]


@pytest.mark.parametrize("is_waiting", [True, False])
def test_a_warning_from_a_mood_that_is_read_late_is_told_where_its_customer_waits(is_waiting):
    told = []
    assist = Assist(lambda *_: None, told.append, told.append)
    assist.follow(Began("a"))
    for text in ("WHERE IS IT", "SAY IT"):
        assist.follow(Said(Turn("customer", text)))
    if not is_waiting:
        assist.follow(Said(Turn("agent", "Here.")))
    left = assist.dialogue
    unread = left.unread()
    assist.follow(Began("b"))
    assist.take_moods(unread, [ANGRY, ANGRY])
    warned = [text for text in told if "Warning" in text]
    told = ["Warning for conversation a: The mood fell"] * is_waiting
    assert [text.partition(" to ")[0] for text in warned] == told
    assert [text.partition(" to ")[0] for _, text in left.notes] == ["Warning: The mood fell"]


@pytest.mark.parametrize("is_past", [False, True])
def test_of_several_dialogues_that_are_left_in_one_go_each_is_listened_to_and_its_warnings_told(path, is_past):
    turns = [("a", SUE), ("b", "WHERE IS IT"), ("b", "SAY IT"), ("c", SUE), ("d", DELIVERY)]

    def write_all():
        rows = [{"conversation": name, "role": "customer", "text": text} for name, text in turns]
        rows.insert(4, {"conversation": "c", "role": "agent", "text": "I am sorry."})
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    async def play(keyboard):
        if not is_past:
            await keyboard.sees("does not exist yet")
            write_all()
        await keyboard.sees(
            f"customer> {DELIVERY}", "Still without an answer: conversation a. The customer speaks of"
        )
        await keyboard.sees("Warning for conversation b: The mood fell to -0.7")
        assist = keyboard.screen.assist
        of_a = assist.left.take(("a", None))
        await keyboard.until(lambda: len(of_a.mood.scores) == 1)
        assert assist.dialogue.conversation == "d"
        told = [text for _, text in keyboard.screen.notes if "conversation" in text]
        assert len(told) == 2, "c was answered, and nothing is told twice"

    if is_past:
        write_all()
    use_screen(play, Listening(ANSWERS, PAST), log=FollowedLog(path), columns=90)


def test_dialogues_that_cannot_go_on_take_no_place_of_those_that_can(monkeypatch):
    monkeypatch.setattr(left_dialogues, "MOST_KEPT", 2)
    told = []
    assist = Assist(lambda *_: None, told.append, told.append)
    assist.offered.counts_on = True
    for name in ("a", "b", None, None, None):
        assist.follow(Began(name))
        assist.follow(Said(Turn("customer", f"I am {name}")))
        assist.dialogue.numbered = {len(told): 7}
    newest = assist.dialogue
    for name in ("a", "b"):
        assist.follow(WentOn((name, None)))
        assert [turn.text for turn in assist.dialogue.turns] == [f"I am {name}"]
    assert Whose(assist).numbered(max(newest.numbered)) is newest
