"""The promise of a threshold, on simulated conversations whose turns go wrong together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.risk_control import DOUBT, independent_cases, kept, least_cases, trades, upper_bound
from training.significance import LEAST_CONVERSATIONS


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


@pytest.mark.parametrize("conversations", [10, 20, 50, 100])
@pytest.mark.parametrize(("wholly", "each"), [(0.08, 0.0), (0.06, 0.02), (0.02, 0.06), (0.0, 0.08)])
def test_what_is_wrong_more_often_than_the_risk_is_promised_in_one_of_ten_draws_at_most(conversations, wholly, each):
    """Some conversations are wrong from end to end, and each turn of the others with a chance; 20 turns, 8 % wrong.

    Where all that happens to be right is taken for independent, 10 conversations pass in 43 % of the draws.
    """
    generator = np.random.default_rng(8)
    group = np.repeat(np.arange(conversations), 20)
    broken = 0
    for _ in range(100):
        wrong = (generator.random(conversations) < wholly)[group] | (generator.random(len(group)) < each)
        broken += kept(trades(generator.random(len(group)), ~wrong, group, 0.05), 0.05) is not None
    assert broken <= 100 * DOUBT


def test_a_promise_that_some_hundred_conversations_can_bear_is_still_made():
    """As many as the replay of STAR's dev log has, of whose surest fifth about as many are wrong."""
    generator = np.random.default_rng(3)
    group = np.repeat(np.arange(585), 9)
    confidence = 0.3 * generator.random(585)[group] + 0.7 * generator.random(len(group))
    is_shared = generator.random(len(group)) < 0.45
    drawn = np.where(is_shared, generator.random(585)[group], generator.random(len(group)))
    chosen = kept(trades(confidence, drawn < 0.45 + 0.5 * confidence, group, 0.2), 0.2)
    assert chosen.coverage > 0.2 and chosen.risk > 0.15


def test_turns_that_are_wrong_in_whole_conversations_count_as_one_each():
    group = np.repeat(np.arange(50), 8)
    whole = np.isin(group, np.arange(10))
    assert independent_cases(whole, group) == pytest.approx(50, rel=0.05)
    spread_out = np.tile(np.arange(8) < 2, 50)
    assert independent_cases(spread_out, group) > 350


def test_turns_of_which_none_is_wrong_count_as_one_for_each_conversation():
    group = np.repeat(np.arange(50), 8)
    assert independent_cases(np.zeros(400, bool), group) == pytest.approx(50, rel=0.07)
    assert independent_cases(np.arange(400) == 7, group) < 60, "one wrong turn does not tell how they go together"


@pytest.mark.parametrize("conversations", [1, 2, 3, LEAST_CONVERSATIONS - 1])
def test_a_handful_of_conversations_promises_nothing_however_many_turns_they_have(conversations):
    confidence, group = np.linspace(1, 0.5, 600), np.arange(600) % conversations
    assert trades(confidence, np.ones(600, bool), group, 0.5) == []
    enough = trades(confidence, np.ones(600, bool), np.arange(600) % LEAST_CONVERSATIONS, 0.2)
    assert kept(enough, 0.2) is not None and enough[0].conversations >= LEAST_CONVERSATIONS > least_cases(0.2)


def test_without_a_risk_every_step_is_told_and_between_which_shares_the_truth_is():
    group = np.arange(60) % 5
    found = trades(np.linspace(1, 0.5, 60), np.arange(60) % 2 > 0, group)
    assert [one.answered for one in found] == list(range(3, 61, 3))
    assert all(0 <= one.least <= one.risk <= one.bound <= 1 for one in found)
    assert found[-1].least > 0.3 and trades(np.zeros(0), np.zeros(0, bool), np.zeros(0)) == []


def test_one_conversation_is_no_case():
    assert independent_cases(np.zeros(300, bool), np.zeros(300)) == 0
    assert upper_bound(0, 0) == 1


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=1, max_size=200))
def test_conversations_never_count_as_more_cases_than_they_have_turns(cases):
    wrong, group = np.array([one for one, _ in cases]), np.array([number for _, number in cases])
    found = independent_cases(wrong, group)
    assert 0 <= found <= len(cases) + 1e-9
    assert upper_bound(wrong.mean() * found, found) >= upper_bound(int(wrong.sum()), len(cases)) - 1e-9
