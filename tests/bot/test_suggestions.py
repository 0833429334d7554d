"""Three different suggestions: the best first, none like another; and the whole way on a real desk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lamp_desk import REFUND, RESET, lamp_desk

from bot.dialogue import Request
from bot.pipeline import Pipeline
from bot.suggestions import APART, SHOWN, different, suggest
from conversations.model import Turn
from index.equality import says_the_same

SHARES = st.lists(st.floats(1e-6, 1), min_size=0, max_size=9)


def made(shares, seed):
    weights = np.array(sorted(shares, reverse=True))
    vectors = np.random.default_rng(seed).normal(size=(len(shares), 4))
    return weights, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(SHARES, st.integers(0, 99))
def test_the_best_stays_first_and_none_comes_twice(shares, seed):
    chosen = different(*made(shares, seed))
    assert len(chosen) == len(set(chosen)) == min(SHOWN, len(shares))
    assert chosen[:1] == [0][: len(shares)] and chosen == sorted(chosen), "the likelier first"


@given(SHARES.filter(lambda shares: len(shares) > 3), st.integers(0, 99))
def test_a_copy_of_the_best_is_taken_only_if_that_much_likelier(shares, seed):
    weights, vectors = made(shares, seed)
    vectors[1] = vectors[0]
    others = weights[2:] * np.exp(-APART * (vectors[2:] @ vectors[0]))
    copy = weights[1] * np.exp(-APART)
    assert different(weights, vectors, 2)[1] == (1 if copy >= others.max() else 2 + int(others.argmax()))


@given(st.integers(0, 99), st.integers(2, 9))
def test_without_likeness_it_is_the_plain_order(seed, count):
    weights = np.sort(np.random.default_rng(seed).random(count))[::-1]
    assert different(weights, np.eye(count)) == list(range(min(SHOWN, count)))


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    with Pipeline.open(lamp_desk(tmp_path_factory.mktemp("lamps"))) as opened:
        yield opened


def request(text="my lamp is dark", **more):
    return Request((Turn("customer", text),), **more)


def test_suggestions_of_a_desk_are_its_best_answers_with_chance_and_source(pipeline):
    *between, found = suggest(pipeline, request())
    assert between == [None, None], "twice it can be stopped"
    assert found.best[0].answer == found.answer.candidates[0] and found.best[0].answer.text == RESET
    assert found.best[0].chance == found.answer.confidence
    assert all(one.chance <= found.answer.confidence for one in found.best)
    assert found.best[0].source.startswith("from conversation past-") and "2025-0" in found.best[0].source
    texts = [one.answer.text for one in found.best]
    assert not any(says_the_same(texts[i], texts[j]) for i in range(len(texts)) for j in range(i))


def test_in_steps_it_is_the_same_answer_as_at_once(pipeline):
    *_, found = suggest(pipeline, request("when do I get my money back?"))
    at_once = pipeline.answer([Turn("customer", "when do I get my money back?")])
    assert found.answer.candidates == at_once.candidates and found.answer.confidence == at_once.confidence
    assert found.best[0].answer.text == REFUND


def test_what_was_turned_down_is_not_suggested_and_nothing_may_be_left(pipeline):
    texts = tuple(one.text for one in pipeline.answer([Turn("customer", "my lamp is dark")]).candidates)
    *_, found = suggest(pipeline, request(rejected=texts[:1]))
    assert RESET not in [one.answer.text for one in found.best]
    *_, nothing = suggest(pipeline, request(rejected=texts))
    assert nothing.best == () and nothing.answer.decision == "handoff"


def test_fewer_candidates_are_the_best_retrieved(pipeline):
    *_, found = suggest(pipeline, request(), 2)
    assert len(found.answer.candidates) <= 2


def test_the_chances_of_all_candidates_are_shares_of_the_confidence(pipeline):
    answer = pipeline.answer([Turn("customer", "my lamp is dark")])
    chances = [answer.chance(one) for one in answer.candidates]
    assert chances == sorted(chances, reverse=True) and all(0 <= one <= 1 for one in chances)
