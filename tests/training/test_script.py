"""`python -m training`: what it refuses, and how it says so."""

from __future__ import annotations

import pytest

from conversations.desk import Desk
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
