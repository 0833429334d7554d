"""The text of an answer is one that somebody in the desk still says."""

from logs_for_tests import conversation_row, write_jsonl

from conversations.importing import import_logs
from conversations.model import Conversation, Feedback, Turn
from conversations.pairs import extract_pairs

PARCEL = "your parcel left our warehouse this morning and should be with you by the weekend, please keep the box"


def say(store, name, question, *answers, customer=None):
    turns = (Turn("customer", question), *(Turn("agent", answer) for answer in answers))
    conversation = Conversation(name, turns, customer=customer)
    store.add_conversation(conversation, name, extract_pairs(conversation))


def texts(store):
    return [answer.text for answer in store.answers()]


def test_importing_again_with_redaction_leaves_nothing_of_the_raw_answer(store, tmp_path):
    row = conversation_row("a", "Hi, I'm Margaret Hollis", f"Hi Margaret, {PARCEL}")
    log = write_jsonl(tmp_path / "log", row)
    import_logs(store, [log], redact=False, rejects_dir=tmp_path)
    assert texts(store) == [f"Hi Margaret, {PARCEL}"]
    import_logs(store, [log], redact=True, rejects_dir=tmp_path)
    assert texts(store) == [f"Hi <NAME>, {PARCEL}"]
    assert store.search_words("margaret", 9) == []
    assert len(store.search_words("weekend", 9)) == 1


def test_an_answer_in_a_forgotten_customers_words_goes_on_in_those_of_others(store):
    say(store, "a", "where?", f"Hello Margaret, {PARCEL}", customer="c-1")
    say(store, "b", "when?", f"Hello, {PARCEL}")
    say(store, "c", "when is it here?", f"Hello, {PARCEL}")
    (answer,) = store.answer_ids()
    judged = Feedback("2026-01-01T00:00:00+00:00", "chat-1", "q", int(answer), "good", "chat", "someone")
    store.add_feedback(judged)
    assert store.delete_customer("c-1")["answers"] == 0
    assert texts(store) == [f"Hello, {PARCEL}"]
    (other,) = store.answer_ids()
    assert other != answer, "an index keys the text by its id"
    assert [pair.answer_id for pair in store.pairs()] == [other, other]
    assert [given.answer_id for given in store.feedback()] == [other]
    assert store.search_words("margaret", 9) == []
    assert [found for _, found, _ in store.search_words("weekend", 9)] == [other, other]


def test_an_answer_of_several_turns_that_is_still_said_keeps_its_id(store):
    say(store, "a", "where?", PARCEL, "Anything else?")
    say(store, "b", "when?", PARCEL, "Anything else?")
    before = store.answer_ids().tolist()
    store.delete_conversation("a")
    assert store.answer_ids().tolist() == before
    say(store, "c", "where?", PARCEL, "Anything else?")
    assert store.answer_ids().tolist() == before


def test_an_answer_whose_words_are_gone_joins_one_that_says_the_same(store):
    say(store, "a", "where?", f"Margaret, {PARCEL}")
    say(store, "b", "when?", f"Anna, {PARCEL}")
    say(store, "c", "when?", f"Anna, {PARCEL} 5")
    store.delete_conversation("a")
    assert texts(store) == [f"Anna, {PARCEL} 5", f"Anna, {PARCEL}"]
    store.delete_conversation("b")
    assert texts(store) == [f"Anna, {PARCEL} 5"]
