"""The screen of `attendant assist`, driven by keys and read cell by cell."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from assist_fakes import Keyboard, use_screen, verdicts
from chat_fakes import ANSWERS, HOSTILE, assert_harmless, hostile_pipeline, timeless
from prompt_toolkit.data_structures import Size
from prompt_toolkit.utils import get_cwidth

from bot.assist_commands import BAR
from bot.following import FollowedLog
from conversations.errors import DeskError
from conversations.model import Turn
from conversations.moments import this_moment

F1, F2, F4 = "\x1bOP", "\x1bOQ", "\x1bOS"
BEST, SECOND, THIRD = (one.text for one in ANSWERS)


def paste(text):
    return f"\x1b[200~{text}\x1b[201~"


def test_suggestions_come_while_the_customer_is_still_writing():
    async def play(keyboard: Keyboard):
        await keyboard.type("can I ret")
        await keyboard.sees("F1 fairly sure, 72 %", BEST, SECOND, THIRD, "conversation lw-2001, turn 2, 2025-02-18")
        assert keyboard.screen.assist.dialogue.turns == ()
        assert set(keyboard.screen.desk.counted) == {34}
        await keyboard.type("urn it?\r")
        await keyboard.sees("customer> can I return it?")
        await keyboard.until(lambda: keyboard.screen.desk.counted[-1] is None)

    use_screen(play)


@pytest.mark.parametrize(("keys", "sent"), [(F1, BEST), (F2, SECOND), ("\x1b3", THIRD), ("\t/send 2\r", SECOND)])
def test_a_key_sends_a_suggestion_and_what_was_being_written_counts_as_said(keys, sent):
    async def play(keyboard):
        await keyboard.type("can I return it?")
        await keyboard.settles()
        await keyboard.type(keys)
        await keyboard.sees(f"you> {sent}")
        turns = keyboard.screen.assist.dialogue.turns
        assert timeless(turns) == (Turn("customer", "can I return it?"), Turn("agent", sent))
        assert keyboard.screen.line.buffer.text == ""

    screen = use_screen(play)
    assert [verdict for _, verdict in verdicts(screen)] == ["sent"]


def test_skipping_asks_for_others_and_own_words_pass_over_what_was_suggested():
    async def play(keyboard):
        await keyboard.type("can I return it?\r")
        await keyboard.settles()
        await keyboard.type(F4)
        await keyboard.until(lambda: keyboard.screen.desk.calls[-1].rejected == (BEST, SECOND, THIRD))
        await keyboard.sees("Skipped", "No past answer is left to suggest.")
        await keyboard.type("Let me ask my colleague.\r")
        await keyboard.sees("you> Let me ask my colleague.")

    screen = use_screen(play)
    assert verdicts(screen) == [(7, "skipped"), (8, "skipped"), (9, "skipped")]


def test_a_suggestion_that_has_just_changed_is_not_sent():
    async def play(keyboard):
        await keyboard.type("can I return it?")
        await keyboard.until(lambda: keyboard.screen.assist.best)
        keyboard.screen.assist.offered._since = [keyboard.screen.assist.offered._clock()] * 3
        await keyboard.type(F1)
        await keyboard.sees("Suggestion 1 has just changed")
        assert keyboard.screen.assist.dialogue.turns == ()

    assert verdicts(use_screen(play)) == []


def test_tab_lets_the_other_one_write_and_keeps_what_each_had_begun():
    async def play(keyboard):
        await keyboard.type("half a question\thalf an answer\t")
        await keyboard.sees("customer> half a question")
        await keyboard.type("\t")
        await keyboard.sees("you> half an answer")

    use_screen(play)


def test_ctrl_c_goes_back_step_by_step_and_twice_leaves():
    async def play(keyboard):
        await keyboard.type("half a message")
        await keyboard.type("\x03")
        await keyboard.until(lambda: not keyboard.screen.line.buffer.text)
        await keyboard.type("\x03")
        await keyboard.sees("Ctrl-C again")
        await keyboard.type("\x03")
        await keyboard.until(
            lambda: keyboard.screen.application.is_done or not keyboard.screen.application.is_running
        )

    use_screen(play)


def test_a_long_paste_is_cut_with_a_notice():
    async def play(keyboard):
        typist = threading.Thread(target=keyboard._pipe.send_text, args=(paste("a line of text\n" * 700) + "\r",))
        typist.start()
        await keyboard.sees("Only the first 8,000 characters")
        assert len(keyboard.screen.assist.dialogue.turns[0].text) <= 8_000
        typist.join(5)

    use_screen(play)


def test_what_goes_wrong_on_the_thread_is_said_and_the_screen_goes_on():
    async def play(keyboard):
        keyboard.screen.desk.failure = DeskError("The store is gone.", "Put it back.")
        await keyboard.type("first\r")
        await keyboard.sees("The store is gone. Put it back.")
        keyboard.screen.desk.failure = ZeroDivisionError("oh")
        await keyboard.type("\tsecond\r")
        await keyboard.sees("internal error: ZeroDivisionError: oh")
        keyboard.screen.desk.failure = None
        await keyboard.type("\tthird\r")
        await keyboard.settles()

    assert len(use_screen(play).assist.dialogue.turns) == 3


def test_only_the_newest_wish_is_carried_out_to_its_end():
    async def play(keyboard):
        keyboard.screen.desk.wait = 0.2
        for letter in "parcel":
            await keyboard.type(letter)
            await asyncio.sleep(0.03)
        await keyboard.settles()
        assert [call.turns[-1].text for call in keyboard.screen.desk.calls] == ["parcel"]

    use_screen(play)


@pytest.mark.parametrize("columns", [60, 80, 99, 100, 200])
@pytest.mark.parametrize("rows", [12, 40])
def test_every_size_shows_dialogue_three_suggestions_line_and_keys(columns, rows):
    async def play(keyboard):
        await keyboard.type("where is it? 我的包裹在哪里 👩\u200d👩\u200d👧 e\u0301\r")
        await keyboard.settles()
        await keyboard.sees("F1", "F2", "F3", "72 %", "An opened", "where is it?", "you>", *BAR[:6])
        if rows > 12:
            await keyboard.sees(BEST, SECOND, THIRD)
        assert len(keyboard.rows) == rows
        assert all(get_cwidth(row) <= columns for row in keyboard.rows)
        if columns >= 100:
            bars = {get_cwidth(row[: row.index("│")]) for row in keyboard.rows if "│" in row}
            assert len(bars) == 1, "the line between them is straight"

    use_screen(play, columns=columns, rows=rows)


def test_it_follows_the_terminal_from_60_to_200_columns():
    async def play(keyboard):
        await keyboard.type("where is it?\r")
        await keyboard.settles()
        for columns in (60, 200, 75, 120, 60):
            keyboard.screen.application.output.size = Size(rows=24, columns=columns)
            keyboard.screen.application._on_resize()
            await keyboard.sees("where is it?", BEST, THIRD, *BAR[:6])
            assert any("│" in row for row in keyboard.rows) == (columns >= 100)

    use_screen(play)


def test_joined_emoji_being_written_are_as_wide_as_they_are_counted_and_stay_joined_in_what_is_said():
    family = "👩\u200d👩\u200d👧 ❤\ufe0f 👍\U0001f3fd"

    async def play(keyboard):
        await keyboard.type(family)
        await keyboard.sees("customer> 👩·👩·👧 ❤· 👍·")
        await keyboard.type("\r")
        await keyboard.sees("customer> 👩👩👧 ❤ 👍")
        assert keyboard.screen.assist.dialogue.turns[0].text == family

    use_screen(play)


def test_hostile_text_is_harmless_everywhere(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps({"role": "customer", "text": HOSTILE}) + "\n" + HOSTILE.replace("\udc80", "") + "\n")

    async def play(keyboard):
        await keyboard.sees("customer> clip", "[/refund]", "line 2")
        await keyboard.settles()
        await keyboard.type(paste(HOSTILE.replace("\udc80", "")) + "\r")
        for line in ("/why\r", "\r/handoff\r", "\r/help\r", "\r"):
            await keyboard.type(line)
            await asyncio.sleep(0.05)
            assert_harmless("".join(keyboard.rows))
        keyboard.screen.tell(HOSTILE)
        await keyboard.sees(":smile:")
        assert_harmless("".join(keyboard.rows))

    use_screen(play, hostile_pipeline(), title=HOSTILE, log=FollowedLog(log))


def test_a_followed_log_is_suggested_for_and_its_echo_is_not_said_twice(tmp_path):
    log = tmp_path / "log.jsonl"

    def grow(**row):
        with log.open("a") as file:
            file.write(json.dumps(row) + "\n")

    async def play(keyboard):
        await keyboard.sees("does not exist yet")
        grow(role="customer", text="where is", typing=True)
        await keyboard.sees("customer, typing> where is", BEST)
        grow(role="customer", text="where is it?", at="2025-02-18T12:04:10Z")
        await keyboard.sees("customer> where is it?")
        await keyboard.until(lambda: keyboard.screen.desk.calls[-1].turns[-1].text == "where is it?")
        await keyboard.settles()
        await keyboard.type(F1)
        await keyboard.sees(f"you> {BEST}")
        grow(role="agent", text=BEST)
        grow(role="customer", text="thanks")
        await keyboard.sees("customer> thanks")
        assert [turn.text for turn in keyboard.screen.assist.dialogue.turns] == ["where is it?", BEST, "thanks"]

    assert verdicts(use_screen(play, log=FollowedLog(log))) == [(7, "sent")]


def test_turns_that_come_while_they_are_followed_are_saved_with_their_time(tmp_path):
    log, saved = tmp_path / "log.jsonl", tmp_path / "saved.jsonl"
    past = {"role": "customer", "text": "hello"}
    log.write_text(json.dumps(past) + "\n")

    async def play(keyboard):
        await keyboard.sees("customer> hello", "F1")
        live = [{"role": "agent", "text": "Hi!"}, {"role": "customer", "text": "where is it?"}]
        dated = {"role": "customer", "text": "please", "at": "2025-02-18T12:04:10Z"}
        for row in (*live, dated):
            with log.open("a") as file:
                file.write(json.dumps(row) + "\n")
        await keyboard.sees("customer> please")
        log.write_text("".join(json.dumps(row) + "\n" for row in (past, *live)))
        await keyboard.sees("cut or replaced")
        with log.open("a") as file:
            file.write(json.dumps(dated) + "\n" + json.dumps({"role": "customer", "text": "now!"}) + "\n")
        await keyboard.sees("customer> now!")
        await keyboard.type(f"/save {saved}\r")
        await keyboard.sees("Saved to")

    before = this_moment()
    use_screen(play, log=FollowedLog(log), columns=80)
    turns = [(turn["text"], turn.get("at")) for turn in json.loads(saved.read_text())["turns"]]
    assert [text for text, _ in turns] == ["hello", "Hi!", "where is it?", "please", "now!"], "nothing is said twice"
    times = dict(turns)
    assert (times["hello"], times["please"]) == (None, "2025-02-18T12:04:10Z"), "when the past was said nobody knows"
    assert all(before <= times[text] <= this_moment() for text in ("Hi!", "where is it?", "now!"))


def test_leaving_twice_is_leaving_once():
    async def play(keyboard):
        waits = threading.Event()
        keyboard.screen.on_desk(lambda: waits.wait(10))
        await keyboard.type("\x04\x04")
        await asyncio.sleep(0.2)
        waits.set()
        await keyboard.until(lambda: not keyboard.screen.application.is_running)

    use_screen(play)
