"""The pages of `attendant assist`, and what /help and the bottom bar say of its keys."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from assist_fakes import use_screen, verdicts
from chat_fakes import ANSWERS, PAST, FakePipeline, make_chat, shown
from prompt_toolkit.data_structures import Size
from prompt_toolkit.utils import get_cwidth

from bot.assist_commands import BAR, COMMANDS, KEYS, help_text
from bot.assist_pages import Page
from bot.chat_commands import KEYS as CHAT_KEYS
from bot.chat_commands import TOOLBAR
from bot.chat_input import chat_keys
from bot.why_view import why_view
from conversations.model import Turn

F1 = "\x1bOP"


def test_pages_open_and_close_and_commands_say_what_is_missing(tmp_path):
    async def play(keyboard):
        for line, said in {
            "/why": "nothing to explain yet",
            "/nonsense": "no command /nonsense",
            "/send": "Say which",
            "/send 4": "nothing to suggest",
            "/say": "Say what",
            "/save": "Say where",
        }.items():
            await keyboard.type(f"{line}\r")
            await keyboard.sees(said)
        await keyboard.type("/help\r")
        await keyboard.sees("Keys", "Commands", "/handoff")
        await keyboard.type("\x03parcel lost\r")
        await keyboard.settles()
        await keyboard.type("/why\r")
        await keyboard.sees("Confidence: fairly sure", "outcome: resolved")
        await keyboard.type("\r/why 3\r")
        await keyboard.sees("Another answer was ranked first")
        await keyboard.type("\r/handoff\r")
        await keyboard.sees("Hand-over of dialogue")
        await keyboard.type(f"\r/save {tmp_path / 'd.jsonl'}\r")
        await keyboard.sees("Saved to")
        await keyboard.type("/new\r")
        await keyboard.until(lambda: keyboard.screen.assist.dialogue.turns == ())

    assert verdicts(use_screen(play)) == [(None, "handed over")]
    saved = json.loads((tmp_path / "d.jsonl").read_text())
    assert saved["source"] == "attendant assist" and saved["meta"] == {"outcome": "handed_over"}
    assert [(turn["role"], turn["text"]) for turn in saved["turns"]] == [("customer", "parcel lost")]


def test_why_tells_of_the_suggestion_that_was_sent_when_there_is_none_on_the_screen():
    async def play(keyboard):
        await keyboard.type("parcel lost\r")
        await keyboard.settles()
        await keyboard.type("\x1bOQ")
        # Whether the answer was withdrawn meanwhile is looked up first.
        await keyboard.until(lambda: keyboard.screen.assist.dialogue.sent is not None)
        await keyboard.type("/why\r")
        await keyboard.sees("Another answer was ranked first")
        await keyboard.type("\r/say Something of my own.\rparcel lost\r")
        await keyboard.settles()
        await keyboard.type("/say My own words.\r/why\r")
        await keyboard.sees("Confidence: fairly sure")
        assert "Another answer" not in " ".join(keyboard.rows)
        await keyboard.type("\r/new\r/why\r")
        await keyboard.sees("nothing to explain yet")

    use_screen(play)


def test_a_hand_over_is_over_when_the_customer_asks_again(tmp_path):
    paths = [tmp_path / f"{name}.jsonl" for name in ("handed", "asked", "answered")]

    async def play(keyboard):
        await keyboard.type("parcel lost\r")
        await keyboard.settles()
        await keyboard.type(f"/handoff\r\r/say A colleague takes over.\r\t/save {paths[0]}\r")
        await keyboard.sees("handed.jsonl.")
        await keyboard.type(f"\tand where is it?\r/save {paths[1]}\r")
        await keyboard.sees("asked.jsonl.")
        await keyboard.settles()
        await keyboard.type(F1)
        await keyboard.until(lambda: keyboard.screen.assist.dialogue.sent is not None)
        await keyboard.type(f"/save {paths[2]}\r")
        await keyboard.sees("answered.jsonl.")

    use_screen(play)
    outcomes = [json.loads(path.read_text())["meta"]["outcome"] for path in paths]
    assert outcomes == ["handed_over", "open", "answered"]


@pytest.mark.parametrize("columns", [60, 80, 120, 160])
def test_the_bar_shows_as_many_keys_as_there_is_room_for(columns):
    async def play(keyboard):
        await keyboard.sees("Suggestions come")
        bar = keyboard.rows[-1]
        assert bar.startswith("F1-3 send F5-7 edit F4 skip Tab who /help Ctrl-D leave") and get_cwidth(bar) <= columns
        left_out = [part for part in BAR if part not in bar]
        assert all(get_cwidth(f"{bar} {part}") > columns for part in left_out)
        assert bool(left_out) == (columns < 160)

    use_screen(play, columns=columns)


@pytest.mark.parametrize(("keys", "bar"), [(KEYS, BAR), (CHAT_KEYS, TOOLBAR)])
def test_the_bar_knows_every_key_that_help_lists(keys, bar):
    def each(found):
        return " ".join(f"F{number}" for number in range(int(found[1]), int(found[2]) + 1))

    named = re.sub(r"F(\d)-(\d)", each, " ".join(bar))
    assert [name for name in ", ".join(keys).split(", ") if name not in named] == []


def chat_help():
    chat = make_chat()
    chat.take("/help")
    return shown(chat)


def bound(keys):
    """Keys as /help writes them."""
    written = {"enter": "Enter", "tab": "Tab", "pageup": "PgUp", "pagedown": "PgDn", "up": "Up", "down": "Down"}
    aliases = {"c-m": "enter", "c-i": "tab"}
    for binding in keys.bindings:
        names = [getattr(key, "value", key) for key in binding.keys]
        if not names[-1].startswith("<"):  # a signal, a paste and a mouse are none
            *alt, name = (aliases.get(name, name) for name in names)
            assert alt in ([], ["escape"])
            named = written.get(name, name.upper().replace("C-", "Ctrl-"))
            yield f"Alt-{named}" if alt else named


def test_help_lists_every_key_that_is_bound():
    screen = use_screen(lambda keyboard: keyboard.sees("Suggestions come"))
    # Of what prompt_toolkit itself binds, what nobody could guess: history and completion.
    by_default = {"Up", "Down"}
    for keys, text, others in (
        (screen.application.key_bindings, help_text(), by_default),
        (chat_keys(make_chat()), chat_help(), {*by_default, "Tab"}),
    ):
        listed = {*bound(keys), *others}
        assert len(listed) >= 6
        assert [name for name in sorted(listed) if not re.search(rf"\b{name}\b", text)] == []


def test_help_names_every_command_and_key():
    text = help_text()
    assert all(f"/{name}" in text for name in COMMANDS) and all(key in text for key in KEYS)


def test_suggestions_are_judged_once_they_stand():
    async def play(keyboard):
        await keyboard.type("can I return it?\r")
        await keyboard.settles()
        for command, said in (
            ("/bad 4", "no suggestion 4"),
            ("/bad yes", "Say which"),
            ("/good 2", "Kept as a good"),
        ):
            await keyboard.type(f"{command}\r")
            await keyboard.sees(said)
        await keyboard.settles()
        await keyboard.type("/bad 1\r")
        await keyboard.sees("Kept as a bad answer")
        await keyboard.until(lambda: len(keyboard.screen.assist.best) == 2)
        await keyboard.settles()
        await keyboard.type("/send 1\r")
        await keyboard.sees("you> You can return it")
        await keyboard.type("\t/good\r")
        await keyboard.until(lambda: len(keyboard.screen.book.kept) == 4)

    assert verdicts(use_screen(play)) == [(8, "good"), (7, "bad"), (8, "sent"), (8, "good")]


def test_help_keeps_its_indentation():
    async def play(keyboard):
        await keyboard.type("/help\r")
        await keyboard.until(lambda: any(row.startswith("  F1, F2, F3") for row in keyboard.rows))

    use_screen(play)


def test_a_drawn_page_follows_the_width_of_the_terminal():
    async def play(keyboard):
        await keyboard.type(
            "where is my parcel? I have asked for it three times by now and nobody tells me anything at all\r"
        )
        await keyboard.settles()
        await keyboard.type("/why\r")
        await keyboard.sees("Confidence: fairly sure", "three times by now and nobody tells me anything at all")
        for columns in (60, 90):
            keyboard.screen.application.output.size = Size(rows=50, columns=columns)
            keyboard.screen.application._on_resize()
            await keyboard.sees("three times by now and nobody tells me anything at all")

    use_screen(play, rows=50)


@pytest.mark.parametrize("width", [20, 60, 120])
def test_joined_emoji_are_drawn_side_by_side_on_every_page(width):
    family = "👩\u200d👩\u200d👧 ❤\ufe0f 👍\U0001f3fd "
    turns = (Turn("customer", family * 12),)
    desk = FakePipeline(ANSWERS, PAST)
    answer = desk.answer(turns)
    for content in (family * 12, why_view(turns, answer, desk.explain(desk.calls[-1], answer), desk)):
        lines = ["".join(part[1] for part in line) for line in Page(content).lines(width, 500)]
        assert all(get_cwidth(line) <= width for line in lines)
        text = "".join(lines)
        assert text.count("👩") >= 24 and not set(text) & {"\u200d", "\ufe0f", "\U0001f3fd"}


def test_escape_at_the_end_of_reading_does_not_make_the_next_digit_send_a_suggestion():
    async def play(keyboard):
        await keyboard.type("can I return it?\r")
        await keyboard.settles()
        await keyboard.type("\x1b")
        await asyncio.sleep(0.3)
        await keyboard.type("2 days at most")
        await keyboard.sees("you> 2 days at most")
        assert [turn.role for turn in keyboard.screen.assist.dialogue.turns] == ["customer"]

    use_screen(play)
