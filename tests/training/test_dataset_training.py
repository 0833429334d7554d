"""Training on a data set: a model, or a linear map, that evaluation then ranks with."""

from __future__ import annotations

import pytest
import torch
from ranking_fixtures import sample_questions
from safetensors import safe_open
from safetensors.torch import save_file

from conversations.errors import ModelError
from training import dataset_training, linear_map
from training.dataset_training import train_dataset
from training.evaluation import evaluate
from training.linear_map import load_linear_map, train_linear_map
from training.settings import TrainSettings


@pytest.fixture
def questions_of_the_sample(tmp_path):
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


def test_a_data_set_trains_a_model_that_evaluates(questions_of_the_sample, tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_training, "LEAST_EXAMPLES", 10)
    monkeypatch.setattr(dataset_training, "LEAST_HELD_OUT", 2)
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
