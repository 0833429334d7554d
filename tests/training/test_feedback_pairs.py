"""What feedback teaches: what people together found right, each person once, and nothing where they contradict."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conversations.model import Feedback
from training.feedback_pairs import WORTH, feedback_pairs


def judged(question, answer, verdict, who="me"):
    return Feedback("2026-01-01T00:00:00+00:00", "key", question, answer, verdict, "chat", who)


def learned(*judgements):
    return [(pair.question, pair.answer_id) for pair in feedback_pairs(judgements).pairs]


def test_good_and_picked_answers_are_learned_bad_and_skipped_ones_are_not():
    given_ = [judged(f"q{n}", n, verdict) for n, verdict in enumerate(sorted(WORTH))]
    assert learned(*given_) == [(f"q{n}", n) for n, verdict in enumerate(sorted(WORTH)) if WORTH[verdict] > 0]
    assert learned(judged("q", None, "handed over")) == []


def test_a_pair_is_a_dialogue_of_one_question_in_a_conversation_of_its_own():
    first, second = feedback_pairs([judged("where?", 3, "good"), judged("when?", 4, "good")]).pairs
    assert [(turn.role, turn.text) for turn in first.dialogue] == [("customer", "where?")]
    assert first.conversation != second.conversation and first.id != second.id and first.id < 0


def test_contradictions_are_counted_and_teach_nothing():
    both = [judged("q", 1, "good", "a"), judged("q", 1, "bad", "b")]
    assert feedback_pairs(both) == ([], 1)
    assert learned(*both, judged("q", 1, "good", "c")) == []
    assert learned(*both, judged("q", 1, "good", "c"), judged("q", 1, "good", "d")) == [("q", 1)]
    assert feedback_pairs([judged("q", 1, "bad", who) for who in "abc"]) == ([], 0)


@given(st.lists(st.tuples(st.sampled_from("qr"), st.integers(1, 2), st.sampled_from(sorted(WORTH)), st.just("me"))))
def test_one_person_is_never_a_contradiction_and_clicking_again_adds_nothing(rows):
    judgements = [judged(*row) for row in rows]
    once, thrice = feedback_pairs(judgements), feedback_pairs(judgements * 3)
    assert once.contradictions == 0
    assert len(once.pairs) == len({(pair.question, pair.answer_id) for pair in once.pairs})
    assert [(pair.question, pair.answer_id) for pair in thrice.pairs] == [
        (pair.question, pair.answer_id) for pair in once.pairs
    ]
