"""Where a model may be written: what a person keeps there is never lost."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from ranking_fixtures import WIDTH, tiny_reranker, write_rows

from conversations.errors import ModelError
from index.embedder import Embedder
from training import cross_encoder_training, dataset_training, desk_training, linear_map, mood_training
from training.calibration import Decision
from training.cross_encoder_training import train_cross_encoder
from training.dataset_training import train_dataset
from training.desk_training import train_desk
from training.linear_map import train_linear_map
from training.mood import load_mood, mood_path, save_mood
from training.mood_data import base_labelled
from training.mood_head import MoodConfig, MoodHead
from training.mood_training import train_mood
from training.registry import load_model, model_names, save_model
from training.saving import replacing
from training.settings import TrainSettings


@pytest.fixture
def data(tmp_path):
    directory = tmp_path / "data"
    write_rows(directory / "answers.jsonl.gz", [{"id": n, "text": f"Answer {n}."} for n in range(9)])
    write_rows(
        directory / "train.jsonl.gz", [{"id": n, "question": f"Question {n}?", "answers": [n]} for n in range(9)]
    )
    return directory


@pytest.fixture
def trainings(data, monkeypatch):
    """Every training that writes where it is told, which must not begin."""

    def begun(*_, **__):
        pytest.fail("the training began")

    for module in (cross_encoder_training, dataset_training, linear_map):
        monkeypatch.setattr(module, "load_task", begun)
    monkeypatch.setattr(cross_encoder_training, "_require_packages", lambda: None)
    monkeypatch.setattr(mood_training, "split_labelled", begun)
    monkeypatch.setattr(desk_training, "_train_and_judge", begun)
    embedder = Embedder()
    return {
        "dataset": lambda save: train_dataset(data, save, TrainSettings()),
        "desk": lambda save: train_desk([], TrainSettings(), save=save),
        "cross-encoder": lambda save: train_cross_encoder(data, save),
        "linear map": lambda save: train_linear_map(data, save),
        "mood": lambda save: train_mood(embedder, base_labelled(), save),
    }


@pytest.mark.parametrize("name", ["dataset", "desk", "cross-encoder", "linear map", "mood"])
def test_nothing_but_such_a_model_is_written_over(trainings, tmp_path, name):
    kept = tmp_path / "kept"
    place = mood_path(kept, Embedder().identity) if name == "mood" else kept
    place.mkdir(parents=True)
    (place / "letters.txt").write_text("Dear Ada")
    (place / "config.json").write_text('{"kind": "a camera"}')
    with pytest.raises(ModelError, match="would be lost"):
        trainings[name](kept)
    assert (place / "letters.txt").read_text() == "Dear Ada"
    shutil.rmtree(kept)
    kept.write_text("Dear Ada")
    with pytest.raises(ModelError, match=r"would be lost|is a file"):
        trainings[name](kept)
    with pytest.raises(ModelError, match="is a file"):
        trainings[name](kept / "model")
    assert kept.read_text() == "Dear Ada"


def test_a_model_and_an_empty_directory_are_replaced(tmp_path):
    (tmp_path / "m").mkdir()
    for threshold in (0.6, 0.7):
        save_model(tmp_path / "m", tiny_reranker(blocks=1), Decision(threshold=threshold), {"trained_on": []})
        assert load_model(tmp_path / "m").decision.threshold == threshold
    (tmp_path / "m" / "model.safetensors").write_bytes(b"damaged")
    save_model(tmp_path / "m", tiny_reranker(blocks=1), Decision(), {"trained_on": []})
    assert load_model(tmp_path / "m").decision == Decision()
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


class Killed(Exception):
    """Stands for a kill: nothing of the run is left but its files."""


def test_a_kill_while_writing_leaves_the_old_one(tmp_path):
    def write(text, killed=False):
        with replacing(tmp_path / "m") as beside:
            (beside / "config.json").write_text(text)
            if killed:
                raise Killed

    write("old")
    with pytest.raises(Killed):
        write("new", killed=True)
    assert (tmp_path / "m" / "config.json").read_text() == "old"
    assert model_names(tmp_path) == ["m"]
    # Killed between the two renames: the old one lies beside, and is not lost by the next attempt.
    (tmp_path / "m").rename(tmp_path / ".m.old")
    with pytest.raises(Killed):
        write("new", killed=True)
    assert (tmp_path / "m" / "config.json").read_text() == "old"
    write("new")
    assert (tmp_path / "m" / "config.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not tell what a descriptor is of")
def test_a_model_is_on_the_disk_before_it_takes_the_place_of_the_one_before(tmp_path, monkeypatch):
    directory = tmp_path / "m"
    save_model(directory, tiny_reranker(blocks=1), Decision(threshold=0.6), {"trained_on": []})
    (directory / "letter").symlink_to(tmp_path / "nowhere")
    (directory / "notes").mkdir()
    (directory / "notes" / "letters.txt").write_text("Dear Ada")
    (directory / "notes" / "letters.txt").chmod(0o400)
    synced, real = [], os.fsync

    def recording(descriptor):
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink(), load_model(directory).decision.threshold))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", recording)
    save_model(directory, tiny_reranker(blocks=1), Decision(threshold=0.7), {"trained_on": []})
    beside = tmp_path / ".m.new"
    written = [beside / name for name in ("config.json", "model.safetensors", "notes", "notes/letters.txt")]
    assert {path for path, threshold in synced if threshold == 0.6} == {beside, *written}
    assert synced[-1] == (tmp_path, 0.7)


def test_what_lies_in_a_models_directory_and_is_not_the_models_is_kept(tmp_path):
    directory, embedder = tmp_path / "m", Embedder()
    save_model(directory, tiny_reranker(blocks=1), Decision(threshold=0.6), {"trained_on": []}, embedder)
    save_mood(directory, MoodHead(MoodConfig("tiny@0", WIDTH, 1)), {})
    (directory / "__init__.py").write_text('"""The base model."""')
    (directory / "notes").mkdir()
    (directory / "notes" / "letters.txt").write_text("Dear Ada")
    save_model(directory, tiny_reranker(blocks=1), Decision(threshold=0.7), {"trained_on": []})
    assert load_model(directory).decision.threshold == 0.7
    assert load_mood(mood_path(directory, "tiny@0"), "tiny@0")
    assert (directory / "__init__.py").read_text() == '"""The base model."""'
    assert (directory / "notes" / "letters.txt").read_text() == "Dear Ada"
    assert not (directory / "encoder").exists(), "that was the old model's"
    assert set(json.loads((directory / "config.json").read_text())["files"]) == {"model.safetensors"}
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_of_a_damaged_model_only_what_such_a_model_has_is_replaced(tmp_path):
    save_model(tmp_path / "m", tiny_reranker(blocks=1), Decision(), {"trained_on": []}, Embedder())
    (tmp_path / "m" / "config.json").write_text('{"kind": "attendant reranker", "files": 3}')
    (tmp_path / "m" / "letters.txt").write_text("Dear Ada")
    save_model(tmp_path / "m", tiny_reranker(blocks=1), Decision(), {"trained_on": []})
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == [
        "config.json",
        "letters.txt",
        "model.safetensors",
    ]
    assert load_model(tmp_path / "m").encoder is None
