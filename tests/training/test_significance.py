"""The paired test calls chance what is chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import permutation_test

from training.significance import paired_p_value


def test_it_agrees_with_scipy():
    generator = np.random.default_rng(5)
    first, second = generator.random(60), generator.random(60) * 0.8
    theirs = permutation_test(
        (first, second), lambda x, y, axis: (x - y).mean(axis=axis), permutation_type="samples", vectorized=True
    )
    assert paired_p_value(first, second, [str(n) for n in range(60)]) == pytest.approx(theirs.pvalue, abs=0.01)


def test_under_the_null_it_finds_a_difference_about_as_often_as_it_says():
    generator = np.random.default_rng(7)
    found = 0
    for _ in range(200):
        skill = generator.random(80)
        first, second = (generator.random((2, 80)) < skill).astype(float)
        found += paired_p_value(first, second, [str(n) for n in range(80)]) < 0.05
    assert found / 200 == pytest.approx(0.05, abs=0.04)


def test_turns_of_one_conversation_are_not_independent():
    first, second = [1.0] * 40, [0.0] * 40
    apart = paired_p_value(first, second, [str(n) for n in range(40)])
    together = paired_p_value(first, second, [str(n // 20) for n in range(40)])
    assert apart < 0.001
    assert together == pytest.approx(0.5, abs=0.05), "two conversations prove nothing"
