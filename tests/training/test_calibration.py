"""Confidence and thresholds on simulated rankers whose truth is known."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy.special import expit

from index.candidates import Candidate
from training.calibration import (
    LEAST_CASES,
    RISKS,
    Decision,
    Scale,
    careful_coverage,
    fit_decision,
    fit_scale,
    threshold_for_risk,
)
from training.rankers.base import in_order


def simulated(cases, seed=0, sharpness=3.0, known=0.7):
    """Lists in which the right one scores higher by chance; some cases have no right answer."""
    generator = np.random.default_rng(seed)
    lists, right, groups = [], [], []
    for number in range(cases):
        scores = generator.normal(size=10) * 2
        wanted = frozenset()
        nearness = generator.uniform(0.1, 0.5)
        if generator.uniform() < known:
            wanted = frozenset({int(generator.integers(10))})
            scores[next(iter(wanted))] += sharpness
            nearness += 0.3
        candidates = [
            Candidate(answer_id=row, text=str(row), signals=(nearness, 0, 0, 0, 0, 0), retrieval_score=0.0)
            for row in range(10)
        ]
        lists.append(in_order(candidates, scores))
        right.append(wanted)
        groups.append(f"conversation {number // 3}")
    return lists, right, groups


def test_confidence_is_calibrated_on_cases_it_never_saw():
    decision = fit_decision(*simulated(1500, seed=1))
    lists, right, _ = simulated(1500, seed=2)
    confidence = np.array([decision.confidence(ranked) for ranked in lists])
    hit = np.array([ranked[0].candidate.answer_id in wanted for ranked, wanted in zip(lists, right, strict=True)])
    for low, high in ((0.0, 0.3), (0.3, 0.6), (0.6, 1.0)):
        inside = (confidence >= low) & (confidence < high)
        assert inside.sum() > 50
        assert abs(confidence[inside].mean() - hit[inside].mean()) < 0.08
    assert decision.ece < 0.06


@pytest.mark.parametrize("risk", [0.1, 0.2, 0.4])
def test_the_threshold_keeps_the_stated_risk(risk):
    decision = fit_decision(*simulated(1500, seed=3), risk=risk)
    lists, right, _ = simulated(1500, seed=4)
    answered = [
        ranked[0].candidate.answer_id in wanted
        for ranked, wanted in zip(lists, right, strict=True)
        if decision.confidence(ranked) >= decision.threshold
    ]
    assert len(answered) > 30
    assert 1 - np.mean(answered) <= risk + 0.04


def test_too_few_cases_calibrate_nothing():
    decision = fit_decision(*simulated(LEAST_CASES - 1))
    assert decision == Decision(risk=0.2)
    assert decision.cases == 0


@pytest.mark.parametrize("names", [["only"], ["c1", "c6"], ["a", "b", "c", "d"]])
def test_too_few_conversations_calibrate_nothing(names):
    lists, right, _ = simulated(80)
    groups = [names[row % len(names)] for row in range(80)]
    assert fit_decision(lists, right, groups) == Decision(risk=0.2)
    confidence = np.linspace(0.01, 0.99, 80)
    scale, honest = fit_scale(confidence, np.arange(80) % 3 == 0, groups)
    assert scale == Scale()
    assert honest is confidence


def test_few_turns_turn_a_confidence_little():
    generator = np.random.default_rng(5)
    off = []
    for _ in range(40):
        told, fresh = (generator.normal(-1.5, 0.6, cases) for cases in (60, 2_000))
        right = generator.random(60) < expit(told + 0.8)
        scale, _ = fit_scale(expit(told), right, [str(row) for row in range(60)])
        off.append(np.mean((scale(expit(fresh)) - expit(fresh + 0.8)) ** 2))
    # Were the slope drawn to nothing, as that of a feature that may not matter, it would be .0094.
    assert np.mean(off) < 0.006


def test_conversations_are_dealt_evenly_whatever_they_are_called():
    lists, right, _ = simulated(600, seed=1)
    alike = [f"{chr(97 + row)}{chr(122 - row)}" for row in range(10)]
    assert len({sum(name.encode()) for name in alike}) == 1
    decision = fit_decision(lists, right, [alike[row % 10] for row in range(600)])
    assert decision.ece < 0.1
    assert decision.threshold > 0.1


@pytest.mark.filterwarnings("error")
def test_a_feature_that_is_the_same_everywhere_says_nothing():
    lists, right, groups = simulated(300)

    def near(ranked, signal):
        same = [replace(one.candidate, signals=(signal, 0, 0, 0, 0, 0)) for one in ranked]
        return in_order(same, np.array([one.score for one in ranked]))

    decision = fit_decision([near(ranked, 0.3) for ranked in lists], right, groups)
    assert decision.coefficients[2] == 0.0
    assert max(decision.coefficients) < 10
    assert abs(decision.intercept) < 10
    for ranked in lists[:20]:
        assert decision.confidence(near(ranked, 0.9)) == pytest.approx(decision.confidence(near(ranked, 0.3)))
    assert Decision(intercept=-1e4).confidence(lists[0]) == 0.0, "without a warning"


def test_a_ranker_that_is_never_right_never_answers():
    lists, _, groups = simulated(200)
    decision = fit_decision(lists, [frozenset()] * 200, groups)
    assert decision.risk == 1.0
    assert not any(decision.confidence(ranked) >= decision.threshold for ranked in lists)


def test_where_the_wished_risk_cannot_be_kept_the_next_is_and_is_said():
    lists, right, groups = simulated(1500, seed=5, sharpness=2.6, known=0.5)
    decision = fit_decision(lists, right, groups, risk=0.0)
    assert decision.risk in RISKS
    answered = [
        ranked[0].candidate.answer_id in wanted
        for ranked, wanted in zip(lists, right, strict=True)
        if decision.confidence(ranked) >= decision.threshold
    ]
    assert 1 - np.mean(answered) <= decision.risk + 0.05


def test_no_feature_counts_against_an_answer():
    lists, right, groups = simulated(600, seed=6)
    assert min(fit_decision(lists, right[::-1], groups).coefficients) >= 0.0


def test_nothing_to_offer_means_no_confidence():
    assert Decision().confidence([]) == 0.0


def test_a_single_candidate_is_no_proof():
    lists, right, groups = simulated(600)
    decision = fit_decision(lists, right, groups)
    alone = lists[0][-1:]
    assert alone[0].candidate.signals[0] < 0.9
    assert decision.confidence(alone) <= alone[0].candidate.signals[0]


def test_the_threshold_counts_all_that_is_above_it():
    confidence = np.linspace(0.01, 1.0, 100)
    right = confidence > 0.5
    assert threshold_for_risk(confidence, right, 0.0) == pytest.approx(0.51)


def test_cases_of_one_confidence_are_answered_together():
    confidence = np.array([0.95] * 12 + [0.9] * 20 + [0.5])
    right = np.array([True] * 12 + [True] * 10 + [False] * 10 + [False])
    assert threshold_for_risk(confidence[12:32], right[12:32], 0.1) is None
    assert threshold_for_risk(confidence, right, 0.1) == 0.95
    assert threshold_for_risk(confidence, right, 10 / 32) == 0.9
    assert careful_coverage(confidence, right) == pytest.approx(12 / 33)


def test_confidence_in_two_is_that_of_one_answer_with_the_weight_of_both():
    lists, right, groups = simulated(400)
    decision = fit_decision(lists, right, groups)
    for ranked in lists[:50]:
        assert decision.confidence_in_two(ranked) >= decision.confidence(ranked) - 1e-9
        assert decision.confidence_in_two(ranked[:1]) == decision.confidence(ranked[:1])
    assert decision.confidence_in_two([]) == 0.0


def test_a_confidence_read_anew_is_capped_before_as_it_was_when_that_was_fitted():
    lists, right, groups = simulated(600)
    decision = fit_decision(lists, right, groups)
    scale = Scale(1.3, -0.8)
    anew = decision.read_as(decision.reading(), scale)
    for ranked in (*lists[:20], lists[0][-1:], lists[1][:5]):
        assert anew.confidence(ranked) == pytest.approx(float(scale(np.array(decision.confidence(ranked)))))
    again = anew.read_as(anew.reading(), Scale(0.5, 0.1))
    assert again.scale == scale.then(Scale(0.5, 0.1)) and again.coefficients == decision.coefficients
    assert Decision.from_json(json.loads(json.dumps(asdict(again)))) == again
    old = {name: value for name, value in asdict(decision).items() if name != "scale"}
    assert Decision.from_json(old) == decision
