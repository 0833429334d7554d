"""The training loop: the same seed gives the same weights, and a killed run goes on as if nothing had happened."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from conversations.errors import TrainingError
from training.loop import LoopSettings, train_loop

INPUTS = torch.randn(40, 3, generator=torch.Generator().manual_seed(5))
TARGETS = INPUTS @ torch.tensor([1.0, -2.0, 0.5]) + 0.3


class Killed(Exception):
    pass


def run(tmp_path, epochs=4, stop_at=None, checkpoint=True, checkpoint_seconds=-1, after_epoch=None):
    torch.manual_seed(3)
    module = nn.Linear(3, 1)
    seen = []

    def batches(generator):
        order = list(range(40))
        generator.shuffle(order)
        return [order[i : i + 8] for i in range(0, 40, 8)]

    def loss_of(rows):
        noise = torch.randn(len(rows)) * 0.01  # drawn from the generator that the loop seeds
        return ((module(INPUTS[rows]).squeeze(-1) + noise - TARGETS[rows]) ** 2).mean()

    def on_progress(progress):
        seen.append(progress.step)
        if stop_at and progress.step == stop_at:
            raise Killed

    settings = LoopSettings(epochs, 0.05, checkpoint_seconds=checkpoint_seconds)
    train_loop(
        "line",
        module,
        [(list(module.parameters()), 1.0)],
        batches,
        loss_of,
        settings,
        tmp_path if checkpoint else None,
        on_progress,
        after_epoch,
    )
    return module, seen


def test_it_learns(tmp_path):
    module, _ = run(tmp_path, epochs=40)
    assert torch.allclose(module.weight, torch.tensor([[1.0, -2.0, 0.5]]), atol=0.1)


def test_the_same_seed_gives_the_same_weights(tmp_path):
    one, _ = run(tmp_path, checkpoint=False)
    other, _ = run(tmp_path, checkpoint=False)
    assert torch.equal(one.weight, other.weight)


@pytest.mark.parametrize("stop_at", [1, 7, 10, 19])
def test_a_killed_run_ends_with_the_same_weights(tmp_path, stop_at):
    whole, _ = run(tmp_path, checkpoint=False)
    with pytest.raises(Killed):
        run(tmp_path, stop_at=stop_at)
    resumed, seen = run(tmp_path)
    # The kill came before the checkpoint of its own step was written.
    assert seen[0] == stop_at
    assert torch.equal(resumed.weight, whole.weight)


def test_a_finished_training_is_not_done_again(tmp_path):
    whole, _ = run(tmp_path, checkpoint=False)
    run(tmp_path, checkpoint_seconds=600)
    again, seen = run(tmp_path)
    assert seen == []
    assert torch.equal(again.weight, whole.weight)


def test_one_that_was_stopped_early_ends_there_again(tmp_path):
    measured = []

    def worse(epoch):
        measured.append(epoch)
        return 0.0, epoch == 1

    stopped, _ = run(tmp_path, checkpoint_seconds=600, after_epoch=worse)
    again, seen = run(tmp_path, after_epoch=worse)
    assert measured == [0, 1, 1]
    assert seen == [10], "the step of the metric alone"
    assert torch.equal(again.weight, stopped.weight)


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_checkpoint_costs_its_steps_only(tmp_path, damage):
    whole, _ = run(tmp_path, checkpoint=False)
    with pytest.raises(Killed):
        run(tmp_path, stop_at=7)
    path = tmp_path / "line.checkpoint"
    path.write_bytes(path.read_bytes()[:-40] if damage is None else damage)
    resumed, seen = run(tmp_path)
    assert seen[0] == 1
    assert torch.equal(resumed.weight, whole.weight)


def test_a_checkpoint_that_there_is_no_memory_for_is_kept(tmp_path, monkeypatch):
    with pytest.raises(Killed):
        run(tmp_path, stop_at=7)

    def fail(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with monkeypatch.context() as patched, pytest.raises(torch.OutOfMemoryError):
        patched.setattr(torch.optim.AdamW, "load_state_dict", fail)
        run(tmp_path)
    assert run(tmp_path)[1][0] == 7


def test_a_checkpoint_of_another_length_is_not_resumed(tmp_path):
    with pytest.raises(Killed):
        run(tmp_path, stop_at=7)
    _, seen = run(tmp_path, epochs=6)
    assert seen[0] == 1


def test_a_loss_that_is_not_a_number_stops_with_the_remedy():
    module = nn.Linear(1, 1)
    with pytest.raises(TrainingError, match="--learning-rate"):
        train_loop(
            "line",
            module,
            [(list(module.parameters()), 1.0)],
            lambda _: [[0]],
            lambda _: module(torch.tensor([[float("nan")]])).sum(),
            LoopSettings(1, 0.1),
        )


def test_nothing_to_train_on_is_said():
    with pytest.raises(TrainingError, match="nothing to train"):
        train_loop("line", nn.Linear(1, 1), [], lambda _: [], lambda _: torch.tensor(0.0), LoopSettings(1, 0.1))


@pytest.mark.parametrize("parts", [2, 3, 8, 20])
def test_a_batch_in_parts_has_the_gradient_and_the_loss_of_the_whole(parts):
    """Eight rows: also in parts of different sizes, and in more parts than there are rows."""

    def step(accumulate):
        torch.manual_seed(3)
        module, sizes, seen = nn.Linear(3, 1), [], []

        def loss_of(rows):
            sizes.append(len(rows))
            return ((module(INPUTS[rows]).squeeze(-1) - TARGETS[rows]) ** 2).mean()

        def keep(progress):
            seen.append((progress.loss, *(one.grad.clone() for one in module.parameters())))

        settings = LoopSettings(1, 0.05, clip=1e9, accumulate=accumulate)
        train_loop(
            "line",
            module,
            [(list(module.parameters()), 1.0)],
            lambda _: [list(range(8))],
            loss_of,
            settings,
            on_progress=keep,
        )
        return sizes, seen[0]

    (whole, (loss, weight, bias)), (sizes, (same_loss, same_weight, same_bias)) = step(1), step(parts)
    assert whole == [8] and sum(sizes) == 8 and max(sizes) == -(-8 // parts)
    assert same_loss == pytest.approx(loss)
    torch.testing.assert_close(same_weight, weight)
    torch.testing.assert_close(same_bias, bias)
