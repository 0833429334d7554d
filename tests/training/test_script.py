"""`python -m training`: what it refuses, and how it says so."""

from __future__ import annotations

import pytest
import torch

from conversations.desk import Desk
from training import __main__ as script
from training.__main__ import main


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--batch-size", "0"], "--batch-size: 0 is not at least 2"),
        (["--epochs", "-1"], "--epochs: -1 is not at least 0"),
        (["--limit", "0"], "--limit: 0 is not at least 1"),
        (["--learning-rate", "0"], "--learning-rate: 0.0 is not more than 0"),
        (["--learning-rate", "nan"], "--learning-rate: nan is not more than 0"),
        (["--listwise-heads", "3"], "--listwise-heads: 3 does not divide the 128 hidden units evenly"),
        (["--epochs", "two"], "--epochs: invalid int value: 'two'"),
        (["--encoder", "x"], "--encoder is for --dataset"),
        (["--cache", "x"], "--cache is for --dataset"),
        (["--desk", "other"], "Several desks train one model"),
        (["--save", "x", "--force"], "--force is for a desk's own model"),
        (["--start", "x", "--listwise-heads", "4"], "--listwise-heads is for a reranker that starts anew"),
        (["--teacher", "cross-attention:x", "--encoder-epochs", "1"], "reads the encoder's states as they are"),
    ],
)
def test_what_the_command_line_refuses_is_refused_here(tmp_path, capsys, options, said):
    with pytest.raises(SystemExit) as ended:
        main(["--desk", "shop", "--home", str(tmp_path), *options])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_event_files_that_cannot_be_written_are_told_in_one_line(tmp_path, capsys):
    Desk.create(tmp_path, "shop").store().close()
    (tmp_path / "file").touch()
    assert main(["--desk", "shop", "--home", str(tmp_path), "--tensorboard", str(tmp_path / "file" / "below")]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"attendant: {tmp_path / 'file'}")
    assert "Check the path" in said
    assert said.count("\n") == 1


def test_memory_that_runs_out_is_told_with_what_needs_less(tmp_path, monkeypatch, capsys):
    def fail(*_):
        torch.empty(1 << 55, dtype=torch.uint8)

    monkeypatch.setattr(script, "train_desk", fail)
    Desk.create(tmp_path, "shop").store().close()
    assert main(["--desk", "shop", "--home", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "attendant: out of memory. Take a smaller --batch-size.\n"


@pytest.mark.parametrize(
    ("gpus", "said"),
    [
        (1, "2 processes were started on a machine with 1 GPU, and each needs its own. Give torchrun --nproc-per"),
        (2, "The processes of this training do not find each other: "),
    ],
)
def test_more_processes_than_gpus_are_told_in_one_line(tmp_path, monkeypatch, capsys, gpus, said):
    """Of two there are enough; that torch has no part for GPUs here stands for a network that is down."""
    taken = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    for name, value in {"WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2, "RANK": 1, "LOCAL_RANK": 1}.items():
        monkeypatch.setenv(name, str(value))
    assert main(["--desk", "shop", "--home", str(tmp_path)]) == 1
    assert taken == ([1] if gpus == 2 else [])
    told = capsys.readouterr().err
    assert told.startswith(f"attendant: {said}")
    assert told.count("\n") == 1
