"""The published protocols on data sets small enough to count by hand."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from ranking_fixtures import sample_questions, write_rows

from conversations.errors import AttendantError, ModelError, TrainingError
from index.embedder import Embedder
from training.calibration import Decision
from training.datasets import load_task
from training.evaluation import EvaluationReport, evaluate
from training.metrics import Calibration
from training.registry import base_model_path, save_model
from training.reranker import Reranker
from training.word_scores import WordScores

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def selection(tmp_path):
    tmp_path = tmp_path / "selection"
    texts = ["The parcel arrives on Friday.", "Press the red button to reset.", "A refund takes five days.", "Yes."]
    write_rows(tmp_path / "answers.jsonl.gz", [{"id": f"a{n}", "text": text} for n, text in enumerate(texts)])
    write_rows(
        tmp_path / "dev.jsonl.gz",
        [
            {"id": 1, "question": "When does my parcel arrive?", "answers": ["a0"], "pool": ["a2", "a0", "a1"]},
            {"id": 2, "question": "How long does the refund take?", "answers": ["a2"], "pool": ["a2", "a3"]},
            {"id": 3, "question": "How do I reset the device?", "answers": ["a1"], "pool": ["a0", "a2"]},
        ],
    )
    return tmp_path


@pytest.mark.parametrize("ranker", ["bm25", "cosine", "retrieval", "max-sim", "cross-attention"])
def test_pools_without_a_right_answer_are_left_out(selection, ranker):
    report = evaluate(selection, "dev", [ranker])[0].as_json()
    assert report["protocol"] == "pool"
    assert report["queries"] == 2
    assert (report["top1"], report["mrr"], report["recall@10"]) == (1.0, 1.0, 1.0)
    assert report["latency_ms"]["p95"] >= report["latency_ms"]["p50"] > 0


def test_a_calibration_error_is_reported_with_what_of_it_is_chance():
    plain = EvaluationReport("pool", "cosine", [1], ["c"], [1.0])
    assert not any(name.startswith("ece") for name in plain.as_json())
    told = EvaluationReport("pool", "cosine", [1], ["c"], [1.0], calibration=Calibration(0.25, 0.125, 0.02)).as_json()
    assert (told["ece"], told["ece_noise"], told["ece_excess"], told["ece_p"]) == (0.25, 0.125, 0.125, 0.02)


def test_over_the_corpus_every_question_counts(selection):
    report = evaluate(selection, "dev", ["cosine"], protocol="corpus")[0].as_json()
    assert report["queries"] == 3
    assert report["hit@1"] == 1.0
    assert report["hit@100"] == 1.0


def test_ties_count_against_the_ranker(selection):
    write_rows(selection / "dev.jsonl.gz", [{"question": "zzz", "answers": ["a0"], "pool": ["a0", "a1", "a2"]}])
    assert evaluate(selection, "dev", ["bm25"])[0].mrr == pytest.approx(1 / 3)


def test_the_order_of_a_pool_plays_no_part(selection):
    before = evaluate(selection, "dev", ["cross-attention"])[0].as_json()
    with gzip.open(selection / "dev.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    write_rows(selection / "dev.jsonl.gz", [row | {"pool": row["pool"][::-1]} for row in rows])
    after = evaluate(selection, "dev", ["cross-attention"])[0].as_json()
    assert {**before, "latency_ms": 0} == {**after, "latency_ms": 0}


@pytest.mark.parametrize("depth", [1, 2, 100])
def test_what_is_not_reranked_stays_below(selection, depth):
    report = evaluate(selection, "dev", ["cross-attention"], protocol="corpus", depth=depth)[0]
    assert report.as_json()["recall@10"] == 1.0


@pytest.fixture
def bank(tmp_path):
    tmp_path = tmp_path / "bank"
    write_rows(
        tmp_path / "responses.jsonl.gz",
        [
            {"task": "bank", "action": "ask_name", "text": "What is your name?"},
            {"task": "hotel", "action": "ask_name", "text": "May I have your name?"},
            {"task": "bank", "action": "bye", "text": "Goodbye."},
            {"task": "hotel", "action": "bye", "text": "Goodbye."},
        ],
    )
    turns = [
        {"role": "agent", "text": "Hello.", "action": "bye"},
        {"role": "customer", "text": "I want a room."},
        {"role": "agent", "text": "May I have your name?", "action": "ask_name"},
        {"role": "agent", "text": "Goodbye.", "action": "bye"},
        {"role": "customer", "text": "Bye."},
        {"role": "agent", "text": "See you.", "action": "not in the bank"},
        {"role": "customer", "text": "Bye now."},
        {"role": "agent", "text": "Goodbye.", "action": "bye"},
    ]
    write_rows(tmp_path / "dev.jsonl.gz", [{"id": "one", "turns": turns, "meta": {"tasks": ["hotel"]}}])
    return tmp_path


def test_a_reply_bank_asks_at_labelled_turns_after_the_customers(bank):
    task = load_task(bank, "dev")
    assert task.answers == ("What is your name?", "May I have your name?", "Goodbye.")
    assert [sorted(query.right) for query in task.queries] == [[1], [2]]
    assert [query.dialogue[-1].text for query in task.queries] == ["I want a room.", "Bye now."]
    report = evaluate(bank, "dev", ["cosine"])[0].as_json()
    assert (report["protocol"], report["queries"]) == ("bank", 2)


def test_under_attack_only_the_questions_change(selection):
    plain, mistyped, hidden = evaluate(selection, "dev", ["bm25"], ("deletion", "invisible"))
    assert plain.ranks == evaluate(selection, "dev", ["bm25"])[0].ranks
    assert (mistyped.attack, hidden.attack) == ("deletion", "invisible")
    assert len(mistyped.ranks) == len(plain.ranks)
    assert hidden.top1 == plain.top1, "invisible characters are cleaned away before anything is ranked"


def test_wrong_calls_are_told_plainly(selection, bank):
    with pytest.raises(TrainingError, match="no split 'test'"):
        evaluate(selection, "test", ["cosine"])
    with pytest.raises(ModelError, match="no ranker 'best'"):
        evaluate(selection, "dev", ["best"])
    with pytest.raises(ModelError, match="There is no model in nowhere"):
        evaluate(selection, "dev", ["cross-attention:nowhere"])
    with pytest.raises(TrainingError, match="no data set directory"):
        evaluate(selection / "nothing", "dev", ["cosine"])
    write_rows(selection / "dev.jsonl.gz", [{"question": "x", "answers": ["a9"]}])
    with pytest.raises(TrainingError, match=r"dev.jsonl.gz, line 1: answer id 'a9'"):
        evaluate(selection, "dev", ["cosine"])
    (selection / "dev.jsonl.gz").write_bytes(b"\x1f\x8b broken")
    with pytest.raises(AttendantError, match="cannot be read"):
        evaluate(selection, "dev", ["cosine"])


@pytest.fixture
def questions_of_the_sample(tmp_path):
    return sample_questions(tmp_path / "data")


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the public data sets are not beside the project")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("ranker", "top1"), [("bm25", 0.255), ("cosine", 0.385)])
def test_public_figures_are_reproduced(ranker, top1):
    report = evaluate(SHARED / "insuranceqa_v2_en", "dev", [ranker])[0]
    assert len(report.ranks) == 1592
    assert report.top1 == pytest.approx(top1, abs=0.01)


def test_what_is_planted_is_a_candidate_of_its_own_question_only(selection):
    plain, copied, stuffed = evaluate(selection, "dev", ["cosine"], ("copied-question", "stuffing"))
    assert plain.fooled is None
    assert copied.fooled == 1.0, "nothing is nearer to a question than itself"
    assert copied.top1 == 0.0
    assert 0.0 <= stuffed.fooled <= 1.0
    assert plain.ranks == evaluate(selection, "dev", ["cosine"])[0].ranks, "planting leaves the plain figures alone"
    plain, *attacked = evaluate(selection, "dev", ["retrieval"], ("copied-question", "stuffing"))
    assert [(one.fooled, one.ranks) for one in attacked] == [(0.0, plain.ranks)] * 2, "echoes are no candidates"


@pytest.mark.parametrize("ranker", ["bm25", "retrieval", "cross-attention"])
def test_what_is_planted_changes_no_other_figure(questions_of_the_sample, ranker):
    alone = evaluate(questions_of_the_sample, "dev", [ranker], ["typo"], limit=12)
    planted = evaluate(questions_of_the_sample, "dev", [ranker], ["typo", "stuffing"], limit=12)
    assert [one.ranks for one in planted[:2]] == [one.ranks for one in alone]
    assert len(planted) == 3


def test_planted_words_are_weighed_as_the_genuine_ones_are():
    answers = ["Press the red button.", "The parcel arrives on Friday, the red one.", "Yes."]
    scores = WordScores(answers, [answers[1], "A zebra."])
    before, after = scores.of("is the red red parcel here", np.array([0, 1, 2])), WordScores(answers)
    assert before.tolist() == after.of("is the red red parcel here", np.arange(3)).tolist()
    (genuine, twin, other) = scores.of("is the red red parcel here", np.array([1, 3, 4]))
    assert twin == pytest.approx(genuine)
    assert other == 0.0
    assert scores.of("zebra", np.array([0, 1, 2, 3, 4])).nonzero()[0].tolist() == [4]


def test_tied_firsts_are_no_hits(tmp_path):
    data = tmp_path / "ties"
    write_rows(data / "train.jsonl.gz", [{"text": f"zq{n}", "label": label} for n, label in enumerate("abc")])
    write_rows(data / "dev.jsonl.gz", [{"text": "qqqq", "label": "a"}] * 4)
    write_rows(data / "oos_dev.jsonl.gz", [{"text": "vvv", "label": "oos"}])
    (report,) = evaluate(data, "dev", ["bm25"])
    assert (report.top1, report.in_scope_accuracy) == (0.0, 0.0)


@pytest.fixture
def intents(tmp_path):
    directory = tmp_path / "intents"
    said = (
        ("card_lost", "I lost my card"),
        ("card_lost", "my card is gone"),
        ("book_flight", "book a flight"),
        ("book_flight", "I want to fly to Rome"),
    )
    rows = [{"id": n, "text": text, "label": label} for n, (label, text) in enumerate(said)]
    write_rows(directory / "train.jsonl.gz", rows)
    write_rows(directory / "dev.jsonl.gz", [{"text": "a lost card", "label": "card_lost"}])
    write_rows(directory / "oos_dev.jsonl.gz", [{"text": "how tall is the moon", "label": "oos"}])
    return directory


def test_out_of_scope_requests_are_told_apart_by_confidence(intents):
    task = load_task(intents, "dev")
    assert task.answers == ("book flight", "card lost")
    assert [sorted(query.right) for query in task.queries] == [[1], []]
    assert "I want to fly to Rome" in task.log
    (report,) = evaluate(intents, "dev", ["cosine"])
    assert (report.protocol, len(report.ranks), report.top1) == ("intents", 1, 1.0)
    assert (report.in_scope_accuracy, report.out_of_scope_recall) == (1.0, 1.0)


def test_several_rankers_are_tested_against_the_best(questions_of_the_sample):
    word, vector, base = evaluate(questions_of_the_sample, "dev", ["bm25", "cosine", "cross-attention"])
    best = max((word, vector, base), key=lambda report: report.mrr)
    assert best.against is None
    for report in (word, vector, base):
        if report is not best:
            assert report.against == best.ranker
            assert 0 < report.p_mrr <= 1
    assert {"against", "p_top1", "p_mrr"} <= set(word.as_json())


@pytest.fixture
def for_bare_answers(tmp_path):
    """A model whose judgement counts, and that takes answers without past questions."""
    embedder = Embedder()
    reranker = Reranker.from_encoder(embedder.transformer, embedder.identity).for_bare_answers(answer_tokens=32)
    torch.nn.init.normal_(reranker.score_out.weight)
    save_model(tmp_path / "bare", reranker, Decision(), {"trained_on": []})
    return str(tmp_path / "bare")


def test_an_ensemble_of_one_model_ranks_as_the_model(questions_of_the_sample, for_bare_answers):
    alone = f"cross-attention:{for_bare_answers}"
    rankers = [alone, f"{alone},{for_bare_answers}", "retrieval"]
    one, twice, none = evaluate(questions_of_the_sample, "dev", rankers)
    assert one.ranks == twice.ranks != none.ranks


@pytest.mark.parametrize("is_first", [True, False])
def test_an_ensemble_with_a_model_that_needs_past_questions_is_refused(selection, for_bare_answers, is_first):
    base = str(base_model_path())
    paths = [base, for_bare_answers] if is_first else [for_bare_answers, base]
    with pytest.raises(ModelError, match=rf"^{base} needs past questions .* Leave it out"):
        evaluate(selection, "dev", [f"cross-attention:{','.join(paths)}"])


def test_encoded_answers_are_kept_and_mended(selection, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    first = evaluate(selection, "dev", ["cross-attention"], cache=cache)[0].ranks
    (kept,) = cache.iterdir()
    encoded = []
    monkeypatch.setattr("training.encoded_answers.write_segment", lambda *given: encoded.append(given))
    assert evaluate(selection, "dev", ["cross-attention"], cache=cache)[0].ranks == first
    assert not encoded, "read from the cache"
    monkeypatch.undo()
    (kept / "vectors.npy").write_bytes(b"damaged")
    assert evaluate(selection, "dev", ["cross-attention"], cache=cache)[0].ranks == first
    assert [path.name for path in cache.iterdir()] == [kept.name], "made again, and nothing left beside"
