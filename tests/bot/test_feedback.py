"""Feedback: kept without personal data, and moving answers a little, at once, in like dialogues only."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lamp_desk import RESET, SWAP, lamp_desk

from bot.customer import known_customer
from bot.dialogue import Dialogue, Request
from bot.feedback import FeedbackBook
from bot.feedback_prior import HALF_LIFE_DAYS, LIMIT, FeedbackPrior
from bot.pipeline import Pipeline
from conversations.errors import DeskError
from conversations.model import Feedback, Turn
from training.feedback_queries import WORTH

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ALONG = np.eye(4, dtype=np.float32)
ASKED = (Turn("customer", "my lamp does not light up"),)


def judged(answer, verdict, who="me", days=0, along=0):
    at = (NOW - timedelta(days=days)).isoformat()
    vector = ALONG[along].astype(np.float16).tobytes()
    return Feedback(at, "key", "q", answer, verdict, "chat", who, vector=vector, encoder="e")


def shifts(*judgements, question=ALONG[0]):
    return FeedbackPrior.of(judgements, "e", NOW).shifts(question)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return lamp_desk(tmp_path_factory.mktemp("lamps"))


@pytest.fixture
def pipeline(desk):
    with Pipeline.open(desk) as opened:
        opened.refresh_feedback()
        yield opened


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from(sorted(WORTH)), st.sampled_from("abcdef"), st.integers(0, 400)),
        max_size=60,
    )
)
def test_no_amount_of_feedback_moves_an_answer_beyond_the_limit(rows):
    for value in shifts(*(judged(*row) for row in rows)).values():
        assert abs(value) < LIMIT


def test_one_persons_clicks_count_once_and_several_people_count_more():
    alone, often = shifts(judged(1, "good"))[1], shifts(*[judged(1, "good")] * 50)[1]
    crowd = shifts(*(judged(1, "good", who) for who in "abcdefgh"))[1]
    assert alone == pytest.approx(often)
    assert 0 < alone < crowd


def test_what_a_person_says_last_stands_for_what_they_did_before_and_all_of_it_fades():
    sent = [judged(1, "sent", days=days) for days in range(60, 20, -1)]
    assert shifts(*sent)[1] > 0
    assert shifts(*sent, judged(1, "bad", days=20))[1] == pytest.approx(shifts(judged(1, "bad", days=20))[1])
    assert shifts(*sent, judged(1, "bad", "you"))[1] > shifts(judged(1, "bad"))[1], "one does not speak for another"
    long_ago = [judged(1, "sent", days=900)] * 40
    assert shifts(*long_ago)[1] < 0.001


def test_bad_is_the_opposite_of_good_and_what_was_done_counts_less_than_what_was_said():
    assert shifts(judged(1, "bad"))[1] == -shifts(judged(1, "good"))[1]
    assert 0 < shifts(judged(1, "picked"))[1] < shifts(judged(1, "good"))[1]
    assert shifts(judged(1, "good", "a"), judged(1, "bad", "b"))[1] == 0.0


def test_it_fades_with_time_and_with_likeness():
    fresh = shifts(judged(1, "picked"))[1]
    old = shifts(judged(1, "picked", days=HALF_LIFE_DAYS))[1]
    assert 0 < old < fresh
    near = np.array([0.8, 0.6, 0, 0], np.float32)
    assert 0 < shifts(judged(1, "picked"), question=near)[1] < fresh
    assert shifts(judged(1, "good"), question=ALONG[1]) == {}


def test_what_another_encoder_read_or_nobody_was_shown_counts_for_nothing():
    other = replace(judged(1, "good"), encoder="another")
    assert shifts(other, judged(None, "handed over"), replace(judged(2, "bad"), vector=None)) == {}
    assert FeedbackPrior.of([], "e").shifts(ALONG[0]) == {}


def test_a_judgement_moves_its_answer_at_once_in_like_dialogues_and_can_be_switched_off(pipeline):
    before = pipeline.answer(ASKED)
    swap = next(one for one in before.candidates if one.text == SWAP)
    elsewhere = (Turn("customer", "when is my money back?"),)
    untouched = pipeline.answer(elsewhere)
    dialogue = Dialogue()
    dialogue.record(ASKED, before)
    FeedbackBook(pipeline, "chat").add(dialogue, swap.answer_id, "good")
    after = pipeline.answer((Turn("customer", "lamp does not light up at all"),))
    moved = next(one for one in after.candidates if one.text == SWAP)
    assert moved.feedback > 0.2
    again = next(one for one in pipeline.answer(ASKED).candidates if one.text == SWAP)
    assert again.weight > swap.weight
    assert [one.score for one in pipeline.answer(elsewhere).candidates] == pytest.approx(
        [one.score for one in untouched.candidates], abs=0.02
    )
    pipeline.prior = None
    off = next(one for one in pipeline.answer(ASKED).candidates if one.text == SWAP)
    assert (off.feedback, off.weight) == (0.0, pytest.approx(swap.weight, abs=0.02))


def moved_by(pipeline):
    """How far the answers to one question stand moved, by their words: in a chat, and in suggestions."""
    one = {entry.text: entry.feedback for entry in pipeline.answer(ASKED).candidates}
    *_, stepped = pipeline.answer_in_steps(Request(ASKED))
    assert {entry.text: entry.feedback for entry in stepped.candidates} == one
    return {text: shift for text, shift in one.items() if shift}


def test_what_others_judge_and_what_is_forgotten_counts_at_once_in_a_desk_that_is_open(tmp_path):
    desk = lamp_desk(tmp_path)
    with Pipeline.open(desk) as mine, Pipeline.open(desk) as without, Pipeline.open(desk) as theirs:
        mine.refresh_feedback()
        assert moved_by(mine) == {}
        dialogue = Dialogue(customer=known_customer(theirs.store, "c-8"))
        answer = dialogue.record(ASKED, theirs.answer(ASKED))
        ids = {one.text: one.answer_id for one in answer.candidates}
        book = FeedbackBook(theirs, "chat")
        book.add(dialogue, ids[RESET], "bad")
        bad = moved_by(mine)
        assert bad.keys() == {RESET} and bad[RESET] < -0.2
        book.add(dialogue, ids[SWAP], "good")
        both = moved_by(mine)
        assert both == {RESET: pytest.approx(bad[RESET]), SWAP: pytest.approx(-bad[RESET])}
        with Pipeline.open(desk) as opened_now:
            opened_now.refresh_feedback()
            assert moved_by(opened_now) == pytest.approx(both)
        assert moved_by(without) == {}, "feedback is switched off there"
        theirs.store.delete_customer(dialogue.customer.key)
        assert moved_by(mine) == {}


def test_it_is_kept_without_personal_data_with_who_when_and_what_was_shown(pipeline):
    dialogue = Dialogue()
    asked = (Turn("customer", "I'm Margaret Hollis, 07700 900123, my lamp does not light up"),)
    dialogue.record(asked, pipeline.answer(asked))
    dialogue.listed = 5
    book = FeedbackBook(pipeline, "chat")
    book.add(dialogue, dialogue.answer.candidates[1].answer_id, "picked")
    book.add(dialogue, None, "handed over")
    with pytest.raises(DeskError, match="was removed"):
        book.add(dialogue, 99_999, "good")
    *_, picked, handed = pipeline.store.feedback()
    assert "Margaret" not in picked.question and "07700" not in picked.question and "light up" in picked.question
    assert (picked.verdict, handed.verdict, handed.answer_id) == ("picked", "handed over", None)
    assert len(picked.who) == 16 and picked.at.startswith(str(datetime.now(UTC).year))
    of_kept = pipeline.embedder.encode([picked.question])[0]
    assert np.frombuffer(picked.vector, np.float16) @ of_kept == pytest.approx(1.0, abs=2e-3), "not of what was typed"
    assert picked.answer_id in picked.shown
    assert RESET in [answer.text for answer in pipeline.store.answers(picked.shown)]


def test_a_container_that_knows_no_user_names_keeps_feedback_all_the_same(pipeline, monkeypatch):
    def nobody():
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nobody)
    dialogue = Dialogue()
    dialogue.asked = ASKED
    FeedbackBook(pipeline, "chat").add(dialogue, None, "handed over")
    *_, kept = pipeline.store.feedback()
    assert kept.verdict == "handed over" and len(kept.who) > 8
