"""Ranking metrics against a plain reading of their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics import (
    brier_score,
    calibration,
    expected_calibration_error,
    mean_reciprocal_rank,
    rank_of_right,
    recall_at,
    reliability,
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


def drawn_p_values(rounds, cases, truth):
    """Of confidences whose cases are right with the chance `truth` of them."""
    generator = np.random.default_rng(11)
    found = []
    for _ in range(rounds):
        confidence = generator.beta(2, 2, cases)
        found.append(calibration(confidence, generator.random(cases) < truth(confidence)).p)
    return np.array(found)


def test_a_perfect_confidence_looks_miscalibrated_as_often_as_the_p_value_says():
    found = drawn_p_values(400, 150, lambda confidence: confidence)
    for level in (0.05, 0.1, 0.25, 0.5, 0.75):
        share = (found <= level).mean()
        # Three standard errors of 400 confidences against 400 outcomes, which are drawn alike for each of them.
        assert share == pytest.approx(level, abs=3 * np.sqrt(2 * level * (1 - level) / 400))


def test_a_bad_confidence_has_a_small_p_value_and_an_excess():
    assert (drawn_p_values(40, 300, lambda confidence: confidence**2) <= 0.02).all()
    generator = np.random.default_rng(3)
    confidence = generator.random(4_000)
    right = generator.random(4_000) < confidence
    honest, boasting = calibration(confidence, right), calibration(np.minimum(confidence + 0.2, 1.0), right)
    assert honest.ece == expected_calibration_error(confidence, right) and honest.excess < 0.01 < honest.p
    assert boasting.p < 0.01 and boasting.excess == pytest.approx(0.17, abs=0.02)
    assert calibration(confidence[:40], right[:40]).noise > 3 * honest.noise, "few cases are noisy"
    assert calibration(confidence[:0], right[:0]).p == 1


def test_the_order_of_cases_of_one_confidence_plays_no_part():
    confidence = np.full(30, 0.5)
    right = np.arange(30) < 15
    for order in (right, right[::-1], np.random.default_rng(2).permutation(right)):
        assert calibration(confidence, order).ece == pytest.approx(0.0, abs=1e-12)
    mixed = np.repeat([0.2, 0.6, 0.9], 20)
    outcomes = np.random.default_rng(3).random(60) < mixed
    orders = [np.random.default_rng(seed).permutation(60) for seed in range(5)]
    assert len({round(calibration(mixed[order], outcomes[order]).ece, 12) for order in orders}) == 1


def test_the_dots_of_a_reliability_diagram_are_those_of_its_calibration_error():
    confidence = np.repeat([0.2, 0.6, 0.9], 20)
    right = np.random.default_rng(3).random(60) < confidence
    orders = [np.argsort(right), np.argsort(~right), np.random.default_rng(2).permutation(60)]
    for order in orders:
        dots = reliability(confidence[order], right[order])
        assert np.array(dots) == pytest.approx(np.array(reliability(confidence, right)))
        gaps = sum(cases * abs(share - mean) for mean, share, cases in dots)
        assert gaps / 60 == pytest.approx(expected_calibration_error(confidence, right))
