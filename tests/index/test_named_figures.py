"""Figures that an answer names beside another that counts as the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.equality import says_the_same
from index.named_figures import figures_in, other_figures

SAME = [
    ("The room is free at 7 pm.", "The room is free at 19:00."),
    ("It is £4.50 by post, in ten days.", "It is 4,50 pounds by post, in 10 days."),
    ("We close on Sundays and in December.", "We close on sunday and in Dec."),
    ("Call us at noon, one day before.", "Call us at 12 pm, 1 day before."),
    ("A deposit of $1,000 is due.", "A deposit of 1000.00 USD is due."),
    ("Your code is RTX-4090.", "Your code is rtx4090."),
    ("Your order LW-0000 is with <NAME_2>.", "Your order is with <NAME_7>."),
    ("See https://example.org/a1 for it.", "See https://example.org/b2 for it."),
    ("You may send it back.", "It can be sent back."),
    ("我们周一20元", "我们星期一¥20"),
]
OTHER = [
    ("The room is free at 7 pm.", "The room is free at 7 am."),
    ("It is $20 by post.", "It is £20 by post."),
    ("It is $20 by post.", "It is $20.50 by post."),
    ("The party is on Friday.", "The party is on Sunday."),
    ("It is delivered in May.", "It is delivered in June."),
    ("It is delivered on 03/04/2026.", "It is delivered on 04/03/2026."),
    ("Take the part E45.", "Take the part F45."),
    ("It has -5 degrees.", "It has 5 degrees."),
    ("Twenty-five of them are left.", "Twenty of them are left."),
    ("我们周一到", "我们周二到"),
]


@pytest.mark.parametrize(("answer", "own"), SAME)
def test_one_figure_written_in_two_ways_is_no_other(answer, own):
    assert not other_figures(answer, own) and not other_figures(own, answer)


@pytest.mark.parametrize(("answer", "own"), OTHER)
def test_another_figure_is_told_either_way_but_where_only_one_of_the_two_names_it(answer, own):
    assert other_figures(answer, own)
    assert other_figures(own, answer) or figures_in(own) < figures_in(answer)


def test_it_tells_what_counting_as_the_same_lets_through():
    own, other = "Your party is booked at the North Heights Venue on Friday at 8 pm!", "on Tuesday at 12 pm!"
    other = own.replace("on Friday at 8 pm!", other)
    assert says_the_same(own, other) and other_figures(other, own)


@given(st.text(alphabet=st.sampled_from("01259٣½²①,.:/-#apm $€%元周一onemay<>[]\n")))
def test_no_text_other_figures_than_itself(text):
    assert not other_figures(text, text)


def test_a_number_may_be_longer_than_what_can_be_reckoned_with():
    assert figures_in("0" + "7" * 5_000) == {"7" * 5_000}
