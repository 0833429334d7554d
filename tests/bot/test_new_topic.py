"""A customer who asks something else is answered to that; who goes on is read with all that was said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chat_fakes import make_console
from made_once import sample_desk
from rounding import same

from bot.dialogue import Request
from bot.new_topic import MAYBE, OPENINGS, alone, surer
from bot.pipeline import Pipeline
from bot.why_view import why_view
from conversations.model import Turn


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    desk = sample_desk(tmp_path_factory.mktemp("home"))
    with Pipeline.open(desk) as opened:
        # Only whether the last message is read by itself is looked at here, not where the desk's threshold lies.
        opened.decision = replace(opened.decision, threshold=0.6)
        yield opened


def dialogue(*texts: str) -> Request:
    return Request(tuple(Turn(("customer", "agent")[place % 2], text) for place, text in enumerate(texts)))


BEFORE = ("My lamp arrived broken, the glass is cracked.", "Please send us two photos of it.")


@pytest.mark.parametrize("question", ["Can I cancel my order?", "Where is my parcel?", "My bed frame squeaks."])
def test_a_new_question_gets_the_answer_it_would_get_by_itself(pipeline, question):
    by_itself = pipeline.answer(dialogue(question).turns)
    (later,) = pipeline.answer_many([dialogue(*BEFORE, question)])
    (whole,) = pipeline.answer_whole([dialogue(*BEFORE, question)])
    assert later.is_new_topic and not by_itself.is_new_topic
    assert later.candidates[0].text == by_itself.candidates[0].text
    assert later.confidence == pytest.approx(by_itself.confidence, abs=1e-6) and later.confidence > whole.confidence
    assert later.mood == whole.mood, "how it sounds is heard with what was said before"
    assert later.timings_ms["total"] > whole.timings_ms["total"]


@pytest.mark.parametrize("text", ["yes please", "LW-0012345", "ok thanks", "no, that did not work"])
def test_who_goes_on_is_read_with_all_that_was_said(pipeline, text):
    request = dialogue(*BEFORE, text)
    (served,) = pipeline.answer_many([request])
    assert not served.is_new_topic
    assert served.candidates == pipeline.answer_whole([request])[0].candidates


def test_many_are_answered_as_one_at_a_time_and_in_steps(pipeline):
    requests = [dialogue(*BEFORE, "Where is my parcel?"), dialogue(*BEFORE, "yes please"), dialogue("Hello?")]
    together = pipeline.answer_many(requests)
    assert [answer.is_new_topic for answer in together] == [True, False, False]
    for request, answer in zip(requests, together, strict=True):
        again = pipeline.answer_many([request])[0].candidates
        assert [one.answer_id for one in again] == [one.answer_id for one in answer.candidates]
        assert all(one.score == same(other.score) for one, other in zip(again, answer.candidates, strict=True))
        found = [step for step in pipeline.answer_in_steps(request) if step]
        assert [one.answer_id for one in found[-1].candidates] == [one.answer_id for one in answer.candidates]
        assert len(found) == 1 + answer.is_new_topic, "what the whole dialogue gives is shown first"


def test_why_says_that_it_was_read_by_itself_and_shades_nothing_else(pipeline):
    request = dialogue(*BEFORE, "Where is my parcel?")
    (answer,) = pipeline.answer_many([request])
    explanation = pipeline.explain(request, answer)
    assert explanation.confidence == answer.confidence
    assert {place for _, _, place in explanation.words} == {2} and explanation.without_turn == []
    console = make_console()
    console.print(why_view(request.turns, answer, explanation, pipeline))
    page = console.file.getvalue()
    assert "began something new" in page and "customer: Where is my parcel?" in page and "glass" not in page


def test_a_first_message_is_not_looked_at_again_and_no_threshold_plays_a_part(pipeline):
    request = dialogue(*BEFORE, "Where is my parcel?")
    (whole,) = pipeline.answer_whole([request])
    assert alone(request, whole) == replace(request, turns=request.turns[-1:])
    assert alone(request, replace(whole, decision="answer")) == alone(request, whole), (
        "or no replay could be tuned by"
    )
    assert alone(replace(request, turns=request.turns[-1:]), whole) is None
    assert alone(request, replace(whole, openings=MAYBE - 0.1)) is None


def test_the_surer_one_stands_and_only_if_it_still_looks_new_by_itself(pipeline):
    request = dialogue(*BEFORE, "Where is my parcel?")
    (whole,), (last,) = pipeline.answer_whole([request]), pipeline.answer_whole([dialogue("Where is my parcel?")])
    assert surer(whole, last).is_new_topic
    assert surer(whole, replace(last, openings=OPENINGS - 0.1)).candidates == whole.candidates
    assert surer(replace(whole, confidence=1.0), last).candidates == whole.candidates
