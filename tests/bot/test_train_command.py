"""`attendant train` and `evaluate --mood` as they are typed: what arrives at the training, and what is reported."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from command_line import call, empty_desk

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch):
    return empty_desk(tmp_path, monkeypatch)


@pytest.fixture
def trained(monkeypatch):
    """What `attendant train` reports, without the training."""
    from training import dataset_training, desk_training
    from training.calibration import Decision
    from training.judging import Figures
    from training.settings import TrainReport, TrainSettings

    figures = Figures(40, 0.5, 0.75, 0.625)
    reason, decision = "The desk uses the new model.", Decision(ece=0.0271)
    report = TrainReport("model-0001", True, reason, 320, 9, 4, 2, figures, figures, decision)
    seen = []

    def train(*given):
        seen.append(next(one for one in given if isinstance(one, TrainSettings)))
        return report

    monkeypatch.setattr(desk_training, "train_desk", train)
    monkeypatch.setattr(dataset_training, "train_dataset", train)
    return seen


def test_training_reports_what_it_did(home, trained, capsys):
    assert call("train", "--desk", "acme", "--home", home) == 0
    out = capsys.readouterr().out
    for expected in ("model-0001", "320", "0.027", "0.625", "left out: 2 answers", "The desk uses the new model."):
        assert expected in out
    assert re.search(r"rejections\W+4\b", out)
    assert call("train", "--desk", "acme", "--home", home, "--json") == 0
    assert json.loads(capsys.readouterr().out)["decision"]["ece"] == 0.0271


def test_every_choice_about_training_arrives(home, trained, tmp_path):
    options = ["--loss", "lambda", "--listwise-heads", "2", "--perturbation", "0.1", "--refresh-negatives"]
    options += ["--layer-decay", "0.9", "--accumulate", "2", "--teacher", "cross-encoder:x", "--distillation", "kl"]
    assert call("train", "--dataset", tmp_path, "--save", tmp_path / "m", "--encoder", tmp_path, *options) == 0
    (settings,) = trained
    assert (settings.loss, settings.listwise_heads, settings.perturbation) == ("lambda", 2, 0.1)
    assert (settings.refresh_negatives, settings.layer_decay, settings.accumulate) == (True, 0.9, 2)
    assert (settings.teacher, settings.distillation, settings.encoder) == ("cross-encoder:x", "kl", tmp_path)


def test_heads_that_do_not_share_the_hidden_units_evenly_are_refused(home, trained, capsys):
    assert call("train", "--desk", "acme", "--home", home, "--listwise-heads", "3") == 2
    said = capsys.readouterr().err
    assert "--listwise-heads: 3 does not divide the 128 hidden units evenly" in said and not trained


def test_the_script_takes_the_same_choices_as_the_command():
    from dataclasses import fields

    from bot.commands.train import command
    from training.settings import TrainSettings

    offered = {option.name for option in command.params}
    assert {field.name for field in fields(TrainSettings)} <= offered


def test_a_mood_head_is_trained_and_evaluated_beside_its_peers(home, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "vaderSentiment.vaderSentiment", None)
    lines = (ROOT / "conversations" / "sample" / "mood.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    for name, own in (("train", lines[:200]), ("dev", lines[200:280])):
        (tmp_path / f"{name}.jsonl").write_text("".join(own), encoding="utf-8")
    assert call("train", "--mood", tmp_path, "--save", tmp_path / "head", "--json") == 0
    assert json.loads(capsys.readouterr().out)["messages"] > 150
    assert call("evaluate", tmp_path, "--mood", "base", "--mood", tmp_path / "head", "--json") == 0
    base, head, vader, regression = json.loads(capsys.readouterr().out)["readers"]
    assert {row["messages"] for row in (base, head, vader, regression)} == {80}
    assert min(head["macro_f1"], regression["macro_f1"]) > 0.5
    assert base["macro_f1"] > head["macro_f1"], "the base head has seen these messages"
    assert (vader["reader"], vader["macro_f1"]) == ("vader", None)
    assert "not installed" in vader["note"]
    assert call("evaluate", tmp_path, "--mood", tmp_path / "none") == 1
    assert "There is no mood head" in capsys.readouterr().err
    assert call("train", "--mood", tmp_path / "dev.jsonl", "--desk", "acme", "--home", home) == 0
    assert list((home / "desks" / "acme" / "models" / "mood").iterdir())
