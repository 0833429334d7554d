"""Training on a data set: a model, or a linear map, that evaluation then ranks with."""

from __future__ import annotations

import pytest
import torch
from ranking_fixtures import sample_questions, write_rows
from safetensors import safe_open
from safetensors.torch import save_file

from conversations.errors import ModelError, TrainingError
from index.embedder import Embedder
from training import dataset_training, examples, linear_map
from training.calibration import Decision
from training.dataset_training import train_dataset
from training.evaluation import evaluate
from training.linear_map import load_linear_map, train_linear_map
from training.registry import base_model_path, load_model, save_model
from training.reranker import Reranker
from training.settings import TrainSettings


@pytest.fixture
def questions_of_the_sample(tmp_path, monkeypatch):
    monkeypatch.setattr(examples, "LEAST_EXAMPLES", 10)
    monkeypatch.setattr(examples, "LEAST_HELD_OUT", 2)
    return sample_questions(tmp_path / "data")


def test_a_linear_map_learns_and_ranks_as_cosine_does_at_its_start(questions_of_the_sample, tmp_path, monkeypatch):
    data, file = questions_of_the_sample, tmp_path / "map.safetensors"
    report = train_linear_map(data, file)
    assert report["examples"] > 80 and report["after"] >= report["before"] > 0
    trained = evaluate(data, "dev", [f"linear-map:{file}"])[0]
    assert trained.mrr >= evaluate(data, "dev", ["cosine"])[0].mrr, "these questions were trained on"
    monkeypatch.setattr(linear_map, "MOST_EPOCHS", 1)
    monkeypatch.setattr(linear_map, "LEARNING_RATE", 1e-12)
    train_linear_map(data, file)
    assert evaluate(data, "dev", [f"linear-map:{file}"])[0].mrr == evaluate(data, "dev", ["cosine"])[0].mrr
    with pytest.raises(ModelError, match=r"map\.safetensors is an attendant linear map, .* as linear-map:"):
        evaluate(data, "dev", [f"cross-attention:{file}"])
    with pytest.raises(ModelError, match="no linear map for the encoder other"):
        load_linear_map(file, "other", 384)
    for shape in ((3, 4), (5, 5), (384,)):
        with safe_open(file, "pt") as opened:
            save_file({"weight": torch.zeros(shape)}, file, opened.metadata())
        with pytest.raises(ModelError, match="vectors have 384 numbers"):
            evaluate(data, "dev", [f"linear-map:{file}"])
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ModelError, match="cannot be read"):
        evaluate(data, "dev", [f"linear-map:{file}"])[0]


def test_a_data_set_trains_a_model_that_evaluates(questions_of_the_sample, tmp_path):
    data = questions_of_the_sample
    report = train_dataset(data, tmp_path / "model", TrainSettings(epochs=1))
    assert report.examples >= 10
    assert (tmp_path / "model" / "encoder").is_dir()
    assert not (tmp_path / "model.training").exists()
    trained = evaluate(data, "dev", [f"cross-attention:{tmp_path / 'model'}"])[0]
    assert trained.protocol == "corpus"
    assert trained.mrr > evaluate(data, "dev", ["bm25"])[0].mrr
    model = str(tmp_path / "model")
    retrieved = evaluate(data, "dev", [f"cross-attention:{model}"], depth=1)[0].ranks
    assert evaluate(data, "dev", ["max-sim"], depth=1, candidates_by=model)[0].ranks == retrieved
    assert evaluate(data, "dev", ["max-sim"], depth=1)[0].ranks != retrieved


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"epochs": 1}, "No epoch was better than the fitted retrieval scores: the trained part is zero"),
        ({"epochs": 1, "start": base_model_path()}, "No epoch was better than the start"),
        ({"epochs": 0}, None),
    ],
)
def test_a_training_in_which_no_epoch_was_better_says_so(questions_of_the_sample, tmp_path, chosen, said):
    settings = TrainSettings(encoder_epochs=0, learning_rate=1e-12, **chosen)
    report = train_dataset(questions_of_the_sample, tmp_path / "model", settings)
    model = load_model(tmp_path / "model")
    assert report.best_epoch == model.notes["best_epoch"] == 0
    assert model.notes["reason"] == report.reason
    assert said in report.reason if said else "No epoch" not in report.reason
    assert model.reranker.is_untrained == ("start" not in chosen)


def test_a_model_to_start_from_goes_on_with_its_encoder_tuned_further(questions_of_the_sample, tmp_path):
    start, save = base_model_path(), tmp_path / "model"
    train_dataset(questions_of_the_sample, save, TrainSettings(encoder_epochs=1, epochs=0, start=start))
    before, after = load_model(start).reranker, load_model(save).reranker
    assert after.config.encoder == Embedder(str(save / "encoder")).identity != before.config.encoder
    assert not after.config.needs_questions
    for name, weights in before.blocks.state_dict().items():
        assert after.blocks.state_dict()[name].equal(weights), name
    tuned, word = evaluate(questions_of_the_sample, "dev", [f"cross-attention:{save}", "bm25"])
    assert tuned.mrr > word.mrr


@pytest.mark.parametrize(
    ("chosen", "right", "said"),
    [
        ({"limit": 40}, True, r"are 40 dialogues, of which 2\d go to the encoder: 1\d remain .* 50 .*limit\.$"),
        ({}, True, r"are 8\d dialogues, of which 6\d go to the encoder: \d\d remain .* --encoder-epochs 0\.$"),
        ({"encoder_epochs": 0, "limit": 40}, True, "are 40 dialogues to train on .* 50 "),
        ({}, False, "are 0 dialogues to train on and 0 held out; at least 50 and 2 are needed"),
    ],
)
def test_too_few_dialogues_are_refused_before_anything_is_tuned_or_embedded(
    questions_of_the_sample, tmp_path, monkeypatch, chosen, right, said
):
    monkeypatch.setattr(examples, "LEAST_EXAMPLES", 50)
    monkeypatch.setattr(dataset_training, "fine_tune_encoder", lambda *_: pytest.fail("the training began"))
    monkeypatch.setattr(dataset_training, "TaskIndex", lambda *_: pytest.fail("the training began"))
    if not right:
        write_rows(questions_of_the_sample / "train.jsonl.gz", [{"question": "Is it in?", "answers": []}] * 90)
    killed = tmp_path / "model.training" / "encoder" / "encoder.checkpoint"
    killed.parent.mkdir(parents=True)
    killed.touch()
    with pytest.raises(TrainingError, match=said):
        train_dataset(questions_of_the_sample, tmp_path / "model", TrainSettings(**chosen))
    assert killed.exists(), "of another training, which may go on from there"


def test_a_right_answer_that_stands_there_twice_is_no_negative_for_the_encoder(tmp_path, monkeypatch):
    monkeypatch.setattr(examples, "LEAST_EXAMPLES", 1)
    monkeypatch.setattr(examples, "LEAST_HELD_OUT", 0)
    said = ["Yes, it is.", "yes it  is", "YES IT IS!"]
    write_rows(tmp_path / "data" / "answers.jsonl.gz", [{"id": n, "text": said[n % 3]} for n in range(30)])
    questions = [{"id": n, "question": f"Is number {n} in the shop?", "answers": [n]} for n in range(30)]
    write_rows(tmp_path / "data" / "train.jsonl.gz", questions)
    losses = []

    def note(now):
        if now.stage == "encoder":
            losses.append(now.loss)

    with pytest.raises(TrainingError, match="0 dialogues to train on"):
        train_dataset(tmp_path / "data", tmp_path / "model", TrainSettings(batch_size=4), note)
    assert losses == pytest.approx([0.0] * len(losses), abs=1e-5) and losses
    assert [path.name for path in tmp_path.iterdir()] == ["data"], "nothing is left that nobody can go on with"


@pytest.fixture
def another(tmp_path):
    """A model that brings an encoder of its own."""
    embedder = Embedder(precision="float32")
    with torch.no_grad():
        embedder.transformer.encoder.layer[-1].output.dense.weight.mul_(1.01)
    embedder.serve()
    reranker = Reranker.from_encoder(embedder.transformer, embedder.identity)
    save_model(tmp_path / "another", reranker, Decision(), {"trained_on": ["elsewhere"]}, embedder)
    return tmp_path / "another"


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"start": "another"}, r"reads the states of .*, not of .* --encoder .*another"),
        ({"start": "base", "encoder": "another"}, r"reads the states of .*, not of .* Start without --encoder"),
        ({"start": "nowhere"}, "no model in .*nowhere"),
        ({"teacher": "cross-attention:nowhere", "encoder_epochs": 0}, "no model in nowhere"),
        ({"teacher": "cross-attention:another", "encoder_epochs": 0}, r"reads the states of .*, not of"),
        ({"teacher": "cross-attention"}, "this tunes it.* --encoder-epochs 0"),
        ({"teacher": "cross-encoder:nowhere"}, "nowhere"),
    ],
)
def test_what_cannot_be_started_or_learned_from_is_refused_before_anything_is_tuned(
    questions_of_the_sample, another, tmp_path, monkeypatch, chosen, said
):
    monkeypatch.setattr(dataset_training, "fine_tune_encoder", lambda *_: pytest.fail("the training began"))
    monkeypatch.setattr(dataset_training, "TaskIndex", lambda *_: pytest.fail("the training began"))
    places = {"another": another, "base": base_model_path(), "nowhere": tmp_path / "nowhere"}
    chosen = {name: places.get(value, value) for name, value in chosen.items()}
    if "teacher" in chosen:
        chosen["teacher"] = chosen["teacher"].replace("another", str(another))
    with pytest.raises(ModelError, match=said):
        train_dataset(questions_of_the_sample, tmp_path / "model", TrainSettings(**chosen))
