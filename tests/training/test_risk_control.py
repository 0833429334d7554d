"""The promise of a threshold, on simulated conversations whose turns go wrong together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.risk_control import DOUBT, independent_cases, kept, least_cases, trades, upper_bound


def simulated(generator, conversations, turns, together):
    """Confidence, whether right, and conversation of each turn: right with a chance that is the confidence.

    The confidence of a conversation's turns is alike, and a share of the turns, the root of `together`, is right or
    wrong by one draw for their whole conversation.
    """
    group = np.repeat(np.arange(conversations), turns)
    confidence = 0.8 * generator.random(conversations)[group] + 0.2 * generator.random(len(group))
    is_shared = generator.random(len(group)) < np.sqrt(together)
    drawn = np.where(is_shared, generator.random(conversations)[group], generator.random(len(group)))
    return confidence, drawn < confidence, group


MANY, _, _ = simulated(np.random.default_rng(99), 5_000, 10, 0.0)


def true_risk(threshold):
    return (1 - MANY[threshold <= MANY]).mean()


def broken_promises(together, as_if_independent=False, rounds=200):
    """How often the threshold chosen on 100 conversations has a true risk above the promised one."""
    generator = np.random.default_rng(5)
    broken = 0
    for _ in range(rounds):
        confidence, right, group = simulated(generator, 100, 10, together)
        taken_for = np.arange(len(group)) if as_if_independent else group
        chosen = kept(trades(confidence, right, taken_for, 0.15), 0.15)
        broken += chosen is not None and true_risk(chosen.threshold) > 0.15
    return broken / rounds


@pytest.mark.parametrize("together", [0.0, 0.2, 0.6])
def test_the_promise_holds_where_turns_of_one_conversation_go_wrong_together(together):
    assert broken_promises(together) <= DOUBT


def test_taken_for_independent_they_would_break_it():
    assert broken_promises(0.6, as_if_independent=True) > 1.5 * DOUBT


def test_turns_that_are_wrong_in_whole_conversations_count_as_one_each():
    group = np.repeat(np.arange(50), 8)
    whole = np.isin(group, np.arange(10))
    assert independent_cases(whole, group) == pytest.approx(50, rel=0.05)
    spread_out = np.tile(np.arange(8) < 2, 50)
    assert independent_cases(spread_out, group) > 390


def test_one_conversation_promises_nothing():
    confidence = np.linspace(1, 0.5, 300)
    assert independent_cases(np.zeros(300, bool), np.zeros(300)) == 0
    assert upper_bound(0, 0) == 1
    assert trades(confidence, np.ones(300, bool), np.zeros(300), 0.05) == []
    some = trades(confidence, np.ones(300, bool), np.arange(300) // 100, 0.2)
    assert kept(some, 0.2) is not None and some[0].answered > least_cases(0.2), "three take more turns than many"


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=1, max_size=200))
def test_conversations_never_count_as_more_cases_than_they_have_turns(cases):
    wrong, group = np.array([one for one, _ in cases]), np.array([number for _, number in cases])
    found = independent_cases(wrong, group)
    assert 0 <= found <= len(cases) + 1e-9
    assert upper_bound(wrong.mean() * found, found) >= upper_bound(int(wrong.sum()), len(cases)) - 1e-9
