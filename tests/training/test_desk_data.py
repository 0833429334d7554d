"""A desk as training sees it: what is held out, what is trained on, and what people made of suggested answers."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from made_once import desk_of, sample_desk, small_desk

from bot.pipeline import Pipeline
from conversations.desk import Desk
from conversations.importing import import_logs
from conversations.model import Feedback, Turn
from index.builder import update_index
from index.embedder import Embedder
from index.equality import AnswerEquality, says_the_same
from index.twins import MOST_COPIES
from training.desk_calibration import calibrate_desk
from training.desk_data import HELD_OUT_SHARE, OpenDesk
from training.reranker_training import to_choose_by
from training.settings import TrainSettings
from training.splits import share_of

QUICK = TrainSettings(limit=40, epochs=1)


@pytest.fixture
def desk(tmp_path):
    return sample_desk(tmp_path / "home", 60)


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
    train, chosen_by = to_choose_by(many, [])
    assert (len(train), chosen_by) == (4000, [])


def test_what_is_withdrawn_is_neither_offered_nor_right(tmp_path):
    desk = small_desk(tmp_path, "small")
    with desk.store() as store:
        (record, *_), _ = store.service.records()
        asked = next(pair.question for pair in store.pairs() if pair.answer_id == record.id)
        store.add_feedback(Feedback("2026-01-01T00:00:00+00:00", "key", asked, record.id, "good", "chat", "me"))
    for is_used in (True, False):
        opened = OpenDesk.open(desk)
        cases = [*opened.all_cases(400, lambda _: None), *opened.held_out_cases(lambda _: None)]
        examples = opened.train_examples(TrainSettings(), lambda _: None)
        queries, texts = opened.encoder_queries(None)
        opened.close()
        used = {
            "offered": record.id in {one.answer_id for case in cases for one in case.candidates},
            "right": any(record.id in case.right for case in cases),
            "trained on": any(record.id in example.answer_ids for example in examples),
            "judged": "feedback 0" in {example.group for example in examples},
            "read by the encoder": record.text in texts,
        }
        assert set(used.values()) == {is_used}, used
        assert cases and examples and queries
        assert all(max(query.right) < len(texts) for query in queries)
        with desk.store() as store:
            store.service.withdraw([record.id])


def test_what_says_the_same_is_no_negative_for_the_encoder(desk):
    opened = OpenDesk.open(desk)
    queries, texts = opened.encoder_queries(None)
    opened.close()
    several = [query for query in queries if len(query.right) > 1]
    assert several
    for query in several:
        said = [texts[row] for row in query.right]
        assert any(all(says_the_same(own, other) for other in said) for own in said)


def test_what_is_right_in_training_is_right_in_replay(tmp_path):
    log = tmp_path / "greetings.jsonl"
    said = ["Yes.", "Hello there, thank you. Yes.", "\N{THUMBS UP SIGN}", "Good morning. No.", "No, it does not."]
    lines = [
        {"id": text, "turns": [{"role": "customer", "text": "Is it dimmable?"}, {"role": "agent", "text": text}]}
        for text in said
    ]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    opened = OpenDesk.open(desk_of(tmp_path, "greetings", log))
    cases = opened.all_cases(1000, lambda _: None)
    in_replay = AnswerEquality(opened.store.answers()).equal([case.group for case in cases])
    opened.close()
    assert len(cases) == len(said) and all(in_replay)
    assert [case.right for case in cases] == in_replay


def test_the_split_is_about_as_large_as_it_says():
    shares = [share_of(f"conversation {number}", "held out") for number in range(4000)]
    assert abs(sum(share < HELD_OUT_SHARE for share in shares) / 4000 - HELD_OUT_SHARE) < 0.03


def found(cases):
    """Share of the cases whose right answer is served."""
    return np.mean([bool(case.right & {one.answer_id for one in case.candidates}) for case in cases])


def test_a_copy_under_another_id_is_not_served_either(tmp_path):
    desk = small_desk(tmp_path, "small")
    opened = OpenDesk.open(desk)
    before = opened.all_cases(1000, lambda _: None)
    opened.close()
    rows = [json.loads(line) for line in (tmp_path / "small.jsonl").read_text(encoding="utf-8").splitlines()]
    (tmp_path / "copies.jsonl").write_text(
        "\n".join(json.dumps(row | {"id": f"copy of {row['id']}"}) for row in rows)
    )
    with desk.writing(), desk.store() as store:
        import_logs(store, [tmp_path / "copies.jsonl"], redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
    opened = OpenDesk.open(desk)
    after = opened.all_cases(1000, lambda _: None)
    opened.close()
    assert len(after) == 2 * len(before) and found(before) < 0.7
    assert found(after) == pytest.approx(found(before), abs=0.05), "in its copy it would be found every time"


def log_of(path, lines):
    """A log of conversations: each what is said in turns, and more."""
    with path.open("w", encoding="utf-8") as file:
        for said, more in lines:
            roles = (("customer", "agent")[place % 2] for place in range(len(said)))
            turns = [{"role": role, "text": text} for role, text in zip(roles, said, strict=True)]
            file.write(json.dumps(more | {"turns": turns}) + "\n")
    return path


def test_what_a_conversation_was_before_it_grew_is_not_served_in_training(tmp_path):
    brief = ("where is my order?", "It comes today.")
    lines = [(brief, {}), ((*brief, "thanks", "you're welcome"), {}), (("lamp?", "No."), {"id": "else"})]
    opened = OpenDesk.open(desk_of(tmp_path, "brief", log_of(tmp_path / "log.jsonl", lines)))
    cases = opened.all_cases(1000, lambda _: None)
    opened.close()
    served = [bool(case.right & {one.answer_id for one in case.candidates}) for case in cases]
    assert served == [True, False, False, False], "of the grown one only the other's answer would be right"


def test_what_many_asked_in_the_same_words_is_served_in_training(tmp_path):
    asked = ("Where is the lamp that I have ordered?", "It comes today.")
    lines = [(asked, {"id": str(number)}) for number in range(MOST_COPIES + 2)]
    opened = OpenDesk.open(desk_of(tmp_path, "many", log_of(tmp_path / "log.jsonl", lines)))
    cases = opened.all_cases(1000, lambda _: None)
    opened.close()
    assert found(cases) == 1.0


def test_copies_under_other_ids_are_on_one_side(tmp_path):
    names = ["first", "second", "third", "fourth"]
    lines = [
        ((f"Where is the lamp number {number} that I have ordered?", f"It comes in {number} days."), {"id": name})
        for number in range(60)
        for name in (f"{name} {number}" for name in names[: 1 + number % 4])
    ]
    opened = OpenDesk.open(desk_of(tmp_path, "twice", log_of(tmp_path / "log.jsonl", lines)))
    opened.tuned_on = frozenset({"twice"})

    held_out = opened.held_out_cases(lambda _: None)
    tuned = opened.encoder_queries(None)[0]
    trained = opened.train_examples(TrainSettings(limit=400), lambda _: None)
    opened.close()
    sides = [{one.group for one in held_out}, {one.group for one in tuned}, {one.group for one in trained}]
    assert all(sides) and not any(one & other for one, other in combinations(sides, 2))
    assert {group.split()[0] for side in sides for group in side} == {"first"}
    questions = [{one.context.question for one in held_out}, {one.dialogue[-1].text for one in tuned}]
    assert questions[0] and not questions[0] & questions[1]
    assert len(held_out) > len(sides[0])


def test_a_desk_of_one_conversation_is_calibrated_without_a_word(tmp_path):
    log = tmp_path / "one.jsonl"
    turns = [{"role": "customer", "text": "Where is my parcel?"}, {"role": "agent", "text": "It comes today."}]
    log.write_text(json.dumps({"id": "only", "turns": turns}), encoding="utf-8")
    desk = Desk.create(tmp_path / "home", "one")
    with desk.writing(), desk.store() as store:
        import_logs(store, [log], redact=True, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, Embedder())
        calibrate_desk(desk, store, Embedder())
    with Pipeline.open(desk) as pipeline:
        assert pipeline.model.trust is None
        assert pipeline.answer([Turn("customer", "where is it")]).candidates[0].text == "It comes today."
