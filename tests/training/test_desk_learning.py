"""What a real desk is retrained on, and how: which turns choose the epoch, which encoder and teacher it may have."""

from __future__ import annotations

import shutil

import pytest
from desk_trainings import ask, few_are_enough
from made_once import sample_desk, small_desk

from bot.pipeline import Pipeline
from conversations.desk import Desk
from conversations.errors import ModelError
from conversations.model import Turn
from index.embedder import Embedder
from training import desk_encoder, desk_training, reranker_training
from training.desk_data import HELD_OUT_SHARE, OpenDesk
from training.desk_encoder import under_another_encoder
from training.desk_training import train_desk
from training.mood import MoodReader
from training.registry import load_model
from training.settings import TrainSettings
from training.splits import share_of


@pytest.fixture
def desk(tmp_path, monkeypatch):
    few_are_enough(monkeypatch, to_train=10, held_out=5)
    return sample_desk(tmp_path / "home", 60)


@pytest.mark.slow
def test_a_tuned_encoder_comes_with_an_index_of_its_own(desk, caplog):
    settings = TrainSettings(limit=40, epochs=1, encoder_epochs=1, force=True)
    report = train_desk([desk], settings)
    assert report.promoted
    assert (desk.models_path / "model-0001" / "encoder" / "model.safetensors").is_file()
    assert len([path for path in desk.index_path.iterdir() if path.is_dir()]) == 2
    with Pipeline.open(desk) as pipeline:
        assert pipeline.notices == []
        assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []
        assert pipeline.ranker_name == "cross-attention:model-0001"
        assert len(pipeline.answer([Turn("customer", "where is my parcel")]).candidates) > 30


def weights_of(embedder):
    return embedder.transformer.encoder.layer[-1].output.dense.weight.detach().float()


def trained_conversations(desk):
    """The encoder that the desk is under, and whose turns train it and the reranker."""
    opened = OpenDesk.open(desk)
    encoder = {query.group for query in opened.encoder_queries(None)[0]}
    reranker = {example.group for example in opened.train_examples(TrainSettings(), lambda _: None)}
    opened.close()
    return opened.embedder.identity, encoder, reranker


@pytest.mark.slow
def test_a_tuned_encoder_is_kept_by_retraining_and_taken_over_by_another_desk(tmp_path, monkeypatch):
    few_are_enough(monkeypatch, to_train=1, held_out=1)
    old = small_desk(tmp_path, "old")
    shutil.copytree(old.path, old.path.with_name("new"))
    new = Desk.open(tmp_path, "new")
    bundled = trained_conversations(old)[0]
    train_desk([old], TrainSettings(epochs=0, encoder_epochs=1, learning_rate=6e-3, force=True))
    train_desk([old], TrainSettings(limit=80, epochs=1, force=True))
    tuned, of_encoder, of_reranker = trained_conversations(old)
    assert tuned != bundled
    assert of_reranker and not of_reranker & of_encoder
    assert ask(old)[0] == "cross-attention:model-0002"

    report = train_desk([new], TrainSettings(limit=80, epochs=0, start=old.models_path / "model-0002", force=True))
    assert report.promoted
    taken, of_encoder, of_reranker = trained_conversations(new)
    # The encoder was tuned on another log: it is taken over halfway, and all of this one may train the reranker.
    models = {"old": old.models_path / "model-0002", "new": new.models_path / "model-0001"}
    weights = {name: weights_of(Embedder(str(path / "encoder"))) for name, path in models.items()}
    halfway = (weights["old"] + weights_of(Embedder())) / 2
    assert (weights["new"] - halfway).norm() < 0.2 * (weights["old"] - halfway).norm()
    assert of_reranker & of_encoder
    assert ask(new)[0] == "cross-attention:model-0001"
    assert MoodReader.for_encoder(Embedder(str(models["new"] / "encoder"))) is None, "the base head does not fit it"
    with Pipeline.open(new) as pipeline:
        assert pipeline.answer([Turn("customer", "You are useless, I want my money back!")]).mood.score < -0.3

    start, further = old.models_path / "model-0002", tmp_path / "further"
    train_desk([new], TrainSettings(limit=80, epochs=0, encoder_epochs=1, start=start), save=further)
    before, after = load_model(start), load_model(further)
    assert after.reranker.config.encoder not in {bundled, tuned, taken}
    assert after.notes["encoder_tuned_on"] == ["new", "old"]
    for name, weights in before.reranker.blocks.state_dict().items():
        assert after.reranker.blocks.state_dict()[name].equal(weights), name


@pytest.mark.parametrize(
    ("teacher", "epochs", "said"),
    [("cross-attention", 1, "this tunes it"), ("cross-attention:x", 0, "no model in x"), ("magic", 1, "no ranker")],
)
def test_a_teacher_that_cannot_teach_is_refused_before_the_encoder_is_tuned(
    desk, tmp_path, monkeypatch, teacher, epochs, said
):
    monkeypatch.setattr(desk_encoder, "fine_tune_encoder", lambda *_: pytest.fail("the training began"))
    settings, opened = TrainSettings(teacher=teacher, encoder_epochs=epochs), OpenDesk.open(desk)
    with pytest.raises(ModelError, match=said):
        under_another_encoder([opened], settings, tmp_path, lambda _: None)
    opened.close()


class Trained(Exception):
    """Stands for the rest of a training."""


@pytest.mark.parametrize("least", [1, 10**6], ids=["enough", "too few"])
def test_the_epoch_is_chosen_on_conversations_that_do_not_judge_where_there_are_enough(desk, monkeypatch, least):
    def train(reranker, examples, chosen_by, *_):
        raise Trained({one.group for one in examples}, {one.group for one in chosen_by})

    monkeypatch.setattr(reranker_training, "LEAST_TO_CHOOSE_BY", least)
    monkeypatch.setattr(desk_training, "train_reranker", train)
    with pytest.raises(Trained) as reached:
        train_desk([desk], TrainSettings(limit=200))
    trained, chosen_by = reached.value.args
    assert trained and chosen_by and not trained & chosen_by
    judging = {one for one in chosen_by if share_of(one, "held out") < HELD_OUT_SHARE}
    assert judging == (chosen_by if least > 1 else set())
