"""When a challenger takes over from the champion: by evidence, never by luck alone."""

from __future__ import annotations

import numpy as np
import pytest

from training.calibration import Decision
from training.desk_training import decide
from training.judging import Figures, Judgement
from training.promotion import weigh

CONVERSATIONS = [f"c-{turn // 2}" for turn in range(200)]


def judged(ranks):
    return Judgement(Figures(len(ranks), 0.5, 0.5, 0.5), Decision(), ranks)


def weighed(before, after, parameters=(100, 100)):
    return weigh(judged(before), judged(after), CONVERSATIONS, parameters)


def test_a_clear_gain_takes_over():
    evidence = weighed([2] * 200, [1] * 100 + [2] * 100)
    assert evidence.difference == pytest.approx(0.25)
    assert 0 < evidence.low < 0.25 < evidence.high and evidence.p < 0.001
    assert evidence.is_better
    assert (evidence.turns, evidence.conversations) == (200, 100)


@pytest.mark.parametrize(("conversations", "is_enough"), [(6, False), (19, False), (20, True)])
def test_a_handful_of_conversations_shows_nothing_however_much_better_each_of_them_is(conversations, is_enough):
    names = [f"c-{turn // 5}" for turn in range(5 * conversations)]
    before, after = judged([2] * len(names)), judged([1] * len(names))
    evidence = weigh(before, after, names, (100, 50))
    assert evidence.p < 0.05 and evidence.low > 0
    assert evidence.is_better == evidence.is_cheaper_and_as_good == is_enough
    use, reason = decide(None, False, before.figures, after.figures, evidence)
    assert use == is_enough
    assert (f"{conversations} held-out conversations show nothing, it takes 20; import more" in reason) != is_enough


def test_a_gain_that_luck_explains_does_not():
    before, after = [1, 2] * 100, [1, 2] * 99 + [1, 1]
    evidence = weighed(before, after)
    assert evidence.difference > 0 and not evidence.is_better


def test_a_clear_loss_never_does_however_small_the_model():
    evidence = weighed([1] * 200, [1] * 100 + [2] * 100, (100, 10))
    assert evidence.p < 0.001 and not evidence.is_better and not evidence.is_cheaper_and_as_good


@pytest.mark.parametrize(("after", "taken"), [(100, False), (99, True), (101, False)])
def test_a_model_that_is_as_good_takes_over_only_where_it_is_smaller(after, taken):
    evidence = weighed([1, 2] * 100, [1, 2] * 100, (100, after))
    assert not evidence.is_better and evidence.is_cheaper_and_as_good == taken


def test_a_smaller_model_that_may_be_worse_does_not():
    generator = np.random.default_rng(3)
    before, after = generator.integers(1, 4, 200), generator.integers(1, 4, 200)
    evidence = weighed(before, after, (100, 50))
    assert evidence.low < -0.01 and not evidence.is_cheaper_and_as_good


def test_of_challengers_that_are_no_better_few_take_over():
    generator = np.random.default_rng(11)
    both = [generator.permuted(generator.integers(1, 5, (200, 2)), axis=1).T for _ in range(120)]
    taken = sum(weighed(*pair).is_better for pair in both)
    assert taken <= 9, "about 3 of 120 are expected, more than 9 once in 1,000 times"


def test_the_reason_names_the_evidence(tmp_path):
    figures, evidence = Figures(200, 0.5, 0.75, 0.625), weighed([1, 2] * 100, [1, 2] * 100)
    assert decide(None, False, figures, figures, evidence)[0] is False
    use, reason = decide(None, True, figures, figures, evidence)
    assert use and "because of --force" in reason and "+0.000 to +0.000 with 95 % confidence, p 1" in reason
    assert decide(tmp_path, True, figures, figures, evidence)[0] is False, "with --save nothing is put into use"
