"""Retraining a real desk, small and short: what is promoted, what is refused, what is kept."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from functools import partial

import pytest
from made_once import sample_desk, small_desk

from bot.pipeline import Pipeline
from conversations.desk import Desk
from conversations.errors import ModelError, TrainingError
from conversations.model import Turn
from index.embedder import Embedder
from training import desk_calibration, desk_encoder, desk_training, examples, reranker_training
from training.calibration import Decision
from training.desk_calibration import calibrate_desk
from training.desk_data import HELD_OUT_SHARE, OpenDesk
from training.desk_encoder import under_another_encoder
from training.desk_training import train_desk
from training.loop import LoopSettings
from training.mood import MoodReader
from training.registry import current_model_path, load_model, save_model
from training.reranker import Reranker, RerankerConfig
from training.settings import TrainSettings
from training.splits import share_of

QUICK = TrainSettings(limit=40, epochs=1)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(examples, "LEAST_EXAMPLES", 10)
    monkeypatch.setattr(examples, "LEAST_HELD_OUT", 5)
    return sample_desk(tmp_path / "home")


def ask(desk):
    with Pipeline.open(desk) as pipeline:
        answer = pipeline.answer([Turn("customer", "nobody is in tomorrow, what happens?")])
        return pipeline.ranker_name, [(candidate.text, candidate.weight) for candidate in answer.candidates]


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
    report = train_desk([desk], QUICK, lambda progress: stages.append(progress.stage))
    assert report.promoted == report.evidence.is_better
    assert report.evidence.difference == pytest.approx(report.after.mrr - report.before.mrr)
    assert report.before.turns == report.after.turns > QUICK.limit, "judged on all that is held out"
    assert {"held-out turns", "training turns", "reranker"} <= set(stages)
    name, _ = ask(desk)
    assert name == ("cross-attention:model-0001" if report.promoted else "cross-attention:base")


def test_a_model_that_is_not_better_is_kept_but_not_used(desk, monkeypatch):
    monkeypatch.setattr(desk_training, "fit_signal_weights", lambda *_: None)
    monkeypatch.setattr(desk_training, "train_reranker", lambda *_: None)
    report = train_desk([desk], QUICK)
    assert report.after.mrr == pytest.approx(report.before.mrr, abs=1e-3)
    assert not report.promoted and report.evidence.p > 0.5 and "not shown to be better" in report.reason
    kept = load_model(desk.models_path / "model-0001").notes["promotion"]
    assert kept == {"promoted": False, "reason": report.reason, **report.evidence.as_json()}
    assert current_model_path(desk.models_path) is None
    assert (desk.models_path / "model-0001" / "config.json").is_file()


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
    monkeypatch.setattr(examples, "LEAST_EXAMPLES", 1)
    monkeypatch.setattr(examples, "LEAST_HELD_OUT", 1)
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


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL on this system")
@pytest.mark.parametrize("stage", [pytest.param("reranker", marks=pytest.mark.slow), "saving"])
def test_a_kill_leaves_the_desk_as_it_was_and_the_same_command_goes_on(desk, stage):
    """The real script, killed at a stage; it then runs to its end as if nothing had been."""
    killer = (
        "import os, signal, sys, training.__main__ as script, training.desk_training as desk_training\n"
        "import training.examples as examples\n"
        "examples.LEAST_EXAMPLES, examples.LEAST_HELD_OUT = 10, 5\n"
        "stage = sys.argv.pop(1)\n"
        "kill = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "if stage == 'saving': desk_training.promote = kill\n"
        "elif stage: script.PlainProgress.__call__ = lambda _, now: kill() if now.stage == stage else None\n"
        "sys.exit(script.main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", killer]
    options = ["--desk", "shop", "--home", str(desk.path.parent.parent), "--limit", "40", "--epochs", "1", "--force"]
    before = ask(desk)
    killed = subprocess.run([*command, stage, *options], capture_output=True, check=False, timeout=300)
    assert killed.returncode == -signal.SIGKILL
    assert ask(desk) == before
    done = subprocess.run([*command, "", *options], capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["promoted"]
    name, _ = ask(desk)
    assert name.startswith("cross-attention:model-")
    assert not (desk.models_path / "training").exists()


class Killed(Exception):
    """Stands for a kill: nothing of the run is left but its files."""


def test_a_tuned_encoder_survives_a_kill_and_the_reranker_goes_on_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr(examples, "LEAST_EXAMPLES", 1)
    monkeypatch.setattr(examples, "LEAST_HELD_OUT", 1)
    monkeypatch.setattr(reranker_training, "LoopSettings", partial(LoopSettings, checkpoint_seconds=-1.0))
    desk = small_desk(tmp_path, "small")

    def steps():
        """Those that are done, the reranker's second being killed before it is kept."""
        seen = []

        def follow(progress):
            if progress.metric is None:
                seen.append((progress.stage, progress.step))
            if seen[-1:] == [("reranker", 2)]:
                raise Killed

        with pytest.raises(Killed):
            train_desk([desk], TrainSettings(epochs=2, encoder_epochs=1, batch_size=4), follow)
        return [[step for stage, step in seen if stage == name] for name in ("encoder", "reranker")]

    tuned, trained = steps()
    assert tuned and trained == [1, 2]
    assert steps() == [[], [2]]


def test_a_desk_too_small_is_told_so_and_stays_as_it_was(desk, monkeypatch):
    monkeypatch.setattr(examples, "LEAST_EXAMPLES", 50)
    with pytest.raises(TrainingError, match=r"dialogues to train on .* at least 50"):
        train_desk([desk], TrainSettings(limit=10, epochs=1))
    assert current_model_path(desk.models_path) is None


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


def test_several_desks_need_a_place_for_the_model(desk):
    with pytest.raises(TrainingError, match="--save"):
        train_desk([desk, desk], QUICK)
