"""A desk as training sees it: what is held out, what is trained on, and what people made of suggested answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training_desks import small_desk, whole_desk

from conversations.model import Feedback
from index.equality import says_the_same, words_of
from training import desk_training
from training.desk_data import HELD_OUT_SHARE, OpenDesk
from training.settings import TrainSettings
from training.splits import share_of

QUICK = TrainSettings(limit=40, epochs=1)


@pytest.fixture
def desk(tmp_path):
    return whole_desk(tmp_path / "home")


def test_no_conversation_is_on_both_sides(desk):
    opened = OpenDesk.open(desk)
    held_out = {case.group for case in opened.held_out_cases(lambda _: None)}
    trained = {example.group for example in opened.train_examples(TrainSettings(), lambda _: None)}
    tuned = {query.group for query in opened.encoder_queries(None)[0]}
    opened.tuned_on = frozenset({"shop"})
    reranked = {example.group for example in opened.train_examples(TrainSettings(), lambda _: None)}
    opened.close()
    assert held_out and trained and tuned and reranked
    assert not held_out & (trained | tuned | reranked)
    assert not tuned & reranked


def test_what_people_found_right_is_trained_on(tmp_path):
    opened = OpenDesk.open(small_desk(tmp_path, "small"))
    pair = next(opened.store.pairs())
    asked = Feedback("2026-01-01T00:00:00+00:00", "key", pair.question, pair.answer_id, "good", "chat", "me")
    assert "feedback 0" not in {example.group for example in opened.train_examples(QUICK, lambda _: None)}
    opened.store.add_feedback(asked)
    assert "feedback 0" in {example.group for example in opened.train_examples(QUICK, lambda _: None)}
    opened.close()


def test_what_people_turned_down_is_trained_on(tmp_path):
    opened = OpenDesk.open(small_desk(tmp_path, "small"))
    (served,) = opened.all_cases(1, lambda _: None)
    wrong = next(one.answer_id for one in served.candidates if one.answer_id not in served.right)
    question = served.context.question
    opened.store.add_feedback(Feedback("2026-01-01T00:00:00+00:00", "key", question, wrong, "bad", "chat", "me"))
    examples = opened.train_examples(QUICK, lambda _: None)
    (example,) = [example for example in examples if example.group == "feedback 0"]
    opened.close()
    assert not example.is_answered and example.rejected is not None
    assert wrong in np.array(example.answer_ids)[example.rejected]
    assert not (example.right & example.rejected).any() and example.right.sum() > 10
    # Nothing is measured by it: whatever else comes first would count as right.
    many = [replace(example, group=f"feedback {number}") for number in range(4000)]
    train, chosen_by = desk_training._apart(many, [])
    assert (len(train), chosen_by) == (4000, [])


def test_what_says_the_same_is_no_negative_for_the_encoder(desk):
    opened = OpenDesk.open(desk)
    queries, texts = opened.encoder_queries(None)
    opened.close()
    several = [query for query in queries if len(query.right) > 1]
    assert several
    for query in several:
        said = [words_of(texts[row]) for row in query.right]
        assert any(all(says_the_same(own, other) for other in said) for own in said)


def test_the_split_is_about_as_large_as_it_says():
    shares = [share_of(f"conversation {number}", "held out") for number in range(4000)]
    assert abs(sum(share < HELD_OUT_SHARE for share in shares) / 4000 - HELD_OUT_SHARE) < 0.03
