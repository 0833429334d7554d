"""Training the reranker, killed and resumed."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from ranking_fixtures import judged_example, tiny_reranker, tiny_source

from training import loop, reranker_training
from training.loop import LoopSettings
from training.reranker_training import RerankerSettings, scores_of, train_reranker


class Killed(Exception):
    """Stands for a kill: nothing of the run is left but its files."""


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    """A GPU may add up in another order every time."""
    monkeypatch.setattr(reranker_training, "default_device", lambda: "cpu")


def test_a_reranker_scores_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(reranker_training, "default_device", lambda: "meta")
    scored = judged_example(tiny_reranker(), tiny_source(tmp_path), 1, agrees=True)
    assert int(scores_of(tiny_reranker(), scored).argmax()) == int(scored.right.argmax())


@pytest.mark.parametrize(("killed_at", "saved_at"), [(3, None), (6, None), (8, None), (5, 2), (8, 4)])
def test_a_killed_run_with_refreshed_negatives_ends_as_if_it_had_not_been(tmp_path, monkeypatch, killed_at, saved_at):
    """Three steps an epoch; with `saved_at` the only checkpoint is older than the negatives chosen last."""
    monkeypatch.setattr(reranker_training, "LoopSettings", partial(LoopSettings, checkpoint_seconds=0.0))
    save = loop._save
    monkeypatch.setattr(
        loop,
        "_save",
        lambda directory, stage, step, *rest: (
            save(directory, stage, step, *rest) if saved_at in (None, step) else None
        ),
    )
    # Every epoch counts as better, so that the last one's weights are compared.
    later = itertools.count()
    monkeypatch.setattr(reranker_training, "mean_reciprocal_rank", lambda ranks: float(next(later)))
    source, teacher = tiny_source(tmp_path), tiny_reranker(seed=5)
    examples = [judged_example(teacher, source, seed, agrees=True) for seed in range(24)]
    settings = RerankerSettings(
        epochs=3, learning_rate=0.02, batch_size=8, candidates=4, patience=9, refresh_negatives=True
    )

    def trained(directory, on_progress=None):
        reranker = tiny_reranker()
        assert train_reranker(reranker, examples, examples, settings, directory, on_progress) == settings.epochs
        return reranker.state_dict()

    def kill(progress):
        if progress.step == killed_at and progress.metric is None:
            raise Killed

    whole = trained(tmp_path / "whole")
    with pytest.raises(Killed):
        trained(tmp_path / "killed", kill)
    resumed = trained(tmp_path / "killed")
    for name, value in whole.items():
        torch.testing.assert_close(resumed[name], value, msg=name)


def test_no_more_held_out_examples_are_measured_than_is_said(tmp_path, monkeypatch):
    measured = []
    monkeypatch.setattr(reranker_training, "MOST_MEASURED", 4)
    monkeypatch.setattr(reranker_training, "mean_reciprocal_rank", lambda ranks: measured.append(len(ranks)) or 0.0)
    source, teacher = tiny_source(tmp_path), tiny_reranker(seed=5)
    examples = [judged_example(teacher, source, seed, agrees=True) for seed in range(7)]
    for count in (3, 4, 5, 7):
        train_reranker(tiny_reranker(), examples, examples[:count], RerankerSettings(epochs=0))
    assert measured == [3, 4, 3, 4]


SETTINGS = RerankerSettings(epochs=3, learning_rate=0.02, batch_size=8, candidates=4, patience=9)


@pytest.mark.parametrize(
    ("settings", "start", "first"),
    [
        (replace(SETTINGS, learning_rate=0.0005, seed=99, loss="lambda"), {}, 0),
        (replace(SETTINGS, epochs=0), {}, 0),
        (SETTINGS, {"listwise_heads": 2}, 0),
        (SETTINGS, {"seed": 7}, 0),
        (SETTINGS, {}, 8),
    ],
    ids=["settings", "no epochs", "shape", "start", "examples"],
)
def test_another_run_takes_nothing_over_from_a_killed_one(tmp_path, monkeypatch, settings, start, first):
    monkeypatch.setattr(reranker_training, "LoopSettings", partial(LoopSettings, checkpoint_seconds=-1.0))
    source, teacher = tiny_source(tmp_path), tiny_reranker(seed=5)
    examples = [judged_example(teacher, source, seed, agrees=True) for seed in range(32)]

    def kill(progress):
        if progress.step == 7 and progress.metric is None:
            raise Killed

    with pytest.raises(Killed):
        train_reranker(tiny_reranker(), examples[:24], examples, SETTINGS, tmp_path / "killed", kill)
    trained = []
    for directory in ("fresh", "killed"):
        reranker = tiny_reranker(**start)
        train_reranker(reranker, examples[first : first + 24], examples, settings, tmp_path / directory)
        trained.append(reranker.state_dict())
    for name, value in trained[0].items():
        assert torch.equal(trained[1][name], value), name


ONE_STEP = RerankerSettings(epochs=1, batch_size=16, candidates=4, retrieval_dropout=0.0)


@pytest.fixture
def examples(tmp_path):
    source, teacher = tiny_source(tmp_path), tiny_reranker(seed=5)
    return [judged_example(teacher, source, seed, agrees=True) for seed in range(16)]


def first_step(examples, settings):
    """The first step of a training: its loss, its gradient, and what each pass was given to read."""
    reranker, passes, steps = tiny_reranker(), [], []

    def read(module, given):
        if module.training:
            dialogues, candidates, keep_retrieval = given
            passes.append((dialogues.states.detach().clone(), candidates.dialogues, keep_retrieval))

    def keep(progress):
        if progress.metric is None:
            steps.append((progress.loss, {name: one.grad.clone() for name, one in reranker.named_parameters()}))

    reranker.register_forward_pre_hook(read)
    train_reranker(reranker, examples, examples, settings, on_progress=keep)
    return *steps[0], passes


def flat(gradient):
    return torch.cat([one.flatten() for one in gradient.values()])


def test_a_perturbed_dialogue_is_read_once_more_at_the_distance_that_is_said_and_teaches_something_else(examples):
    loss, gradient, plain = first_step(examples, ONE_STEP)
    pushed_loss, pushed, passes = first_step(examples, replace(ONE_STEP, perturbation=0.5))
    (states, *_), (moved, *_) = passes
    assert len(plain) == 1 and torch.equal(plain[0][0], states)
    distance, length = (moved - states).norm(dim=-1), states.norm(dim=-1)
    torch.testing.assert_close(distance, 0.5 * length, rtol=0.01, atol=1e-4)
    assert pushed_loss > loss, "it is pushed to where it is harder"
    assert torch.cosine_similarity(flat(pushed), flat(gradient), dim=0) < 0.999


@pytest.mark.parametrize(("dropout", "learns"), [(0.0, True), (1.0, False)])
def test_without_retrievals_score_its_weights_learn_nothing(examples, dropout, learns):
    _, gradient, _ = first_step(examples, replace(ONE_STEP, retrieval_dropout=dropout))
    assert bool(gradient["signal_weights"].any()) == learns
    assert gradient["score_out.weight"].any()


def test_retrievals_score_is_left_out_for_whole_dialogues_and_as_often_as_is_said(examples):
    _, _, passes = first_step(examples, replace(ONE_STEP, epochs=20, patience=99, retrieval_dropout=0.3))
    kept = []
    for _, dialogues, keep_retrieval in passes:
        for row in range(16):
            (one,) = set(keep_retrieval[dialogues == row].tolist())
            kept.append(one)
    assert set(kept) == {0.0, 1.0}
    assert np.mean(kept) == pytest.approx(0.7, abs=0.08)


def test_a_batch_is_worked_on_in_as_many_parts_as_are_said(examples):
    _, _, passes = first_step(examples, replace(ONE_STEP, accumulate=4))
    assert [len(states) for states, *_ in passes] == [4, 4, 4, 4]


def test_who_thinks_as_the_teacher_does_has_nothing_to_learn_from_it(examples):
    _, alone, _ = first_step(examples, ONE_STEP)
    student = tiny_reranker()
    taught = replace(ONE_STEP, teacher_share=1.0)
    agreed = [replace(one, teacher=scores_of(student, one)) for one in examples]
    _, same, _ = first_step(agreed, taught)
    _, other, _ = first_step([replace(one, teacher=-one.teacher) for one in agreed], taught)
    assert flat(same).norm() < 0.1 * flat(alone).norm()
    assert flat(other).norm() > 0.5 * flat(alone).norm()
