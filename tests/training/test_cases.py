"""What a ranker is trained on: nothing that says nearly what the right answer says is shown as wrong."""

from __future__ import annotations

import json

import pytest

from conversations.desk import Desk
from conversations.importing import import_logs
from index.builder import update_index
from index.embedder import Embedder
from index.equality import ALIKE, SAME, words_of
from training.cases import task_cases
from training.datasets import load_task
from training.desk_data import OpenDesk
from training.examples import Source, examples_from
from training.settings import TrainSettings
from training.task_index import TaskIndex

RIGHT = "Refunds arrive five working days after the return has reached us."
NEAR = "Refunds arrive ten working days after your parcel has reached us."
WRONG = "Print the free label in your account."
ASKED = "When do I get my refund?"


@pytest.fixture(scope="module")
def embedder():
    return Embedder()


def dataset(path, files):
    for name, rows in files.items():
        (path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


def trained_on(embedder, path):
    """Per example its answers, each with whether it is right."""
    task = load_task(path, "train")
    index = TaskIndex(task, embedder, 1, path / "cache")
    cases = task_cases(index, embedder, task.queries, lambda *_: None)
    return [
        {task.answers[row]: bool(right) for row, right in zip(example.answer_ids, example.right, strict=True)}
        for example in examples_from(cases, Source(index.states, None))
    ]


def test_the_answers_here_are_alike_but_not_the_same():
    right, near = words_of(RIGHT), words_of(NEAR)
    assert ALIKE <= len(right & near) / len(right | near) < SAME


def test_a_data_sets_near_duplicates_of_the_right_answer_are_no_negatives(embedder, tmp_path):
    answers = [{"id": row, "text": text} for row, text in enumerate((RIGHT, RIGHT + " ", NEAR, WRONG))]
    files = {"answers": answers, "train": [{"id": "q", "question": ASKED, "answers": [0]}]}
    assert trained_on(embedder, dataset(tmp_path, files)) == [{RIGHT: True, WRONG: False}]


def test_intents_that_differ_by_a_word_are_told_apart(embedder, tmp_path):
    labels = ("credit_limit", "credit_limit_change")
    rows = [{"text": f"what about my {label.replace('_', ' ')}", "label": label} for label in labels]
    (first, second) = trained_on(embedder, dataset(tmp_path, {"train": rows}))
    assert first == {"credit limit": True, "credit limit change": False}
    assert second == {"credit limit": False, "credit limit change": True}


ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
]


def test_a_desks_near_duplicates_of_the_right_answer_are_no_negatives(embedder, tmp_path):
    said = [(ASKED, RIGHT), ("Where is my refund?", NEAR), ("How do I send a lamp back?", WRONG)]
    log = tmp_path / "log.jsonl"
    with log.open("w", encoding="utf-8") as file:
        for number in range(12):
            asked, answer = said[number % 3]
            # In other words each time: conversations that open alike would be taken for copies of one.
            asked = f"{asked} It is my {ORDINALS[number]}."
            turns = [{"role": "customer", "text": asked}, {"role": "agent", "text": answer}]
            file.write(json.dumps({"id": f"talk {number}", "turns": turns}) + "\n")
    desk = Desk.create(tmp_path, "shop")
    with desk.writing(), desk.store() as store:
        import_logs(store, [log], redact=False, rejects_dir=desk.rejects_path)
        update_index(desk.index_path, store, embedder)
    opened = OpenDesk.open(desk)
    texts = {answer.id: answer.text for answer in opened.store.answers()}
    examples = opened.train_examples(TrainSettings(), lambda _: None)
    opened.close()
    assert sorted(texts.values()) == sorted([RIGHT, NEAR, WRONG])
    shown = {
        (texts[right], texts[other])
        for example in examples
        for right in [example.answer_ids[row] for row in example.right.nonzero()[0]]
        for other, is_right in zip(example.answer_ids, example.right, strict=True)
        if not is_right and other in texts
    }
    assert shown == {(RIGHT, WRONG), (NEAR, WRONG), (WRONG, RIGHT), (WRONG, NEAR)}
