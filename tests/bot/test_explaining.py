"""`Pipeline.explain` on a small real desk: which answer it is about, and what is left out in turn."""

from __future__ import annotations

import pytest
from chat_fakes import make_console
from lamp_desk import RESET, SWAP, lamp_desk
from rounding import same

from bot.answers import named_scores
from bot.customer import forget_customer
from bot.dialogue import EARLIER_TURNS, Dialogue, Request
from bot.feedback import FeedbackBook
from bot.pipeline import Pipeline
from bot.reports import why_json
from bot.why_view import why_view
from bot.withdrawing import withdraw
from conversations.model import Turn


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    with Pipeline.open(lamp_desk(tmp_path_factory.mktemp("lamps"))) as opened:
        yield opened


TURNS = (
    Turn("customer", "My lamp does not light up."),
    Turn("agent", RESET),
    Turn("customer", "Did that twice and no luck, it stays dark."),
)


def explained(pipeline, request, answer, given=None):
    """The explanation, and the page that shows it."""
    console, explanation = make_console(), pipeline.explain(request, answer, given)
    console.print(why_view(request.turns, answer, explanation, pipeline))
    return explanation, console.file.getvalue()


def test_words_turns_and_signals_are_named(pipeline):
    request = Request(TURNS)
    answer = pipeline.answer_many([request])[0]
    explanation = pipeline.explain(request, answer)
    assert sum(weight for _, weight, _ in explanation.words) <= 1.0 + 1e-6
    assert {position for _, _, position in explanation.words} == {0, 1, 2}
    assert "dark" in [word for word, _, position in explanation.words if position == 2]
    assert explanation.signals["score"] >= explanation.runner_up["score"]
    assert explanation.confidence == same(answer.confidence)


def test_of_what_a_customer_says_in_a_row_each_is_left_out_in_turn(pipeline):
    dialogue = Dialogue()
    said = ("My lamp does not light up.", "I bought it on Monday.", "It is the green one.")
    request = dialogue.request(tuple(Turn("customer", text) for text in said))
    answer = pipeline.answer_many([request])[0]
    explanation, page = explained(pipeline, request, answer)
    assert [left for left, _ in explanation.without_turn] == list(said)
    without_lamp, without_day, _ = (chance for _, chance in explanation.without_turn)
    assert without_lamp < without_day, "what is wrong says more than when it was bought"
    assert page.count("of turn 1") == 3
    told = why_json(request.turns, explanation)["why"]["without_turn"]
    assert told[0] == {"said": said[0], "confidence": without_lamp}


def test_an_answer_that_was_picked_is_explained_itself(pipeline):
    request = Request(TURNS[:1])
    answer = pipeline.answer_many([request])[0]
    first, second = answer.candidates[:2]
    explanation, page = explained(pipeline, request, answer, second)
    assert explanation.about == second and explanation.confidence < answer.confidence
    assert (explanation.signals, explanation.runner_up) == (named_scores(second), named_scores(first))
    assert explanation.words == pipeline.attention(request, second) != pipeline.attention(request, first)
    assert f"from conversation {second.evidence[0].conversation}," in page
    assert f"from conversation {first.evidence[0].conversation}," not in page


def test_each_turn_but_the_question_is_left_out_once(pipeline):
    in_a_row = (*TURNS, Turn("customer", "And now?"))
    for turns, left_out in ((TURNS, [0, 1]), (TURNS[:1], []), (in_a_row, [0, 1, TURNS[2].text, "And now?"])):
        request = Dialogue().request(turns)
        answer = pipeline.answer_many([request])[0]
        explanation, page = explained(pipeline, request, answer)
        assert [position for position, _ in explanation.without_turn] == left_out
        assert ("Without turn 3 nothing would be asked." in page) == bool(left_out)


def test_the_earlier_conversations_are_left_out_as_one(pipeline):
    tried = (TURNS[0], TURNS[1], Turn("customer", "That did not help."))
    request = Request(TURNS[:1], earlier=tried)
    answer, without = pipeline.answer_many([request, Request(TURNS[:1])])
    explanation, page = explained(pipeline, request, answer)
    assert answer.candidates[0].text != RESET == without.candidates[0].text, "what failed is not offered again"
    ((position, confidence),) = explanation.without_turn
    assert position == EARLIER_TURNS and confidence < without.confidence
    assert {place for _, _, place in explanation.words} == {EARLIER_TURNS, 0}
    assert "earlier conversations with this customer" in page.split("Confidence without each turn")[1]


def test_an_answer_is_explained_by_what_people_had_made_of_it_before_it_was_given(tmp_path):
    with Pipeline.open(lamp_desk(tmp_path)) as pipeline:
        book = FeedbackBook(pipeline, "assist")
        pipeline.refresh_feedback()
        feedback, chances = [], []
        for verdict in ("sent", "good", "bad"):
            dialogue = Dialogue()
            answer = dialogue.record(TURNS, pipeline.answer(TURNS))
            request, (best, second, *_) = dialogue.request(TURNS), answer.candidates
            before = [pipeline.explain(request, answer, one) for one in (best, second)]
            book.add(dialogue, best.answer_id, verdict)
            assert [pipeline.explain(request, answer, one) for one in (best, second)] == before
            assert before[0].confidence == same(answer.confidence)
            feedback.append(before[0].signals["feedback"])
            chances.append([before[1].confidence, *(chance for _, chance in before[1].without_turn)])
    assert feedback[0] == 0.0 < feedback[1] < feedback[2], "the next dialogues are moved"
    assert all(now < then for then, now in zip(chances[0], chances[1], strict=True)), "and all that is compared"


@pytest.mark.parametrize(
    ("take_out", "said"),
    [
        (lambda desk, given: withdraw(desk, [given]), "was taken out of service since it was shown"),
        (lambda desk, given: forget_customer(desk, "c-8"), "was forgotten since it was shown"),
    ],
)
def test_an_answer_that_is_gone_since_it_was_shown_is_said_to_be(tmp_path, take_out, said):
    desk, request = lamp_desk(tmp_path), Request(TURNS[:1])
    with Pipeline.open(desk) as pipeline:
        answer = pipeline.answer(request.turns)
        given = next(one for one in answer.candidates if one.text == SWAP)
        take_out(desk, given.answer_id)
        explanation, page = explained(pipeline, request, answer, given)
    assert f"Answer {given.answer_id} {said}" in page and "courier" not in page
    assert explanation.confidence == answer.chance(given) > 0
    assert said in why_json(request.turns, explanation)["why"]["gone"]
