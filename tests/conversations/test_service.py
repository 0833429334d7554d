"""A withdrawn answer stays out of service, whatever becomes of its row."""

import sqlite3

import pytest
from logs_for_tests import conversation_row, write_jsonl
from test_answer_texts import PARCEL, say

from conversations.importing import import_logs
from conversations.store import Store

PRICE = "Express delivery costs four pounds ninety and takes one working day to reach you."


def only(store):
    (record,), _ = store.service.records()
    return record


def withdraw_all(store, because=None):
    store.service.withdraw(store.answer_ids().tolist(), because)


def test_the_same_words_under_another_id_are_withdrawn_again(store):
    say(store, "a", "express?", PRICE)
    say(store, "b", "where?", PARCEL)
    before = store.answer_ids().tolist()[0]
    store.service.withdraw([before], "dearer now")
    store.delete_conversation("a")
    assert not store.service.withdrawn() and store.service.remembered() == 1
    say(store, "c", "what is express?", f"Hello Anna, {PRICE.upper()}".replace("Anna, ", "<NAME> "))
    (again,) = store.service.withdrawn()
    assert again != before and store.service.remembered() == 0
    ((record,), total) = store.service.records(withdrawn_only=True)
    assert (record.id, record.withdrawal.because, total) == (again, "dearer now", 1)
    store.service.restore([again])
    store.delete_conversation("c")
    say(store, "d", "what is express?", PRICE)
    assert not store.service.withdrawn(), "what was restored is no longer remembered"


def test_an_answer_that_goes_on_in_the_words_of_others_stays_withdrawn(store):
    say(store, "a", "where?", f"Hello Margaret, {PARCEL}", customer="c-1")
    say(store, "b", "when?", f"Hello, {PARCEL}")
    (before,) = store.answer_ids().tolist()
    withdraw_all(store)
    store.delete_customer("c-1")
    assert only(store).id != before and only(store).withdrawal


@pytest.mark.parametrize(
    "more", [{}, {"meta": {"outcome": "solved"}}, {"turns": [{"role": "customer", "text": "thanks"}]}]
)
def test_a_log_that_is_imported_again_or_grew_does_not_bring_it_back(store, tmp_path, more):
    row = conversation_row("a", "Hi, what is express?", PRICE)
    import_logs(store, [write_jsonl(tmp_path / "log", row)], redact=True, rejects_dir=tmp_path)
    withdraw_all(store)
    grown = {**row, **more, "turns": [*row["turns"], *more.get("turns", [])]}
    import_logs(store, [write_jsonl(tmp_path / "log", grown)], redact=True, rejects_dir=tmp_path)
    assert only(store).withdrawal


def test_an_answer_that_is_deidentified_by_other_rules_stays_withdrawn(store, tmp_path):
    number = "Our branch in Leeds is open till six, call it on 0113 496 0123 before you come."
    rows = [conversation_row(name, "Is Leeds open?", number) for name in ("a", "b")]
    log = write_jsonl(tmp_path / "log", *rows)
    import_logs(store, [log], redact=False, rejects_dir=tmp_path)
    withdraw_all(store, "closed")
    import_logs(store, [log], redact=True, rejects_dir=tmp_path)
    assert "0113" not in only(store).text
    assert only(store).given == 2 and only(store).withdrawal.because == "closed"


def test_an_answer_that_was_corrected_in_the_log_is_in_service(store, tmp_path):
    rows = [conversation_row("a", "what is express?", text) for text in (PRICE, PRICE.replace("four", "five"))]
    for row in rows:
        import_logs(store, [write_jsonl(tmp_path / "log", row)], redact=True, rejects_dir=tmp_path)
        if row is rows[0]:
            withdraw_all(store)
    assert "five" in only(store).text and only(store).withdrawal is None


def test_a_near_copy_joins_a_withdrawn_answer(store):
    say(store, "a", "where?", PARCEL)
    withdraw_all(store)
    say(store, "b", "where is it?", f"Hello, {PARCEL}!")
    assert (only(store).given, only(store).conversations) == (2, 2) and only(store).withdrawal


def test_withdrawing_and_restoring_are_new_states_of_the_desk(store):
    say(store, "a", "where?", PARCEL)
    states = [store.last_writing()]
    withdraw_all(store)
    states.append(store.last_writing())
    store.service.restore(store.answer_ids().tolist())
    assert len({*states, store.last_writing()}) == 3


def test_answers_are_found_by_their_words_and_told_with_their_use(store, tmp_path):
    row = conversation_row("a", "express?", PRICE)
    row["turns"][-1]["at"] = "2025-03-01T23:30:00-05:00"
    again = conversation_row("b", "express?", PRICE, "And on Sundays?", PRICE)
    for turn in again["turns"]:
        turn["at"] = "2025-03-02T01:00:00Z"
    log = write_jsonl(tmp_path / "log", row, again, conversation_row("c", "where?", PARCEL))
    import_logs(store, [log], redact=True, rejects_dir=tmp_path)
    (first, second), total = store.service.records()
    assert (first.text, first.given, first.conversations, total) == (PRICE, 3, 2, 2)
    assert (first.last, second.last) == ("2025-03-01T23:30:00-05:00", None), "the later moment, not the later text"
    for words, found in (
        ("express", [PRICE]),
        ("DELIVER pounds", [PRICE]),
        ("express box", []),
        ("where", []),
        ('"(*', []),
    ):
        assert [record.text for record in store.service.records(words=words)[0]] == found
    assert [len(store.service.records(limit=1)[0]), store.service.records(limit=1)[1]] == [1, 2]


def test_a_desk_of_an_earlier_version_can_withdraw(tmp_path):
    path = tmp_path / "desk.sqlite"
    with Store(path) as store:
        say(store, "a", "where?", PARCEL)
    with sqlite3.connect(path) as file:
        file.execute("DROP TABLE withdrawn")
        file.execute("DELETE FROM _sqlite_migrations WHERE name = '008_withdrawn'")
    file.close()
    with Store(path) as store:
        assert only(store).withdrawal is None
        withdraw_all(store)
        assert only(store).withdrawal
