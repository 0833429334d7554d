"""What a training writes for TensorBoard, read back with TensorBoard itself."""

from __future__ import annotations

import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from conversations.errors import TrainingError
from training.calibration import Decision
from training.judging import Figures
from training.loop import Progress
from training.settings import TrainReport, TrainSettings
from training.tracking import tracked

BEFORE, AFTER = Figures(40, 0.25, 0.75, 0.5), Figures(40, 0.5, 0.75, 0.625)
REPORT = TrainReport("model-0001", True, "It is better.", 320, 0, 0, 0, BEFORE, AFTER, Decision(ece=0.03125))


def written(directory):
    (run,) = directory.iterdir()
    assert run.name.startswith("model-0001-")
    events = EventAccumulator(str(run))
    events.Reload()
    return events


def test_curves_and_outcome_are_written(tmp_path):
    told = []
    with tracked(TrainSettings(tensorboard=tmp_path), "model-0001", told.append) as tracker:
        tracker(Progress("held-out turns", 1, 2))
        for step in range(1, 4):
            tracker(Progress("reranker", step, 3, 1 / step, 0.5 if step == 3 else None))
        assert tracker.finish(REPORT) is REPORT
    assert [progress.step for progress in told] == [1, 1, 2, 3], "whoever watches is told as well"
    events = written(tmp_path)
    losses = [(one.step, one.value) for one in events.Scalars("reranker/loss")]
    assert losses == [(1, 1.0), (2, 0.5), (3, pytest.approx(1 / 3))]
    assert [(one.step, one.value) for one in events.Scalars("reranker/held-out_mrr")] == [(3, 0.5)]
    assert [(one.step, one.value) for one in events.Scalars("held_out/mrr")] == [(0, 0.5), (1, 0.625)]
    assert events.Scalars("held_out/ece")[0].value == 0.03125
    assert not any(tag.startswith("held-out_turns") for tag in events.Tags()["scalars"])
    text = events.Tensors("outcome/text_summary")[0].tensor_proto.string_val[0]
    assert text == b"It is better."
    assert b'"seed": 13' in events.Tensors("settings/text_summary")[0].tensor_proto.string_val[0]


def test_a_training_that_fails_keeps_its_curve(tmp_path):
    settings = TrainSettings(tensorboard=tmp_path)
    with pytest.raises(TrainingError, match="not a number"), tracked(settings, "model-0001", None) as tracker:
        tracker(Progress("encoder", 1, 9, 0.25))
        raise TrainingError("The loss is not a number.")
    assert [one.value for one in written(tmp_path).Scalars("encoder/loss")] == [0.25]


def test_nothing_is_written_where_nobody_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with tracked(TrainSettings(), "model-0001", None) as tracker:
        tracker(Progress("reranker", 1, 2, 0.5))
        assert tracker.finish(REPORT) is REPORT
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    settings = TrainSettings(tensorboard=tmp_path / "runs")
    with pytest.raises(TrainingError, match=r"cpu,tensorboard"), tracked(settings, "model-0001", None):
        pass
    assert not (tmp_path / "runs").exists()
