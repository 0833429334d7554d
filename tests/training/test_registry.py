"""Models on disk: whole or refused, and swapped in one step."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from ranking_fixtures import candidates, dialogue, tiny_reranker
from safetensors.torch import load_file, save_file

from conversations.errors import ModelError
from index.manifest import sha256_of
from training.calibration import Decision
from training.model_files import CONFIG, WEIGHTS
from training.rankers.named import load_models
from training.registry import (
    BASE,
    base_model_path,
    check_models,
    current_model_path,
    load_model,
    model_in_use,
    next_name,
    previous_model,
    promote,
    save_model,
)


@pytest.fixture
def saved(tmp_path):
    save_model(tmp_path / "m", tiny_reranker(blocks=1), Decision(threshold=0.7), {"trained_on": ["here"]})
    return tmp_path / "m"


def test_a_model_comes_back_as_it_was_saved(saved):
    model = load_model(saved, "tiny@0")
    with torch.no_grad():
        scores = tiny_reranker(blocks=1)(dialogue(), candidates())
        torch.testing.assert_close(model.reranker(dialogue(), candidates()), scores, atol=0.05, rtol=0.01)
    assert model.decision.threshold == 0.7
    assert model.notes == {"trained_on": ["here"]}
    assert model.encoder is None


def test_only_safetensors_and_json_are_written(saved):
    assert {path.suffix for path in saved.rglob("*") if path.is_file()} == {".safetensors", ".json"}


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG])
@pytest.mark.parametrize("kind", ["truncated", "flipped", "missing"])
def test_a_damaged_model_is_refused(saved, name, kind):
    content = (saved / name).read_bytes()
    if kind == "missing":
        (saved / name).unlink()
    elif kind == "truncated":
        (saved / name).write_bytes(content[: len(content) // 2])
    else:
        (saved / name).write_bytes(content[:20] + b"\xff" + content[21:])
    with pytest.raises(ModelError):
        load_model(saved)


def test_a_file_is_no_model_and_is_not_called_damaged(saved):
    with pytest.raises(ModelError, match=rf"{WEIGHTS} is a file, and not the directory of a model"):
        load_model(saved / WEIGHTS)
    with pytest.raises(ModelError, match="below a file"):
        load_model(saved / WEIGHTS / "m")


def test_a_model_of_another_encoder_is_refused_with_both_names(saved):
    with pytest.raises(ModelError, match=r"tiny@0.*other@1"):
        load_model(saved, "other@1")


def test_a_model_that_reads_other_states_than_an_index_keeps_is_refused(tmp_path):
    save_model(tmp_path / "m", tiny_reranker(blocks=2), Decision(), {"trained_on": []})
    for encoder in (None, "tiny@0"):
        with pytest.raises(ModelError, match=r"/m reads states 2 layers below the encoder's end, an index keeps 1"):
            load_model(tmp_path / "m", encoder)


def test_weights_of_another_shape_are_refused(saved):
    weights = load_file(saved / WEIGHTS)
    weights["score_out.weight"] = torch.zeros(1, 3, dtype=torch.float16)
    save_file(weights, saved / WEIGHTS)
    config = json.loads((saved / CONFIG).read_text())
    config["files"] = {WEIGHTS: sha256_of(saved / WEIGHTS)}
    (saved / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ModelError, match="damaged"):
        load_model(saved)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"heads": 4}, "heads 4, .* with 2"),
        ({"answer_tokens": 65}, "answer_tokens 65, .* with 64"),
        ({"heads": 3}, "3 heads .* width of 16"),
        ({"heads": 0}, "0 heads .* width of 16"),
        ({"listwise_heads": 3}, "3 heads .* width of 8"),
    ],
)
def test_another_shape_than_the_weights_were_saved_with_is_refused(saved, changed, said):
    config = json.loads((saved / CONFIG).read_text())
    config["reranker"] |= changed
    (saved / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ModelError, match=said):
        load_model(saved)


def test_weights_that_do_not_tell_of_what_shape_they_are_load_as_they_did(saved):
    save_file(load_file(saved / WEIGHTS), saved / WEIGHTS)
    config = json.loads((saved / CONFIG).read_text())
    config["files"] = {WEIGHTS: sha256_of(saved / WEIGHTS)}
    (saved / CONFIG).write_text(json.dumps(config))
    assert load_model(saved).reranker.config.heads == 2


@pytest.mark.parametrize("name", [WEIGHTS, "encoder/model.safetensors"])
def test_files_that_nothing_vouches_for_are_refused(saved, name):
    (saved / name).parent.mkdir(exist_ok=True)
    config = json.loads((saved / CONFIG).read_text())
    config["files"].pop(name, None)
    (saved / CONFIG).write_text(json.dumps(config))
    (saved / name).write_bytes((saved / WEIGHTS).read_bytes())
    with pytest.raises(ModelError, match=f"does not vouch for {name}"):
        load_model(saved)


def test_an_ensemble_names_each_of_its_models(saved):
    assert len(load_models(f"{saved},{saved}", "tiny@0")) == 2
    for paths in (f"{saved},", f",{saved}", f"{saved},,{saved}", ","):
        with pytest.raises(ModelError, match="a model is missing"):
            load_models(paths, "tiny@0")


def test_a_config_that_points_outside_is_refused(saved):
    config = json.loads((saved / CONFIG).read_text())
    config["files"]["../elsewhere"] = "0"
    (saved / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ModelError, match="outside"):
        load_model(saved)


def test_another_version_is_refused(saved):
    config = json.loads((saved / CONFIG).read_text()) | {"version": 99}
    (saved / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ModelError, match="version"):
        load_model(saved)
    config = json.loads((saved / CONFIG).read_text()) | {"version": 1}
    config["reranker"] |= {"version": 99, "a part that is not known yet": 3}
    (saved / CONFIG).write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"reranker .* is of version 99, not 1"):
        load_model(saved)


def test_promotion_changes_the_model_in_use(tmp_path):
    assert current_model_path(tmp_path) is None
    for _ in range(2):
        name = next_name(tmp_path)
        save_model(tmp_path / name, tiny_reranker(blocks=1), Decision(), {})
        promote(tmp_path, name)
    assert current_model_path(tmp_path) == tmp_path / "model-0002"
    assert check_models(tmp_path)[0].ok


def desk_models(models, *names):
    for name in names:
        save_model(models / name, tiny_reranker(), Decision(), {})
    return models


def in_use_and_before(models):
    return model_in_use(models), previous_model(models)


@pytest.mark.parametrize("wanted", ["model-0002", BASE])
@pytest.mark.parametrize("step", range(4))
def test_a_kill_at_any_step_of_a_promotion_loses_no_model(tmp_path, monkeypatch, wanted, step):
    desk_models(tmp_path, "model-0001", "model-0002")
    (tmp_path / "current").write_text("model-0001\n")
    (tmp_path / "previous").write_text("base\n")
    left = iter(range(step))

    def killed(change):
        def change_or_die(*arguments, **options):
            if next(left, None) is None:
                raise KeyboardInterrupt
            return change(*arguments, **options)

        return change_or_die

    with monkeypatch.context() as patched:
        for change in ("replace", "unlink"):
            patched.setattr(Path, change, killed(getattr(Path, change)))
        with suppress(KeyboardInterrupt):
            promote(tmp_path, wanted)
    assert in_use_and_before(tmp_path) in {("model-0001", BASE), (wanted, "model-0001")}
    promote(tmp_path, wanted)
    assert in_use_and_before(tmp_path) == (wanted, "model-0001")


def test_promoting_the_model_in_use_keeps_the_one_before(tmp_path):
    desk_models(tmp_path, "model-0001", "model-0002")
    assert in_use_and_before(tmp_path) == (BASE, None)
    for name in ("model-0001", "model-0002", "model-0002"):
        promote(tmp_path, name)
    assert in_use_and_before(tmp_path) == ("model-0002", "model-0001")
    promote(tmp_path, BASE)
    assert current_model_path(tmp_path) is None and in_use_and_before(tmp_path) == (BASE, "model-0002")


def test_what_an_earlier_version_kept_of_the_model_before_is_read(tmp_path):
    desk_models(tmp_path, "model-0001", "model-0002")
    (tmp_path / "previous").write_text("model-0001\n")
    assert in_use_and_before(tmp_path) == (BASE, "model-0001")
    (tmp_path / "current").write_text("model-0002\n")
    assert in_use_and_before(tmp_path) == ("model-0002", "model-0001")
    promote(tmp_path, "model-0002")
    assert in_use_and_before(tmp_path) == ("model-0002", "model-0001")


@pytest.mark.parametrize("content", ["model-0009\n", "../m\n", "\n"])
def test_a_lost_model_is_said(tmp_path, content):
    (tmp_path / "current").write_text(content)
    with pytest.raises(ModelError, match="not there"):
        current_model_path(tmp_path)
    assert not check_models(tmp_path)[0].ok


def test_the_base_reranker_ships_and_is_small():
    model = load_model(base_model_path())
    assert model.decision.cases > 0
    assert sum(path.stat().st_size for path in base_model_path().iterdir() if path.is_file()) < 12_000_000
