"""Data sets that are not what they should be: told with file and line, and never read as something else."""

from __future__ import annotations

import gzip

import pytest
from ranking_fixtures import write_rows

from conversations.errors import TrainingError
from training.datasets import load_task

CUSTOMER = {"role": "customer", "text": "Hi"}


def refused(directory, said, split="train"):
    with pytest.raises(TrainingError, match=said) as raised:
        load_task(directory, split)
    assert raised.value.remedy
    return str(raised.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"turns": [CUSTOMER, {"text": "Hi"}]}, r"turns\[1\]: no role"),
        ({"turns": [{"role": "customer"}]}, r"turns\[0\]: no text"),
        ({"turns": [{"role": "user", "text": "Hi"}]}, "role is 'user', not customer or agent"),
        ({"turns": [{"role": None, "text": "Hi"}]}, "role is null, not a text"),
        ({"turns": 5}, "turns is a number, not a list"),
        ({"turns": [5]}, r"turns\[0\] is a number, not an object"),
        ({"turns": [CUSTOMER, {"role": "agent", "text": "x", "action": ["a"]}]}, "action is a list, not a text"),
        ({"turns": [], "meta": [1]}, "meta is a list, not an object"),
        ({"turns": [], "meta": {"tasks": "bank"}}, "tasks is a text, not a list"),
        ({"turns": [], "id": ["x"]}, "id is a list, not a text"),
        ({"id": 1}, "no turns"),
    ],
)
def test_dialogues_that_are_none(tmp_path, row, said):
    write_rows(tmp_path / "responses.jsonl.gz", [{"action": "a", "text": "x"}])
    write_rows(tmp_path / "train.jsonl.gz", [{"turns": []}, row])
    assert "train.jsonl.gz, line 2" in refused(tmp_path, said)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "q", "answers": 1}, "answers is a number, not a list"),
        ({"question": "q", "answers": None}, "answers is null, not a list"),
        ({"question": "q", "answers": "1"}, "answers is a text, not a list"),
        ({"question": "q", "answers": [True]}, r"answers\[0\] is true or false, not a text"),
        ({"question": "q", "answers": [1], "pool": 3}, "pool is a number, not a list"),
        ({"question": "q", "answers": [2]}, "answer id '2' is not in answers.jsonl.gz"),
        ({"question": "q", "answers": [1], "pool": [2]}, "answer id '2' is not in answers.jsonl.gz"),
        ({"question": None, "answers": [1]}, "question is null, not a text"),
        ({"answers": [1]}, "no question"),
        ([1], "not a JSON object"),
    ],
)
def test_questions_that_are_none(tmp_path, row, said):
    write_rows(tmp_path / "answers.jsonl.gz", [{"id": 1, "text": "x"}])
    write_rows(tmp_path / "train.jsonl.gz", [{"question": "q", "answers": ["1"]}, row])
    assert "train.jsonl.gz, line 2" in refused(tmp_path, said)


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        ("answers", {"id": 1, "text": "y"}, "the answer id '1' stands there twice"),
        ("answers", {"id": 2, "text": None}, "text is null, not a text"),
        ("answers", {"id": None, "text": "y"}, "id is null, not a text"),
        ("responses", {"action": "a", "text": "y"}, "the action 'a' stands there twice"),
        ("train", {"text": "x"}, "no label"),
        ("train", {"text": 5, "label": "a"}, "text is a number, not a text"),
    ],
)
def test_answers_that_are_none(tmp_path, name, row, said):
    first = {"id": 1, "action": "a", "text": "x", "label": "a"}
    write_rows(tmp_path / "train.jsonl.gz", [first])
    write_rows(tmp_path / f"{name}.jsonl.gz", [first, row])
    assert f"{name}.jsonl.gz, line 2" in refused(tmp_path, said)


@pytest.mark.parametrize("broken", ["{", '{"text": 1' + "0" * 5000 + "}", "[" * 100_000])
def test_a_broken_line_is_named(tmp_path, broken):
    (tmp_path / "train.jsonl").write_text('{"text": "x", "label": "a"}\n\n' + broken)
    assert "train.jsonl, line 3" in refused(tmp_path, "broken JSON")


def test_a_damaged_archive_is_named(tmp_path):
    whole = gzip.compress(b'{"text": "x", "label": "a"}\n' * 9)
    (tmp_path / "train.jsonl.gz").write_bytes(whole[:20] + b"\xff\xff\xff" + whole[23:])
    refused(tmp_path, r"train.jsonl.gz cannot be read")


def test_a_data_set_without_answers_is_told(tmp_path):
    write_rows(tmp_path / "answers.jsonl.gz", [])
    write_rows(tmp_path / "train.jsonl.gz", [{"question": "q", "answers": []}])
    refused(tmp_path, "no answers to rank")
