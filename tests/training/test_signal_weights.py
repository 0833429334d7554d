"""The fitted start of a reranker: it finds the signals that tell, on examples that it was not fitted to."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from ranking_fixtures import judged_example, tiny_reranker, tiny_source

from index.candidates import SIGNALS, Candidate
from training import signal_weights
from training.examples import Example
from training.metrics import mean_reciprocal_rank, rank_of_right
from training.rankers.base import in_order
from training.reranker import SIGNAL_SCALE
from training.reranker_training import scores_of
from training.signal_weights import fit_signal_weights, fit_trust
from training.trust import Trust


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    """What is fitted there is compared with what was never moved from there."""
    monkeypatch.setattr(signal_weights, "default_device", lambda: "cpu")


def example(generator, telling):
    """One right candidate among ten, found by one signal; the others are noise."""
    signals = generator.random((10, len(SIGNALS)), dtype=np.float32)
    right = np.zeros(10, bool)
    right[generator.integers(10)] = True
    signals[right, telling] += 0.5
    return Example("group", torch.empty(0), torch.empty(0), [], [], list(range(10)), [-1] * 10, signals, right, None)


def mrr(weights, examples):
    return mean_reciprocal_rank([rank_of_right(one.signals @ weights, one.right) for one in examples])


@pytest.mark.parametrize("telling", range(len(SIGNALS)))
def test_the_telling_signal_is_found(telling):
    generator = np.random.default_rng(telling)
    examples = [example(generator, telling) for _ in range(200)]
    unseen = [example(generator, telling) for _ in range(200)]
    reranker = tiny_reranker(trained=False)
    before = reranker.signal_weights.detach().numpy().copy()
    fit_signal_weights(reranker, examples)
    after = reranker.signal_weights.detach().numpy()
    assert int(after.argmax()) == telling
    assert (after >= 0).all()
    assert mrr(after, unseen) > mrr(before, unseen)


def test_one_example_says_little():
    reranker = tiny_reranker(trained=False)
    before = reranker.signal_weights.detach().clone()
    fit_signal_weights(reranker, [example(np.random.default_rng(0), 0)])
    assert (reranker.signal_weights - before).abs().max() < SIGNAL_SCALE


def test_a_reranker_knows_whether_it_was_trained():
    assert tiny_reranker(trained=False).is_untrained
    assert not tiny_reranker().is_untrained


@pytest.fixture
def source(tmp_path):
    return tiny_source(tmp_path)


def test_what_was_learned_elsewhere_is_trusted_as_far_as_it_helps_here(source):
    learned = tiny_reranker()
    with torch.no_grad():
        learned.signal_weights.fill_(SIGNAL_SCALE / len(SIGNALS))
    helped, hindered = copy.deepcopy(learned), copy.deepcopy(learned)
    fit_signal_weights(helped, [judged_example(learned, source, seed, agrees=True) for seed in range(40)])
    fit_signal_weights(hindered, [judged_example(learned, source, seed, agrees=False) for seed in range(40)])
    assert helped.score_out.weight.norm() > learned.score_out.weight.norm()
    assert hindered.score_out.weight.norm() < learned.score_out.weight.norm() / 2


def test_a_trained_reranker_is_asked_about_no_more_examples_than_is_said(source, monkeypatch):
    asked, score = [], signal_weights.scores_of
    monkeypatch.setattr(signal_weights, "MOST_FITTED", 4)
    monkeypatch.setattr(signal_weights, "scores_of", lambda *given: asked.append(given) or score(*given))
    reranker = tiny_reranker()
    fit_signal_weights(reranker, [judged_example(reranker, source, seed, agrees=True) for seed in range(7)])
    assert len(asked) == 4


def ranked_by(reranker, example):
    candidates = [
        Candidate(answer, "", tuple(signals), 0.0)
        for answer, signals in zip(example.answer_ids, example.signals.tolist(), strict=True)
    ]
    return in_order(candidates, scores_of(reranker, example))


def test_trust_from_rankings_is_that_from_examples_and_orders_as_the_model_then_does(source):
    reranker = tiny_reranker()
    examples = [judged_example(reranker, source, seed, agrees=seed % 3 > 0) for seed in range(40)]
    right = [frozenset(np.array(one.answer_ids)[one.right].tolist()) for one in examples]
    rankings = [ranked_by(reranker, one) for one in examples]
    trust = fit_trust(reranker, rankings, right)
    fitted = copy.deepcopy(reranker)
    fit_signal_weights(fitted, examples)
    assert trust.signals == pytest.approx(fitted.signal_weights.tolist(), abs=0.05)
    reordered = [trust.reorder(reranker, ranked) for ranked in rankings]
    trust.give_to(reranker)
    for one, ranked in zip(examples, reordered, strict=True):
        found, expected = (
            {entry.candidate.answer_id: entry.score for entry in each} for each in (ranked, ranked_by(reranker, one))
        )
        assert found == pytest.approx(expected, abs=0.1), "the learned part is computed in bfloat16"
        assert list(found.values()) == sorted(found.values(), reverse=True)


def test_where_no_right_answer_is_listed_trust_stays_as_it_was(source):
    reranker = tiny_reranker()
    ranked = ranked_by(reranker, judged_example(reranker, source, 1, agrees=True))
    assert fit_trust(reranker, [ranked], [frozenset({-1})]) == Trust(tuple(reranker.signal_weights.tolist()))
