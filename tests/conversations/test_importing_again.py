"""What an import does with conversations that the desk holds in another state."""

import json

import pytest
from earlier_desks import keep_as_learned_from
from logs_for_tests import conversation_row, write_jsonl

from conversations.importing import import_logs


def imported(store, tmp_path, *logs, redact=True):
    return import_logs(store, logs, redact=redact, rejects_dir=tmp_path / "rejects")


def snapshots(tmp_path):
    """A directory with a conversation as it stood on two days."""
    (tmp_path / "logs").mkdir()
    write_jsonl(tmp_path / "logs" / "a.jsonl", conversation_row("c1", "Hi, I'm Margaret Hollis", "Hello"))
    whole = conversation_row("c1", "Hi, I'm Margaret Hollis", "Hello", "Lamp?", "Yes.")
    write_jsonl(tmp_path / "logs" / "b.jsonl", whole)
    return tmp_path / "logs"


def test_rows_of_two_faq_files_that_are_numbered_alike_are_all_kept(store, tmp_path):
    (tmp_path / "one.csv").write_text("id,question,answer\n1,Open?,Till 6\n")
    (tmp_path / "two.csv").write_text("id,question,answer\n1,Parking?,Behind the shop\n")
    row = {"id": 1, "question": "Lift?", "answer": "Yes, on the left"}
    (tmp_path / "three.jsonl").write_text(json.dumps(row) + "\n")
    logs = [tmp_path / name for name in ("one.csv", "two.csv", "three.jsonl")]
    assert imported(store, tmp_path, *logs).pairs == 3
    assert store.counts()["conversations"] == 3
    assert imported(store, tmp_path, *logs).unchanged == 3
    (tmp_path / "one.csv").write_text("id,question,answer\n1,Open?,Till 8\n")
    assert imported(store, tmp_path, *logs).conversations == 1
    assert "Till 6" not in [answer.text for answer in store.answers()]


def test_a_faq_row_that_was_kept_under_its_bare_number_takes_its_own_place(store, tmp_path):
    row = conversation_row("1", "Open?", "Till 6", source="FAQ")
    imported(store, tmp_path, write_jsonl(tmp_path / "log", row))
    (tmp_path / "one.csv").write_text("id,question,answer\n1,Open?,Till 6\n")
    (tmp_path / "two.csv").write_text("id,question,answer\n1,Parking?,Behind the shop\n")
    imported(store, tmp_path, tmp_path / "two.csv", tmp_path / "one.csv")
    assert [one.id for one in store.conversations()] == ["two.csv:1", "one.csv:1"]


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_a_conversation_that_the_desk_knows_further_stays_as_it_is(store, tmp_path, order):
    logs = snapshots(tmp_path)
    imported(store, tmp_path, *(logs / f"{name}.jsonl" for name in order))
    pairs = store.pair_ids().tolist()
    again = imported(store, tmp_path, logs)
    assert (again.conversations, again.unchanged, again.replaced) == (0, 2, 0)
    assert store.pair_ids().tolist() == pairs
    assert len(store.conversation("c1").turns) == 4


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_switching_de_identification_reaches_every_conversation(store, tmp_path, order):
    snapshots(tmp_path)
    logs = [tmp_path / "logs" / f"{name}.jsonl" for name in order]
    imported(store, tmp_path, *logs, redact=False)
    report = imported(store, tmp_path, *logs)
    assert report.replaced == 0
    assert [turn.text for turn in store.conversation("c1").turns] == ["Hi, I'm <NAME>", "Hello", "Lamp?", "Yes."]
    imported(store, tmp_path, logs[0], redact=False)
    imported(store, tmp_path, tmp_path / "logs" / "a.jsonl")
    assert "Margaret" not in store.conversation("c1").turns[0].text


def test_other_words_under_the_same_id_take_its_place_and_are_counted(store, tmp_path):
    imported(store, tmp_path, write_jsonl(tmp_path / "one", conversation_row("1", "Open?", "Till 6", "And Sunday?")))
    grown = conversation_row("1", "Open?", "Till 6", "And Sunday?", "Closed.")
    assert imported(store, tmp_path, write_jsonl(tmp_path / "one", grown)).replaced == 0
    other = write_jsonl(tmp_path / "two", conversation_row("1", "Parking?", "Behind the shop"))
    report = imported(store, tmp_path, other)
    assert (report.conversations, report.replaced) == (1, 1)
    assert [turn.text for turn in store.conversation("1").turns] == ["Parking?", "Behind the shop"]


@pytest.mark.parametrize("redact", [True, False])
def test_a_chat_with_the_bot_is_kept_as_history_from_which_nothing_is_learned(store, tmp_path, redact):
    rows = [conversation_row(name, "Open?", "Till 6", source="attendant chat") for name in ("chat-1", "renamed")]
    sent = conversation_row("assist-1", "Open?", "Till 8", source="attendant assist")
    log = write_jsonl(tmp_path / "log", *rows, sent, conversation_row("c1", "Anybody there?"))
    report = imported(store, tmp_path, log, redact=redact)
    assert (report.conversations, report.pairs, report.with_bot, report.unanswered) == (4, 1, 2, 1)
    assert [answer.text for answer in store.answers()] == ["Till 8"]
    assert [turn.text for turn in store.conversation("renamed").turns] == ["Open?", "Till 6"]
    assert imported(store, tmp_path, log, redact=redact).unchanged == 4


def test_a_desk_that_learned_from_the_bot_is_mended_by_the_same_log(store, tmp_path):
    log = write_jsonl(tmp_path / "log", conversation_row("chat-1", "Open?", "Till 6", source="attendant chat"))
    imported(store, tmp_path, log, redact=False)
    keep_as_learned_from(store, "chat-1")
    assert store.counts()["pairs"] == 1
    report = imported(store, tmp_path, log, redact=False)
    assert (report.conversations, report.with_bot, report.replaced) == (1, 1, 0)
    assert (store.counts()["pairs"], store.counts()["answers"], store.counts()["conversations"]) == (0, 0, 1)
    assert imported(store, tmp_path, log, redact=False).unchanged == 1
