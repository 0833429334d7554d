"""The training of a real desk, killed: the desk stays as it was, and the same command goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from functools import partial

import pytest
from desk_trainings import ask, few_are_enough
from made_once import sample_desk, small_desk

from training import reranker_training
from training.desk_training import train_desk
from training.loop import LoopSettings
from training.settings import TrainSettings


@pytest.fixture
def desk(tmp_path, monkeypatch):
    few_are_enough(monkeypatch, to_train=10, held_out=5)
    return sample_desk(tmp_path / "home", 60)


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
    few_are_enough(monkeypatch, to_train=1, held_out=1)
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
