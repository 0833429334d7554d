"""Retraining a real desk, small and short: what is promoted, what is refused, what is kept."""

from __future__ import annotations

import threading

import pytest
from desk_trainings import ask, few_are_enough
from made_once import sample_desk, small_desk

from bot.pipeline import Pipeline
from conversations.errors import TrainingError
from index.embedder import Embedder
from training import desk_calibration, desk_encoder, desk_training, examples, promotion
from training.calibration import Decision
from training.desk_calibration import calibrate_desk
from training.desk_data import OpenDesk
from training.desk_training import train_desk
from training.registry import current_model_path, load_model, save_model
from training.reranker import Reranker, RerankerConfig
from training.settings import TrainSettings

QUICK = TrainSettings(limit=40, epochs=1)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    few_are_enough(monkeypatch, to_train=10, held_out=5)
    return sample_desk(tmp_path / "home", 60)


def test_whoever_closes_a_desk_waits_for_the_searches_that_were_begun(desk, monkeypatch):
    opened = OpenDesk.open(desk)
    begun = opened.retriever.look_up_words(["lamp", "parcel"] * 200)
    opened.close()
    assert all(one.done() for one in begun)
    monkeypatch.setattr(desk_calibration, "TURNS", 20)
    before = set(threading.enumerate())
    with desk.store() as store:
        calibrate_desk(desk, store, Embedder())
    assert not [one for one in set(threading.enumerate()) - before if one.name.startswith("words")]


def test_the_base_model_is_fitted_to_the_desk_and_serves_so(desk, monkeypatch):
    monkeypatch.setattr(desk_calibration, "TURNS", 60)
    with Pipeline.open(desk) as pipeline:
        assert pipeline.model.as_served == pipeline.model.fingerprint, "nothing was fitted yet"
        shipped = pipeline.model.reranker
        with desk.writing():
            calibrate_desk(desk, pipeline.store, pipeline.embedder)
    opened = OpenDesk.open(desk)
    champion = opened.ranker_in_use().reranker
    opened.close()
    with Pipeline.open(desk) as pipeline:
        trust, served = pipeline.model.trust, pipeline.ranker.reranker
        assert pipeline.model.as_served.startswith(f"{pipeline.model.fingerprint}+")
    assert trust.signals != tuple(shipped.signal_weights.tolist()) and min(trust.signals) >= 0
    for one in (served, champion):
        assert one.signal_weights.tolist() == pytest.approx(trust.signals, rel=0.01)
        ratio = one.score_out.weight.float().norm() / shipped.score_out.weight.float().norm()
        assert float(ratio.detach()) == pytest.approx(trust.learned, rel=0.01)


def test_the_better_model_serves_and_only_the_better(desk):
    stages = []
    settings = TrainSettings(limit=26, epochs=1)
    report = train_desk([desk], settings, lambda progress: stages.append(progress.stage))
    assert report.promoted == report.evidence.is_better
    assert report.evidence.difference == pytest.approx(report.after.mrr - report.before.mrr)
    assert report.before.turns == report.after.turns > settings.limit, "judged on all that is held out"
    assert {"held-out turns", "training turns", "reranker"} <= set(stages)
    name, _ = ask(desk)
    assert name == ("cross-attention:model-0001" if report.promoted else "cross-attention:base")


def test_a_model_that_is_not_better_is_kept_but_not_used(desk, monkeypatch):
    monkeypatch.setattr(desk_training, "fit_signal_weights", lambda *_: None)
    monkeypatch.setattr(desk_training, "train_reranker", lambda *_: None)
    monkeypatch.setattr(promotion, "LEAST_CONVERSATIONS", 5)
    report = train_desk([desk], QUICK)
    assert report.after.mrr == pytest.approx(report.before.mrr, abs=1e-3)
    assert not report.promoted and report.evidence.p > 0.5 and "not shown to be better" in report.reason
    kept = load_model(desk.models_path / "model-0001").notes["promotion"]
    assert kept == {"promoted": False, "reason": report.reason, **report.evidence.as_json()}
    assert current_model_path(desk.models_path) is None
    assert (desk.models_path / "model-0001" / "config.json").is_file()


def test_that_no_epoch_was_better_is_said_and_kept(desk):
    report = train_desk([desk], TrainSettings(limit=26, epochs=1, learning_rate=1e-12))
    kept = load_model(desk.models_path / "model-0001").notes
    assert "No epoch was better than the start" in report.reason == kept["promotion"]["reason"]
    assert report.best_epoch == kept["best_epoch"] == 0


def test_force_uses_it_all_the_same(desk, monkeypatch):
    monkeypatch.setattr(desk_training, "train_reranker", lambda *_: None)
    report = train_desk([desk], TrainSettings(limit=40, epochs=1, force=True))
    assert report.promoted
    assert ask(desk)[0] == "cross-attention:model-0001"


def test_only_the_indexes_of_encoders_that_some_model_reads_are_kept(desk, monkeypatch):
    monkeypatch.setattr(desk_training, "train_reranker", lambda *_: None)
    reads_another = Reranker(RerankerConfig("another@0123", width=16, heads=2, feed_forward=32))
    save_model(desk.models_path / "model-0001", reads_another, Decision(), {"trained_on": []})
    own = [path.name for path in desk.index_path.iterdir()]
    for name in ("0123", "given-up"):
        (desk.index_path / name).mkdir()
        (desk.index_path / name / "manifest.json").write_text("{}", encoding="utf-8")
    train_desk([desk], QUICK, save=desk.path.parent / "elsewhere")
    assert sorted(path.name for path in desk.index_path.iterdir()) == sorted([*own, "0123"])


def test_a_desk_too_small_is_told_so_and_stays_as_it_was(desk, monkeypatch):
    monkeypatch.setattr(examples, "LEAST_EXAMPLES", 50)
    with pytest.raises(TrainingError, match=r"dialogues to train on .* at least 50"):
        train_desk([desk], TrainSettings(limit=10, epochs=1))
    assert current_model_path(desk.models_path) is None


def test_what_cannot_be_enough_is_refused_before_the_encoder_is_tuned(desk, monkeypatch):
    monkeypatch.setattr(examples, "LEAST_EXAMPLES", 50)
    monkeypatch.setattr(desk_encoder, "fine_tune_encoder", lambda *_, **__: pytest.fail("the training began"))
    monkeypatch.setattr(OpenDesk, "held_out_cases", lambda *_: pytest.fail("the training began"))
    said = r"dialogues, of which \d+ go to the encoder: 34 remain .* conversations, or leave .* --encoder-epochs 0\.$"
    with pytest.raises(TrainingError, match=said):
        train_desk([desk], TrainSettings(encoder_epochs=1))
    with pytest.raises(TrainingError, match=r"74 .*, of which 40 go to the encoder: 34 remain .* larger limit\.$"):
        train_desk([desk], TrainSettings(limit=40, encoder_epochs=1))
    with pytest.raises(TrainingError, match=r"are 40 dialogues to train on and .* larger limit\.$"):
        train_desk([desk], TrainSettings(limit=40))


def test_a_training_that_refuses_its_data_leaves_nothing_of_its_encoder(tmp_path, monkeypatch):
    few_are_enough(monkeypatch, to_train=1, held_out=1)
    desk, kept = small_desk(tmp_path, "small"), []

    def follow(progress):
        if progress.stage == "training turns":
            kept.append((desk.models_path / "training" / "encoder" / "encoder.checkpoint").is_file())
            few_are_enough(monkeypatch, to_train=10**6, held_out=1)

    with pytest.raises(TrainingError, match="whose right answer was found"):
        train_desk([desk], TrainSettings(encoder_epochs=1, limit=20), follow)
    assert kept[0] and not (desk.models_path / "training").exists()


def test_several_desks_need_a_place_for_the_model(desk):
    with pytest.raises(TrainingError, match="--save"):
        train_desk([desk, desk], QUICK)
