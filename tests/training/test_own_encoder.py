"""Encoders that models bring: kept by training where something of the model is damaged, taken over halfway."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from made_once import small_desk
from torch import nn

from bot.pipeline import Pipeline
from conversations.desk import Desk
from index.embedder import Embedder
from training import desk_training, examples
from training.calibration import Decision
from training.desk_data import OpenDesk
from training.desk_encoder import move_halfway
from training.desk_training import train_desk
from training.model_files import CONFIG, ENCODER, WEIGHTS
from training.registry import TUNED_ON, current_model_path, load_model, promote, save_model
from training.reranker import Reranker
from training.settings import TrainSettings

AGAIN = TrainSettings(limit=40, epochs=0, force=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home whose desk is served by a model with an encoder of its own, and that encoder's identity."""
    home = tmp_path_factory.mktemp("made")
    desk = small_desk(home, "small")
    embedder = Embedder(precision="float32")
    with torch.no_grad():
        embedder.transformer.encoder.layer[-1].output.dense.weight.mul_(1.01)
    embedder.serve()
    reranker = Reranker.from_encoder(embedder.transformer, embedder.identity)
    notes = {"trained_on": ["small"], TUNED_ON: ["another", "small"]}
    save_model(desk.models_path / "model-0001", reranker, Decision(), notes, embedder)
    promote(desk.models_path, "model-0001")
    return home, embedder.identity


@pytest.fixture
def desk(made, tmp_path, monkeypatch):
    monkeypatch.setattr(examples, "LEAST_EXAMPLES", 1)
    monkeypatch.setattr(examples, "LEAST_HELD_OUT", 1)
    monkeypatch.setattr(desk_training, "fit_to_encoder", lambda *_: None)
    shutil.copytree(made[0], tmp_path / "home")
    return Desk.open(tmp_path / "home", "small")


def damage_weights(model):
    (model / WEIGHTS).write_bytes((model / WEIGHTS).read_bytes()[:-1000])


def outdate(model):
    config = json.loads((model / CONFIG).read_text())
    config["reranker"]["version"] -= 1
    (model / CONFIG).write_text(json.dumps(config))


def damage_config(model):
    (model / CONFIG).write_text("{")


def opened(desk):
    """The identity of the encoder that the desk is opened under for training, and what it was tuned on."""
    one = OpenDesk.open(desk)
    one.close()
    return one.embedder.identity, sorted(one.tuned_on)


def test_training_again_keeps_the_encoder_of_a_damaged_model(desk, made):
    damage_weights(desk.models_path / "model-0001")
    with Pipeline.open(desk) as pipeline:
        assert "model-0001" in pipeline.notices[0] and "attendant train" in pipeline.notices[0]
    assert train_desk([desk], AGAIN).promoted
    assert load_model(current_model_path(desk.models_path)).notes[TUNED_ON] == ["another", "small"]
    with Pipeline.open(desk) as pipeline:
        assert pipeline.notices == []
        assert pipeline.ranker_name == "cross-attention:model-0002"
        assert pipeline.embedder.identity == made[1]


@pytest.mark.parametrize(
    ("spoil", "tuned_on"),
    [(outdate, ["another", "small"]), (damage_config, ["small"]), (lambda _: None, ["another", "small"])],
    ids=["outdated", "damaged config", "whole"],
)
def test_what_an_encoder_was_tuned_on_is_known_whatever_became_of_its_model(desk, made, spoil, tuned_on):
    spoil(desk.models_path / "model-0001")
    assert opened(desk) == (made[1], tuned_on)


def halve_encoder(model):
    (model / ENCODER / WEIGHTS).write_bytes(b"half")


def alter_encoder(model):
    content = bytearray((model / ENCODER / WEIGHTS).read_bytes())
    content[-1000:] = bytes(1000)
    (model / ENCODER / WEIGHTS).write_bytes(content)


@pytest.mark.parametrize("spoil", [halve_encoder, alter_encoder])
def test_a_damaged_encoder_is_never_trained_under(desk, spoil):
    spoil(desk.models_path / "model-0001")
    assert opened(desk) == (Embedder().identity, [])


def test_the_remedies_of_a_damaged_encoder_help(desk):
    halve_encoder(desk.models_path / "model-0001")
    with Pipeline.open(desk) as pipeline:
        assert "attendant models --promote base" in pipeline.notices[0]
        assert "attendant train --force" in pipeline.notices[0]
    shutil.copytree(desk.path, desk.path.with_name("other"))
    other = Desk.open(desk.path.parent.parent, "other")
    promote(other.models_path, "base")
    assert train_desk([desk], AGAIN).promoted
    for mended, ranker in ((desk, "model-0002"), (other, "base")):
        with Pipeline.open(mended) as pipeline:
            assert (pipeline.notices, pipeline.ranker_name) == ([], f"cross-attention:{ranker}")


def stand_in(value, width=3):
    """What has weights, all of one value, and a counter, as an encoder may."""
    model = nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width))
    for weights in model.state_dict().values():
        weights.fill_(value)
    return SimpleNamespace(model=model)


def values(encoder):
    return {number for weights in encoder.model.state_dict().values() for number in weights.flatten().tolist()}


def test_halfway_is_the_mean_of_the_weights_of_encoders_that_are_built_alike():
    tuned, original = stand_in(4), stand_in(1)
    move_halfway(tuned, original)
    assert values(tuned) == {2.5, 4}, "a counter is no weight"
    assert values(original) == {1}
    move_halfway(tuned, stand_in(1, width=5))
    assert values(tuned) == {2.5, 4}
