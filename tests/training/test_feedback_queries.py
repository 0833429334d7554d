"""What feedback teaches: what people together found right or wrong, each person once, nothing in contradictions."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ranking_fixtures import judged_example, tiny_reranker, tiny_source

from conversations.model import Feedback
from training.examples import sample_rows
from training.feedback_queries import WORTH, feedback_queries
from training.reranker_training import RerankerSettings, scores_of, train_reranker


def judged(question, answer, verdict, who="me"):
    return Feedback("2026-01-01T00:00:00+00:00", "key", question, answer, verdict, "chat", who)


def learned(*judgements):
    queries = feedback_queries(judgements).queries
    return [(one.dialogue[-1].text, set(one.right), set(one.rejected)) for one in queries]


def test_good_and_picked_answers_are_right_and_bad_ones_wrong():
    verdicts = sorted(WORTH)
    assert learned(*(judged(f"q{n}", n, verdict) for n, verdict in enumerate(verdicts))) == [
        (f"q{n}", {n} if WORTH[verdict] > 0 else set(), {n} if verdict == "bad" else set())
        for n, verdict in enumerate(verdicts)
        if verdict != "skipped"
    ]
    assert learned(judged("q", None, "handed over")) == []


def test_what_several_people_passed_over_is_wrong():
    assert learned(judged("q", 1, "skipped", "a"), judged("q", 1, "skipped", "b")) == [("q", set(), {1})]


def test_all_that_is_known_about_a_question_is_one_query_in_a_conversation_of_its_own():
    where = [judged("where?", 3, "good"), judged("where?", 5, "bad"), judged("where?", 6, "sent")]
    one, other = feedback_queries([*where, judged("when?", 4, "good")]).queries
    assert [(turn.role, turn.text) for turn in one.dialogue] == [("customer", "where?")]
    assert (one.right, one.rejected) == ({3, 6}, {5})
    assert one.group != other.group


def test_contradictions_are_counted_and_teach_nothing():
    both = [judged("q", 1, "good", "a"), judged("q", 1, "bad", "b")]
    assert feedback_queries(both) == ([], 1)
    assert learned(*both, judged("q", 1, "good", "c")) == []
    assert learned(*both, judged("q", 1, "good", "c"), judged("q", 1, "good", "d")) == [("q", {1}, set())]
    assert feedback_queries([judged("q", 1, "bad", who) for who in "abc"]).contradictions == 0


@given(st.lists(st.tuples(st.sampled_from("qr"), st.integers(1, 2), st.sampled_from(sorted(WORTH)), st.just("me"))))
def test_one_person_is_never_a_contradiction_and_good_ones_stay_so_when_clicked_again(rows):
    judgements = [judged(*row) for row in rows]
    once, thrice = feedback_queries(judgements), feedback_queries(judgements * 3)
    assert once.contradictions == 0
    assert all(not one.right & one.rejected for one in once.queries)
    assert once.right == thrice.right


@pytest.mark.parametrize("size", [2, 4, 8])
@settings(deadline=None)
@given(rejected=st.sets(st.integers(0, 19), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_every_step_sees_what_was_turned_down(tmp_path_factory, size, rejected, seed):
    source = tiny_source(tmp_path_factory.mktemp("source"))
    example = judged_example(tiny_reranker(), source, 1, agrees=True)
    wrong = np.flatnonzero(~example.right)
    turned_down = np.zeros(len(example.right), bool)
    turned_down[[wrong[place % len(wrong)] for place in rejected]] = True
    rows = sample_rows(replace(example, rejected=turned_down), size, random.Random(seed))
    assert set(np.flatnonzero(turned_down)) <= set(rows) and len(rows) == len(set(rows))
    assert example.right[rows].any()


def test_what_was_turned_down_and_nothing_known_to_be_right_falls_behind_the_rest(tmp_path):
    source, reranker = tiny_source(tmp_path), tiny_reranker()
    example = judged_example(tiny_reranker(seed=5), source, 1, agrees=True)
    before = scores_of(reranker, example)
    first = np.zeros(len(before), bool)
    first[before.argmax()] = True
    taught = replace(example, right=~first, rejected=first, is_answered=False)
    settings = RerankerSettings(epochs=8, learning_rate=0.02, batch_size=4, candidates=4, patience=9)
    train_reranker(reranker, [taught] * 8, [taught], settings)
    after = scores_of(reranker, example)
    assert after[first] < after[~first].max()
