"""The real pipeline over the sample desk: real encoder, index, store and base reranker."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from made_once import SAMPLE, sample_desk

import bot.deciding
from bot.dialogue import Request
from bot.doctor import examine
from bot.logged_turns import LoggedTurns
from bot.pipeline import Pipeline
from bot.progress import Meter
from conversations.desk import Desk
from conversations.errors import DeskError, ModelError
from conversations.model import Turn
from index.embedder import Embedder
from training.calibration import Decision
from training.mood import mood_path
from training.registry import base_model_path


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    sample_desk(home)
    return home


@pytest.fixture(scope="module")
def pipeline(home):
    with Pipeline.open(Desk.open(home, "shop")) as opened:
        yield opened


def customer(*texts):
    return [Turn("customer", text) for text in texts]


def test_the_first_chat_already_reranks(pipeline):
    assert pipeline.notices == []
    assert pipeline.ranker_name == "cross-attention:base"
    assert pipeline.decision.cases > 0


def test_an_answer_comes_with_weights_sources_and_times(pipeline):
    answer = pipeline.answer(customer("Will it also come on a Saturday?"))
    assert "Monday to Friday" in answer.candidates[0].text
    assert 30 < len(answer.candidates) <= 50
    assert sum(candidate.weight for candidate in answer.candidates) == pytest.approx(1.0)
    assert [c.score for c in answer.candidates] == sorted((c.score for c in answer.candidates), reverse=True)
    first = answer.candidates[0].evidence[0]
    said = pipeline.conversation(first.conversation).turns[first.turn]
    assert said.role == "agent"
    assert 0.0 <= answer.confidence <= 1.0
    assert set(answer.timings_ms) == {"embed", "retrieve", "rerank", "total"}
    parts = sum(answer.timings_ms[stage] for stage in ("embed", "retrieve", "rerank"))
    assert answer.timings_ms["total"] == pytest.approx(parts)


def test_an_answer_tells_how_the_last_turn_sounds(pipeline, home, monkeypatch):
    before = [
        *customer("The lamp you sent is broken and nobody answers, this is a disgrace!"),
        Turn("agent", "Sorry."),
    ]
    dialogues = [before[:1], [*before, *customer("Lovely, thank you so much for your help!")], customer("  ")]
    bad, good, silent = (one.mood for one in pipeline.answer_many([Request(tuple(turns)) for turns in dialogues]))
    assert bad.score < -0.5 < 0.5 < good.score
    assert silent.score == 0
    with Pipeline.open(Desk.open(home, "shop"), "bm25") as plain:
        assert plain.answer(before[:1]).mood.score == pytest.approx(bad.score, abs=0.05)
    assert pipeline.read_moods([dialogues[1][-1].text])[0].score > 0.5
    monkeypatch.setattr(pipeline, "moods", None)
    assert pipeline.answer(before[:1]).mood is None
    assert pipeline.read_moods([before[0].text]) == []


def test_a_damaged_mood_head_is_said_and_nothing_else_fails(home):
    desk = Desk.open(home, "shop")
    own = mood_path(desk.models_path, Embedder().identity)
    own.mkdir(parents=True)
    (own / "config.json").write_text("{")
    try:
        with Pipeline.open(desk) as pipeline:
            assert "no mood is read" in pipeline.notices[0]
            assert pipeline.answer(customer("hello")).mood is None
        assert [check.name for check in examine(desk, Meter()) if not check.ok] == ["mood"]
    finally:
        shutil.rmtree(own)


def test_below_the_threshold_it_hands_over_and_says_why(home):
    with Pipeline.open(Desk.open(home, "shop")) as pipeline:
        pipeline.decision = Decision(threshold=0.999)
        answer = pipeline.answer(customer("Do you sell bananas?"))
        assert (answer.decision, answer.answer) == ("handoff", None)
        assert answer.reason == "No past answer is sure enough: this desk answers from 100 % on."
        pipeline.decision = Decision(threshold=answer.confidence + 1e-5)
        reason = pipeline.answer(customer("Do you sell bananas?")).reason
        needed, had = map(float, re.findall(r"(\d+\.\d+) %", reason))
        assert had < needed and had == pytest.approx(100 * answer.confidence, abs=0.01), "both would round alike"
        pipeline.decision = Decision(threshold=0.0)
        answer = pipeline.answer(customer("Do you sell bananas?"))
        assert (answer.decision, answer.reason) == ("answer", "")
        assert answer.answer == answer.candidates[0].text


def test_many_dialogues_at_once_give_what_single_ones_give(pipeline):
    dialogues = [
        customer("where is my parcel"),
        [*customer("my lamp is broken"), Turn("agent", "Please send two photos."), *customer("and then?")],
        customer("the invoice has the wrong name on it, " * 30),
        customer("hi"),
    ]
    for dialogue, together in zip(
        dialogues, pipeline.answer_many([Request(tuple(turns)) for turns in dialogues]), strict=True
    ):
        alone = pipeline.answer(dialogue)
        assert alone.candidates[0].answer_id == together.candidates[0].answer_id
        assert alone.confidence == pytest.approx(together.confidence, abs=0.03)


def test_what_the_customer_was_told_before_is_weighed_in(pipeline):
    turns = customer("and how long does that take?")
    before = [*customer("I want to send my lamp back, how?"), Turn("agent", "Print the label and post it.")]
    plain, looking_back, unknown = pipeline.answer_many(
        [Request(tuple(turns), earlier=given) for given in ((), before, ())]
    )
    alone = pipeline.answer(turns, earlier=before)
    scores = {one.answer_id: one.score for one in looking_back.candidates}
    assert {one.answer_id for one in plain.candidates} == set(scores), "it does not change what is retrieved"
    assert max(abs(one.score - scores[one.answer_id]) for one in plain.candidates) > 0.01
    assert unknown.candidates[0].score == pytest.approx(plain.candidates[0].score, abs=0.05)
    assert alone.confidence == pytest.approx(looking_back.confidence, abs=0.03)


class Sure:
    """A decision that is as sure of one answer, and of two, as it is told to be."""

    def __init__(self, of_one, of_two, asking_from=0.8):
        self.threshold, self.asking_from, self.of_one, self.of_two = 0.8, asking_from, of_one, of_two

    def confidence(self, ranked):
        return self.of_one

    def confidence_in_two(self, ranked):
        return self.of_two


def test_which_of_two_is_meant_is_asked_where_they_are_close_and_together_sure_enough(pipeline, monkeypatch):
    turns = customer("How do I get the invoice?")
    monkeypatch.setattr(bot.deciding, "CLOSE", 0.0)
    decisions = []
    for of_one, of_two in ((0.9, 0.95), (0.5, 0.85), (0.5, 0.7)):
        monkeypatch.setattr(pipeline, "decision", Sure(of_one, of_two))
        answer = pipeline.answer(turns)
        decisions.append((answer.decision, answer.answer is None, bool(answer.reason)))
    assert decisions == [("answer", False, False), ("ask", True, True), ("handoff", True, True)]
    for asking_from, decided in ((0.6, "ask"), (0.75, "handoff"), (1.1, "handoff")):
        monkeypatch.setattr(pipeline, "decision", Sure(0.5, 0.7, asking_from))
        assert pipeline.answer(turns).decision == decided, "asking has a threshold of its own"
    monkeypatch.setattr(pipeline, "decision", Sure(0.5, 0.85))
    monkeypatch.setattr(bot.deciding, "CLOSE", 1.1)
    assert pipeline.answer(turns).decision == "handoff"
    assert pipeline.answer(customer("   ")).decision == "handoff"


def test_a_rejected_answer_is_not_offered_again(pipeline):
    turns = customer("How do I get the invoice?")
    first = pipeline.answer(turns).candidates[0]
    again = pipeline.answer(turns, rejected=[first.text])
    assert first.answer_id not in {candidate.answer_id for candidate in again.candidates}
    everything = [candidate.text for candidate in pipeline.answer(turns).candidates]
    assert pipeline.answer(turns, rejected=everything).decision == "handoff"


@pytest.mark.parametrize(
    "text",
    ["", " ", "x" * 100_000, "🙂" * 400, "我的包裹在哪里", "\x1b[2J\x00", "[SEP] [CLS] [MASK]", "a\n" * 5000],
    ids=["empty", "blank", "long", "emoji", "chinese", "controls", "special tokens", "lines"],
)
def test_any_message_gets_an_answer_or_a_hand_over(pipeline, text):
    answer = pipeline.answer(customer(text))
    assert answer.decision in ("answer", "handoff")
    assert np.isfinite(answer.confidence)
    if not text.strip():
        assert answer.decision == "handoff"


@pytest.mark.slow
def test_without_the_most_attended_turn_the_score_moves_more_than_without_the_least(pipeline):
    dialogues = [
        turn.request
        for batch in LoggedTurns(pipeline, [SAMPLE / "replay.jsonl"]).batches(64)
        for turn in batch
        if len(turn.request.turns) > 1
    ]

    def without(request, place):
        return replace(request, turns=request.turns[:place] + request.turns[place + 1 :])

    answers = pipeline.answer_many(dialogues)
    shorter = []
    for request, answer in zip(dialogues, answers, strict=True):
        attended = np.zeros(len(request.turns))
        for _, weight, position in pipeline.attention(request, answer.candidates[0]):
            attended[position] += weight
        shorter += [without(request, attended.argmax()), without(request, attended.argmin())]
    moved = []
    for answer, asked in zip(np.repeat(answers, 2), pipeline.answer_many(shorter), strict=True):
        best = answer.candidates[0]
        scores = [one.score for one in asked.candidates if one.answer_id == best.answer_id]
        # No longer found at all: nothing moves further.
        moved.append(abs(best.score - scores[0]) if scores else np.inf)
    most, least = np.array(moved[::2]), np.array(moved[1::2])
    print(f"of {len(most)} dialogues {np.mean(most > least):.2f}")
    assert np.mean(most > least) > 0.65


@pytest.mark.parametrize("name", ["bm25", "cosine", "retrieval", "cross-attention"])
def test_every_ranker_answers(home, name):
    with Pipeline.open(Desk.open(home, "shop"), name) as pipeline:
        assert pipeline.answer(customer("How do I cancel?")).candidates


def test_an_unknown_ranker_is_told_with_the_names(home):
    with pytest.raises(ModelError, match="cross-attention, retrieval, cosine, bm25"):
        Pipeline.open(Desk.open(home, "shop"), "magic")


def test_an_empty_desk_is_told_how_to_be_filled(tmp_path):
    Desk.create(tmp_path, "empty").store().close()
    with pytest.raises(DeskError, match="attendant import"):
        Pipeline.open(Desk.open(tmp_path, "empty"))


def test_a_damaged_index_is_said_and_mended(home, tmp_path):
    shutil.copytree(home, tmp_path / "home")
    desk = Desk.open(tmp_path / "home", "shop")
    victim = next(desk.index_path.rglob("*values.npy"))
    victim.write_bytes(victim.read_bytes()[:-1000])
    with Pipeline.open(desk) as pipeline:
        assert "damaged" in pipeline.notices[0]
        assert pipeline.answer(customer("where is my parcel")).candidates
    with Pipeline.open(desk) as pipeline:
        assert pipeline.notices == []


def test_a_damaged_encoder_of_the_desks_own_model_is_said_and_the_base_model_serves(home, tmp_path):
    shutil.copytree(home, tmp_path / "home")
    desk = Desk.open(tmp_path / "home", "shop")
    shutil.copytree(base_model_path(), desk.models_path / "model-0001")
    (desk.models_path / "model-0001" / "encoder").mkdir()
    (desk.models_path / "model-0001" / "encoder" / "model.safetensors").write_bytes(b"half")
    (desk.models_path / "current").write_text("model-0001\n")
    with Pipeline.open(desk) as pipeline:
        assert "model-0001" in pipeline.notices[0] and "--promote base" in pipeline.notices[0]
        assert pipeline.ranker_name == "cross-attention:base"


def test_a_damaged_model_is_said_and_the_base_model_serves(home, tmp_path):
    shutil.copytree(home, tmp_path / "home")
    desk = Desk.open(tmp_path / "home", "shop")
    (desk.models_path / "model-0001").mkdir(parents=True)
    (desk.models_path / "model-0001" / "config.json").write_text("{}")
    (desk.models_path / "current").write_text("model-0001\n")
    with Pipeline.open(desk) as pipeline:
        assert "model-0001" in pipeline.notices[0]
        assert pipeline.ranker_name == "cross-attention:base"
