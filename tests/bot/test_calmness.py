"""How calm a whole conversation is, from the moods of its customer's turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.mood import calmness
from training.mood import Mood

CALM, MILD, ANGRY, THANKFUL = (
    Mood(0.02, 0.96, 0.02),
    Mood(0.4, 0.6, 0.0),
    Mood(0.97, 0.03, 0.0),
    Mood(0.02, 0.0, 0.98),
)
SHARES = st.floats(0, 1)


@given(st.lists(SHARES, min_size=1, max_size=8), st.data())
def test_a_turn_that_is_more_negative_never_makes_it_calmer(negative, data):
    moods = [Mood(one, 1 - one, 0.0) for one in negative]
    place = data.draw(st.integers(0, len(moods) - 1))
    worse = data.draw(st.floats(negative[place], 1))
    assert calmness([*moods[:place], Mood(worse, 1 - worse, 0.0), *moods[place + 1 :]]) <= calmness(moods) + 1e-12


@given(st.integers(1, 30), SHARES)
def test_a_conversation_is_not_calmer_for_being_longer(turns, negative):
    mood = Mood(negative, 1 - negative, 0.0)
    assert calmness([mood] * turns) == pytest.approx(calmness([mood]))


def test_what_is_asked_for_first_counts_less_than_how_it_goes_on():
    assert calmness([CALM, CALM, ANGRY]) < calmness([ANGRY, CALM, CALM]) < calmness([CALM, CALM, CALM])


def test_one_angry_turn_is_told_from_two_mild_ones_and_thanks_from_calm():
    assert calmness([CALM, ANGRY, CALM]) < calmness([CALM, CALM, MILD])
    assert calmness([CALM, MILD, MILD]) < calmness([CALM, CALM, CALM]) < calmness([CALM, CALM, THANKFUL])


@given(st.lists(st.sampled_from([Mood(1.0, 0.0, 0.0), Mood(0.0, 0.0, 1.0)]), min_size=1, max_size=5))
def test_a_head_that_is_wholly_sure_does_not_break_it(moods):
    assert abs(calmness(moods)) < 6
