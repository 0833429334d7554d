"""What `attendant assist` hears of each turn of the customer: moods, warnings, and nothing of what is being typed."""

from __future__ import annotations

import json
import threading

import pytest
from assist_fakes import use_screen
from chat_fakes import ANSWERS, PAST, FakeBook, FakePipeline, FullBook, Listening, make_console
from lamp_desk import lamp_desk

from bot.assist_plain import PlainAssist
from bot.feedback import FeedbackBook
from bot.following import FollowedLog, Said
from bot.handover import handover_summary
from bot.pipeline import Pipeline
from conversations.model import Turn
from training.mood import Mood

BEST = ANSWERS[0].text
F1, F4 = "\x1bOP", "\x1bOS"
PAST_TURNS = (
    ("customer", "This is terrible, my lamp is dark again and nobody cares."),
    ("customer", "let me speak to your manager, you are useless"),
    ("agent", "I am sorry to hear that."),
    ("customer", "Horrible. I hate this."),
)


def write(log, *turns, **more):
    with log.open("a") as file:
        file.write("".join(json.dumps({"role": role, "text": text, **more}) + "\n" for role, text in turns))


def followed(helped, log, until):
    """Follows a log until something is there."""
    stop = threading.Event()
    thread = threading.Thread(target=helped.follow, args=(FollowedLog(log), stop))
    thread.start()
    for _ in range(600):
        if until():
            break
        stop.wait(0.05)
    stop.set()
    thread.join(10)


@pytest.fixture
def helped():
    return PlainAssist(Listening(ANSWERS, PAST), make_console(), FakeBook())


def kinds(helped):
    return [(warning.kind, warning.turn) for warning in helped.assist.dialogue.warnings]


def test_every_past_turn_of_a_followed_log_gets_its_mood_and_its_warnings(tmp_path):
    log = tmp_path / "running.jsonl"
    write(log, *PAST_TURNS)
    with Pipeline.open(lamp_desk(tmp_path)) as pipeline:
        helped = PlainAssist(pipeline, make_console(), FeedbackBook(pipeline, "assist"))
        followed(helped, log, lambda: helped.assist.best)
        expected = pipeline.read_moods([text for role, text in PAST_TURNS if role == "customer"])
    dialogue = helped.assist.dialogue
    assert dialogue.mood.scores == tuple(mood.score for mood in expected)
    assert max(dialogue.mood.scores) < -0.5
    assert kinds(helped) == [("person", 2), ("mood", 2), ("burst", 3)]
    shown = helped._console.file.getvalue()
    assert shown.index(PAST_TURNS[1][1]) < shown.index("Warning: The customer asks for a person"), "said, then warned"
    assert shown.count("Warning:") == 3
    assert handover_summary(dialogue).count("message 2:") == 2


def test_a_long_past_is_heard_in_parts_though_the_agent_spoke_last(tmp_path):
    log = tmp_path / "log.jsonl"
    write(log, *[("customer", "WHERE IS IT"), ("customer", "I WILL SUE YOU")] * 25, ("agent", "One moment."))

    async def play(keyboard):
        await keyboard.sees("mood very bad", "27 warned of")
        await keyboard.until(lambda: len(keyboard.screen.assist.dialogue.mood.scores) == 50)
        assert not keyboard.screen.desk.calls, "nothing is asked"

    screen = use_screen(play, Listening(ANSWERS, PAST), log=FollowedLog(log))
    assert [place for place, text in screen.notes if "speaks of law" in text] == list(range(2, 51, 2))


def test_looking_at_the_same_turn_again_does_not_count_it_again(helped):
    helped.assist.customer_says("where is it?")
    helped.take("I SAID WHERE IS IT")
    for _ in range(5):
        helped.take("/skip")
    assert helped.assist.dialogue.mood.scores == (0.03, -0.94)
    assert kinds(helped) == []


def test_turns_in_a_row_are_heard_one_by_one(helped):
    for line in ("WHERE IS IT", "I WAIT SINCE MONDAY", "NOBODY ANSWERS"):
        helped.take(line)
    assert helped.assist.dialogue.mood.scores == (-0.94, -0.94, -0.94)
    assert kinds(helped) == [("mood", 2), ("burst", 3)]
    assert len(helped.pipeline.calls[-1].turns) == 1, "they are one question all the same"


def test_what_is_being_typed_is_not_heard_and_no_judgement_is_kept_of_it(tmp_path):
    log, draft = tmp_path / "log.jsonl", "I WILL SUE YOU"

    async def play(keyboard):
        screen = keyboard.screen
        await keyboard.sees("does not exist yet")
        write(log, ("customer", draft), typing=True)
        await keyboard.sees(f"typing> {draft}", BEST)
        await keyboard.settles()
        await keyboard.type("/handoff\r")
        await keyboard.sees("Nothing was asked yet")
        await keyboard.type(F4)
        await keyboard.sees("Skipped")
        write(log, ("customer", "where is it?"))
        await keyboard.until(lambda: screen.desk.calls[-1].turns[-1].text == "where is it?")
        write(log, ("customer", draft), typing=True)
        await keyboard.until(lambda: screen.desk.calls[-1].turns[-1].text.endswith(draft))
        await keyboard.settles()
        await keyboard.type("/handoff\r")
        await keyboard.sees("Hand-over of dialogue")
        assert draft not in keyboard.text
        await keyboard.type("\x03")
        await keyboard.until(lambda: screen.page is None)
        await keyboard.settles()
        await keyboard.type(F1)
        await keyboard.until(lambda: screen.assist.dialogue.turns[-1].role == "agent")
        await keyboard.settles()
        await keyboard.type(F1)
        await keyboard.until(lambda: len(screen.assist.dialogue.turns) == 3)
        await keyboard.until(lambda: screen.assist.dialogue.mood.scores)
        assert screen.assist.dialogue.mood.scores == (0.03,) and not screen.assist.dialogue.warnings

    screen = use_screen(play, Listening(ANSWERS, PAST), log=FollowedLog(log))
    assert [kept[1:] for kept in screen.book.kept] == [
        ("where is it?", None, "handed over"),
        ("where is it?", 7, "sent"),
    ], "what answers a draft after that answers nothing that was asked"


def test_moods_that_cannot_be_read_are_said_once_and_words_are_heard_all_the_same(tmp_path):
    log = tmp_path / "log.jsonl"
    write(log, ("customer", "I will sue you"))

    async def play(keyboard):
        await keyboard.sees("speaks of law", "internal error: ZeroDivisionError", BEST)
        write(log, ("customer", "where is it?"))
        await keyboard.until(lambda: len(keyboard.screen.desk.calls) == 2)

    class Deaf(FakePipeline):
        def read_moods(self, said):
            return said[1 // 0 :]

    screen = use_screen(play, Deaf(ANSWERS, PAST), log=FollowedLog(log))
    assert len([text for _, text in screen.notes if "ZeroDivision" in text]) <= 2


def test_a_warning_is_told_once_the_customer_has_said_it_and_stands_in_the_summary():
    wish = "this is useless, let me talk to a real person please"

    async def play(keyboard):
        await keyboard.type(wish)
        await keyboard.settles()
        assert "Warning" not in keyboard.text, "it is not said yet"
        await keyboard.type("\r")
        await keyboard.sees("Warning: The customer asks for a person:", "1 warned of")
        await keyboard.type("/handoff\r")
        await keyboard.sees("Warnings: message 1: The customer asks for a person:")
        await keyboard.type("\x03")
        await keyboard.type("/skip\r")
        await keyboard.sees("Skipped")

    screen = use_screen(play)
    assert sum("Warning" in text for _, text in screen.notes) == 1, "skipping asks again, and warns no second time"


def test_the_status_line_tells_how_the_customer_sounds():
    async def play(keyboard):
        await keyboard.type("nobody answers me\r")
        await keyboard.sees("mood bad (-0.45), falling")

    desk = FakePipeline(ANSWERS, PAST)
    desk.mood = Mood(0.92, 0.06, 0.02)
    use_screen(play, desk)


def test_a_new_dialogue_in_the_log_is_said_before_its_first_message(tmp_path):
    log = tmp_path / "log.jsonl"
    write(log, ("customer", "where is it?"), ("agent", "One moment."), ("customer", "thanks"), conversation="one")

    async def play(keyboard):
        await keyboard.sees("customer> thanks")
        write(log, ("customer", "my lamp is dark"), conversation="two")
        await keyboard.sees("- A new dialogue begins. customer> my lamp is dark")

    # Narrow, so that nothing stands beside the dialogue.
    use_screen(play, log=FollowedLog(log), columns=80)


def test_what_is_only_being_written_cannot_be_judged(helped, tmp_path):
    log = tmp_path / "running.jsonl"
    write(log, ("customer", "can I return"), typing=True)
    helped._as_json = True
    followed(helped, log, lambda: helped.assist.best)
    assert helped.assist.best
    helped.take("/good 1")
    helped.take("/bad 2")
    assert helped.book.kept == []
    assert helped._console.file.getvalue().count("what is only being written cannot be judged") == 2


def test_a_customer_who_logs_in_keeps_the_dialogue_and_what_is_known_of_them_joins_it(helped, tmp_path):
    log = tmp_path / "running.jsonl"
    write(log, ("customer", "this is terrible, my lamp is dark"), ("agent", "Please log in."), conversation="c1")
    write(log, ("customer", "done, and now?"), conversation="c1", customer="c-7")
    with lamp_desk(tmp_path).store() as store:
        helped.pipeline.store = store
        followed(helped, log, lambda: helped.assist.best)
    request = helped.pipeline.calls[-1]
    assert [turn.role for turn in request.turns] == ["customer", "agent", "customer"]
    assert "no luck, still dark" in request.earlier[-2].text
    assert helped.assist.dialogue.moods.keys() == {1, 2} and "A new dialogue" not in helped._console.file.getvalue()


@pytest.mark.parametrize("before", [(), (("customer", "where is it?"), ("agent", "One moment."))])
def test_what_was_sent_while_the_customer_still_wrote_is_not_judged_for_another_question(helped, tmp_path, before):
    log = tmp_path / "running.jsonl"
    write(log, *before)
    write(log, ("customer", "can I return"), typing=True)
    helped._as_json = True
    followed(helped, log, lambda: helped.assist.best)
    for line in ("/send 1", "/good", "/bad"):
        helped.take(line)
    assert helped.assist.dialogue.turns[-1].text == BEST and helped.book.kept == []
    assert helped._console.file.getvalue().count("what is only being written cannot be judged") == 2
    for line in ("can I return it?", "/send 1", "/good"):
        helped.take(line)
    assert [kept[1:] for kept in helped.book.kept] == [
        ("can I return it?", 7, "sent"),
        ("can I return it?", 7, "good"),
    ]


def test_a_judgement_that_cannot_be_kept_is_said_and_the_log_is_followed_on(helped, tmp_path):
    log, helped.book = tmp_path / "running.jsonl", FullBook()
    write(log, ("customer", "can I return it?"))
    followed(helped, log, lambda: helped.assist.best)
    for event in (Said(Turn("agent", BEST)), Said(Turn("customer", "thank you"))):
        helped._heard(event)
    assert "This could not be kept: The store cannot be written." in helped._console.file.getvalue()
    assert [turn.text for turn in helped.assist.dialogue.turns] == ["can I return it?", BEST, "thank you"]


def test_a_number_means_the_suggestion_that_was_printed_with_it_whatever_the_log_says_meanwhile(helped, tmp_path):
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    write(first, ("customer", "can I return it?"))
    followed(helped, first, lambda: len(helped.assist.best) == 3)
    helped.pipeline.candidates = ANSWERS[1:]
    write(second, ("customer", "and when?"))
    followed(helped, second, lambda: len(helped.assist.best) == 2)
    printed = helped._console.file.getvalue()
    assert f"1. {BEST}" in printed and f"4. {ANSWERS[1].text}" in printed
    for line in ("/send 1", "/edit 1 Certainly!", "/good 1", "/why 1", "/send 6"):
        helped.take(line)
    assert [turn.role for turn in helped.assist.dialogue.turns] == ["customer"] * 2 and helped.book.kept == []
    said = helped._console.file.getvalue()
    assert said.count("Suggestion 1 is no longer suggested: the best is number 4 now.") == 4
    assert "no suggestion 6" in said
    helped.take("/send 2")
    assert helped.assist.dialogue.turns[-1].text == ANSWERS[1].text, "it is still suggested, as number 4"


def test_json_tells_the_number_of_each_suggestion(helped, tmp_path, capsys):
    log = tmp_path / "log.jsonl"
    helped._as_json = True
    write(log, ("customer", "can I return it?"))
    followed(helped, log, lambda: helped.assist.best)
    helped.take("/skip")
    helped.take("/say One moment.")
    helped.take("hello?")
    lists = [json.loads(line).get("suggestions") for line in capsys.readouterr().out.splitlines()]
    assert [[one["number"] for one in found] for found in lists if found] == [[1, 2, 3], [4, 5, 6]]
    helped.take("/send 5")
    assert json.loads(capsys.readouterr().out)["sent"] == ANSWERS[1].text
