"""Lines that fit whatever they hold."""

from __future__ import annotations

import re

from chat_fakes import ANSWERS, HOSTILE, assert_harmless
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.utils import get_cwidth

from bot.assist_panes import cut, dialogue_lines, fair_shares, suggestion_lines, wrapped
from bot.steady import steady
from bot.suggestions import Suggestion
from conversations.model import Turn

TEXT = st.text(st.sampled_from("ab \n我的👩👧\u200d\ufe0fe\u0301é\t包,.\U0001f3fd"), max_size=80)
BEST = [Suggestion(one, 0.7 / place, "from conversation x") for place, one in enumerate(ANSWERS, 1)]


def width_of(line):
    return get_cwidth("".join(piece[1] for piece in line))


@given(TEXT, st.integers(2, 40))
def test_wrapped_lines_fit_and_lose_only_blanks(text, width):
    lines = wrapped(text, width)
    assert all(get_cwidth(line) <= width for line in lines)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", steady(text))


@given(TEXT, st.integers(2, 40))
def test_cut_lines_fit_and_begin_as_the_text_does(text, width):
    line = cut(text, width)
    assert get_cwidth(line) <= width and "\n" not in line
    assert " ".join(steady(text).split()).startswith(line.removesuffix("…"))


@given(st.lists(st.integers(0, 30), max_size=5), st.integers(0, 60))
def test_fair_shares_fill_the_height_and_exceed_no_wish(wanted, height):
    shares = fair_shares(wanted, height)
    assert all(0 <= share <= wish for share, wish in zip(shares, wanted, strict=True))
    assert sum(shares) == min(sum(wanted), height)


@given(st.integers(8, 120), st.integers(1, 40))
def test_suggestions_fit_their_pane_and_each_keeps_its_key(width, height):
    lines = suggestion_lines(BEST, "", width, height)
    assert len(lines) <= height and all(width_of(line) <= width for line in lines)
    if height >= 3:
        text = " ".join("".join(piece[1] for piece in line) for line in lines)
        assert all(f"F{number}" in text for number in (1, 2, 3))


@given(st.lists(TEXT.filter(str.strip), max_size=6), st.integers(12, 60), st.integers(1, 20), st.integers(0, 50))
def test_the_dialogue_fits_its_pane(texts, width, height, scrolled):
    turns = [Turn("agent" if place % 2 else "customer", text) for place, text in enumerate(texts)]
    lines = dialogue_lines(turns, [(0, "a note"), (len(turns), "another")], "typing", width, height, scrolled)
    assert len(lines) <= height and all(width_of(line) <= width for line in lines)


def test_the_end_of_a_dialogue_is_in_sight_until_it_is_scrolled():
    turns = [Turn("customer", f"turn {number}") for number in range(30)]
    shown = ["".join(piece[1] for piece in line) for line in dialogue_lines(turns, [], "", 40, 5)]
    assert shown[-1] == "customer> turn 29" and len(shown) == 5
    back = dialogue_lines(turns, [], "", 40, 5, scrolled=10)
    assert "".join(piece[1] for piece in back[-1]) == "customer> turn 19"


def test_notes_stand_where_they_were_said():
    turns = [Turn("customer", "one"), Turn("agent", "two")]
    lines = dialogue_lines(turns, [(0, "begun"), (1, "asked"), (2, "end")], "", 40, 20)
    text = ["".join(piece[1] for piece in line) for line in lines]
    assert text == ["- begun", "customer> one", "- asked", "you> two", "- end"]


def test_hostile_text_is_harmless():
    lines = dialogue_lines([Turn("customer", HOSTILE)], [(1, HOSTILE)], HOSTILE, 60, 50)
    lines += suggestion_lines([Suggestion(ANSWERS[0], 0.5, HOSTILE)], "", 60, 20)
    lines += suggestion_lines([], HOSTILE, 60, 20)
    assert_harmless("".join(piece[1] for line in lines for piece in line))
