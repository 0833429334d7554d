"""Ranking metrics against a plain reading of their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics import (
    brier_score,
    expected_calibration_error,
    mean_reciprocal_rank,
    rank_of_right,
    recall_at,
)

SCORES = st.lists(st.integers(0, 5), min_size=1, max_size=12)


@given(scores=SCORES, data=st.data())
def test_ties_count_against_the_ranker(scores, data):
    right = data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))
    rank = rank_of_right(np.array(scores, float), right)
    # The worst order that the scores allow: by score, wrong before right.
    order = sorted(zip(scores, right, strict=True), key=lambda entry: (-entry[0], entry[1]))
    worst = next((place for place, entry in enumerate(order, 1) if entry[1]), 0)
    assert rank == worst


@given(st.lists(st.integers(0, 20), min_size=1))
def test_recall_rises_with_k_and_bounds_mrr(ranks):
    recalls = [recall_at(ranks, k) for k in range(1, 22)]
    assert recalls == sorted(recalls)
    assert recalls[0] <= mean_reciprocal_rank(ranks) + 1e-12
    assert mean_reciprocal_rank(ranks) <= recalls[-1] + 1e-12


def test_a_constant_ranker_gains_nothing():
    assert rank_of_right(np.zeros(500), [True] + [False] * 499) == 500


def test_calibration_error_of_simulated_forecasters():
    generator = np.random.default_rng(7)
    truth = generator.uniform(size=20_000)
    right = generator.uniform(size=20_000) < truth
    assert expected_calibration_error(truth, right) < 0.02
    assert abs(expected_calibration_error(np.clip(truth + 0.2, 0, 1), right) - 0.18) < 0.02
    assert brier_score(truth, right) < brier_score(np.full(20_000, 0.5), right)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_a_miss(broken):
    assert rank_of_right(np.full(3, broken), [False, False, True]) == 0
    assert rank_of_right(np.array([broken, 0.1, 0.9]), [False, False, True]) == 0
    assert rank_of_right(np.array([0.1, 0.2, broken]), [False, False, True]) == 0
