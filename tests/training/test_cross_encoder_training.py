"""A CrossEncoder trained as a peer: what it trains on, that it learns, and what is said where it cannot."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from ranking_fixtures import write_rows
from safetensors.torch import load_file

from conversations.errors import MissingPart, TrainingError
from conversations.model import Turn
from index.candidates import Candidate, ReadDialogue
from index.encoder_loading import bundled_path
from index.tokens import Tokens
from training import cross_encoder_training
from training.cross_encoder_lists import make_lists
from training.cross_encoder_training import CrossEncoderSettings, train_cross_encoder
from training.datasets import Query, RankingTask, load_task
from training.rankers.cross_encoder import CrossEncoderRanker

needs_packages = pytest.mark.skipif(
    not (find_spec("accelerate") and find_spec("datasets")),
    reason="accelerate and datasets are not installed: pip install -c constraints.txt -e '.[peers]'",
)
THINGS = ["lamp", "kettle", "radio", "clock", "chair", "table", "phone", "camera", "heater", "printer", "mirror"]


@pytest.fixture
def data(tmp_path):
    """Questions whose right answer is the plain one of two that name the same thing."""
    directory = tmp_path / "data"
    kinds = ["The {} is sent back free of charge.", "We sell no {} any more."]
    write_rows(
        directory / "answers.jsonl.gz",
        [{"id": f"{n}-{k}", "text": kinds[k].format(t)} for n, t in enumerate(THINGS) for k in range(2)],
    )
    rows = [
        {"id": n, "question": f"How do I return my {thing}?", "answers": [f"{n}-0"]} for n, thing in enumerate(THINGS)
    ]
    write_rows(directory / "train.jsonl.gz", rows)
    return directory


class Mock:
    """Vectors whose cosine falls with an answer's row."""

    dimension = 2

    def encode_dialogues(self, dialogues):
        return np.tile(np.float32([1, 0]), (len(dialogues), 1))

    def encode_answers(self, texts):
        angles = np.array([float(text.split()[-1]) for text in texts], dtype=np.float32)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def lists_of(queries, answers, size):
    task = RankingTask("mock", "answer selection", tuple(answers), tuple(queries))
    return make_lists(task, queries, size, 1, lambda _: None, Mock())


def test_a_list_holds_a_right_answer_the_nearest_wrong_ones_and_others_of_the_pool():
    answers = [f"{'x' * (9 - n)} {n / 10}" for n in range(10)]
    pool = (0, 1, 2, 3, 4, 5, 6)
    dialogue = (Turn("customer", "first"), Turn("agent", "then"), Turn("customer", "last"))
    (made,) = lists_of([Query(dialogue, frozenset({1}), "g", pool)], answers, 6)
    assert made.dialogue == "last then first"
    assert made.answers[made.right] == answers[1]
    assert {answers[0], answers[2], answers[3]} < set(made.answers) < {answers[row] for row in pool}
    assert len(set(made.answers)) == 6
    assert [len(text) for text in made.answers] == sorted(len(text) for text in made.answers)


def test_the_twin_of_a_right_answer_is_not_wrong_and_without_a_wrong_one_there_is_no_list():
    turns = (Turn("customer", "x"),)
    right = frozenset({0})
    answers = ["a 0.1", "a 0.1", "b 0.2"]
    (made,) = lists_of([Query(turns, right, "g")], answers, 8)
    assert made.answers == ["a 0.1", "b 0.2"]
    assert lists_of([Query(turns, right, "g", (0, 1))], answers, 8) == []


@pytest.mark.parametrize(("device", "attention"), [("cpu", "eager"), ("cpu:0", "sdpa")])
def test_it_drops_nothing_on_any_device_and_attends_plainly_on_a_cpu(monkeypatch, device, attention):
    """The second name is the CPU once more, as a device that is not called one."""
    monkeypatch.setattr(cross_encoder_training, "default_device", lambda: device)
    model = cross_encoder_training._fresh_model(CrossEncoderSettings())
    assert {module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)} == {0.0}
    assert model.model.config._attn_implementation == attention


def ranked(model, task):
    """What the model puts first for each query, and all the scores."""
    ranker = CrossEncoderRanker(str(model))
    nothing = np.empty(0, dtype=np.float32)
    candidates = [Candidate(row, text, (), 0.0) for row, text in enumerate(task.answers)]
    for query in task.queries:
        context = ReadDialogue(query.dialogue, Tokens([], [], []), nothing, nothing, None)
        yield query, ranker.rank(context, candidates)


@needs_packages
def test_it_learns_and_ranks(data, tmp_path):
    seen = []
    settings = CrossEncoderSettings(epochs=8, learning_rate=3e-4, batch_size=4, candidates=4, pair_tokens=32, limit=8)
    save = tmp_path / "model"
    save.mkdir()
    (save / "config_sentence_transformers.json").write_text('{"model_type": "CrossEncoder"}')
    (save / "old").touch()
    report = train_cross_encoder(data, save, settings, seen.append)
    assert report["examples"] == 8
    assert report["steps"] == 16
    assert report["last_loss"] < report["first_loss"] / 2
    assert [progress.step for progress in seen if progress.stage == "cross-encoder"] == list(range(1, 17))
    assert (save / "model.safetensors").is_file()
    learned, words = load_file(save / "model.safetensors"), "embeddings.word_embeddings.weight"
    assert torch.equal(learned[f"bert.{words}"], load_file(bundled_path() / "model.safetensors")[words])
    assert not (save / "old").exists() and not list(tmp_path.glob("model.*"))
    orders = list(ranked(save, load_task(data, "train")))
    firsts = [order[0].candidate.answer_id in query.right for query, order in orders]
    assert np.mean(firsts) > 0.7, "one of 22; some of these queries were not trained on"
    for _, order in orders:
        scores = [entry.score for entry in order]
        assert len(set(scores)) == len(scores), "no ties by rounding or saturation"


@needs_packages
def test_a_pair_is_cut_where_it_was_in_training(data, tmp_path):
    train_cross_encoder(data, tmp_path / "model", CrossEncoderSettings(batch_size=4, pair_tokens=16, limit=4))
    nothing = np.empty(0, dtype=np.float32)
    ranker = CrossEncoderRanker(str(tmp_path / "model"))

    def scores(turns):
        context = ReadDialogue(turns, Tokens([], [], []), nothing, nothing, None)
        return [entry.score for entry in ranker.rank(context, [Candidate(0, "We sell no lamp any more.", (), 0.0)])]

    newest = Turn("customer", " ".join(["lamp"] * 20))
    assert scores((newest,)) == scores((Turn("customer", "Hello."), newest))


class Killed(Exception):
    """Stands for kill -9: nothing is cleaned up."""


@needs_packages
def test_a_killed_training_goes_on_to_the_same_model_and_other_settings_begin_anew(data, tmp_path, monkeypatch):
    monkeypatch.setattr(cross_encoder_training, "STEPS_BETWEEN_CHECKPOINTS", 3)
    # A GPU may add up in another order every time.
    monkeypatch.setattr(cross_encoder_training, "default_device", lambda: "cpu")
    settings = CrossEncoderSettings(epochs=3, batch_size=4, candidates=4, pair_tokens=32, limit=8)
    whole = train_cross_encoder(data, tmp_path / "whole", settings)

    def train(given, killed_at=None):
        steps = []

        def on_progress(now):
            if now.stage == "cross-encoder":
                steps.append(now.step)
                if now.step == killed_at:
                    raise Killed

        try:
            return train_cross_encoder(data, tmp_path / "killed", given, on_progress), steps
        except Killed:
            return None, steps

    assert train(settings, 5)[0] is None
    half_written = tmp_path / "killed.checkpoints" / "checkpoint-4"
    half_written.mkdir()
    assert train(replace(settings, learning_rate=1e-3), 1)[1] == [1]
    assert train(settings, 5)[1] == [1, 2, 3, 4, 5]
    half_written.mkdir()
    resumed, steps = train(settings)
    assert steps == [4, 5, 6]
    assert resumed == whole
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("whole", "killed")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@needs_packages
def test_nothing_to_train_on_is_said(data, tmp_path):
    write_rows(data / "train.jsonl.gz", [{"id": 1, "question": "x", "answers": []}])
    with pytest.raises(TrainingError, match="no query with a right and a wrong answer"):
        train_cross_encoder(data, tmp_path / "model")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("package", ["datasets", "accelerate"])
def test_missing_packages_are_named_before_anything_is_read(data, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, "accelerate", sys)
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(cross_encoder_training, "load_task", None)
    with pytest.raises(MissingPart, match=rf"needs the package {package}\. Run: pip install .*\.\[peers\]"):
        train_cross_encoder(data, tmp_path / "model")
