import multiprocessing
import os
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from conversations.desk import Desk, default_home, list_desks
from conversations.errors import DeskError
from conversations.model import Conversation, Feedback, Turn
from conversations.pairs import extract_pairs
from conversations.store import Store


def talk(name, *texts, **more):
    roles = ("customer", "agent")
    return Conversation(name, tuple(Turn(roles[at % 2], text) for at, text in enumerate(texts)), **more)


def add(store, conversation, digest="1"):
    return store.add_conversation(conversation, digest, extract_pairs(conversation))


def test_a_conversation_comes_back_as_it_was(store):
    turns = (Turn("customer", "Hi"), Turn("agent", "Hello", "2026-01-01T00:00:00", "ab12", "greet"))
    conversation = Conversation("a", turns, "en", "chat", "c-1", {"topic": "x", "deep": [1, {"y": None}]})
    assert add(store, conversation) == 1
    assert store.conversation("a") == conversation
    assert list(store.conversations()) == [conversation]
    assert store.conversation("b") is None
    assert store.conversation_digest("a") == "1"
    assert store.counts() == {"conversations": 1, "turns": 2, "pairs": 1, "answers": 1}


def test_pairs_carry_the_dialogue_before_them(store):
    add(store, talk("a", "Where is it?", "On its way.", "And the other?", "Tomorrow."))
    first, second = store.pairs()
    assert first.dialogue == (Turn("customer", "Where is it?"),)
    assert [turn.text for turn in second.dialogue] == ["Where is it?", "On its way.", "And the other?"]
    assert second.question == "And the other?"
    assert list(store.pairs(after_id=first.id)) == [second]
    assert list(store.pairs(ids=[second.id, first.id, 99])) == [first, second]


def test_many_pages_are_streamed_in_order(store):
    with store.transaction():
        for number in range(1_203):
            add(store, talk(f"c{number}", f"question {number}", f"answer number {number}"))
    assert [pair.question for pair in store.pairs()] == [f"question {number}" for number in range(1_203)]
    assert [conversation.id for conversation in store.conversations()] == [f"c{number}" for number in range(1_203)]
    assert len(list(store.answers(ids=range(1, 2_000)))) == 1_203
    assert store.pair_ids().tolist() == sorted(store.pair_ids().tolist())
    assert len(list(store.conversations([f"c{number}" for number in range(700)]))) == 700


def test_equal_answers_are_one_answer_with_all_its_evidence(store):
    add(store, talk("a", "q1", "Please restart it."))
    add(store, talk("b", "q2", "please restart it!"))
    pairs, answers, ordinals = store.pair_answers()
    assert answers[0] == answers[1]
    assert ordinals[0] != ordinals[1]
    assert store.conversation_ordinals(["b", "zz"]) == {"b": ordinals[1]}
    assert [answer.text for answer in store.answers()] == ["Please restart it."]
    assert len(pairs) == 2


def test_a_conversation_that_grew_replaces_itself_and_ids_are_never_used_again(store):
    add(store, talk("a", "q1", "answer one"))
    (old,) = store.pair_ids()
    (answer,) = store.answer_ids()
    add(store, talk("a", "q1", "answer one", "q2", "answer two"), "2")
    assert store.pair_ids().tolist() == [old + 1, old + 2]
    assert answer in store.answer_ids()
    assert store.counts() == {"conversations": 1, "turns": 4, "pairs": 2, "answers": 2}
    assert {pair for pair, _, _ in store.search_words("q1", 9)} == {old + 1}


def test_deleting_takes_pairs_words_and_orphaned_answers(store):
    add(store, talk("a", "lamp broken", "Send a photo."))
    add(store, talk("b", "lamp dark", "Send a photo.", "and now", "Wait for us."))
    removed = store.delete_conversation("b")
    assert removed == [2, 3]
    assert [answer.text for answer in store.answers()] == ["Send a photo."]
    assert [pair for pair, _, _ in store.search_words("lamp", 9)] == [1]
    assert store.delete_conversation("a") == [1]
    assert store.counts()["answers"] == 0
    assert store.delete_conversation("a") == []
    add(store, talk("c", "lamp", "Send a photo."))
    assert store.pair_ids().tolist() == [4]


def test_deleted_text_is_gone_from_the_file(tmp_path):
    with Store(tmp_path / "desk.sqlite") as store:
        add(store, talk("keep", "something", "else"))
        add(store, talk("gone", "my zebracode secret", "the zebracode answer"))
        store.delete_conversation("gone")
        store.compact()
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"zebracode" not in left


def test_a_failed_transaction_leaves_nothing_behind(store):
    with pytest.raises(RuntimeError), store.transaction():
        add(store, talk("a", "q", "An answer that is rolled back."))
        raise RuntimeError
    assert store.counts()["pairs"] == 0
    add(store, talk("b", "q", "An answer that is rolled back."))
    assert next(store.pairs()).answer_id == next(store.answers()).id


def test_settings_and_feedback(store):
    assert store.setting("redact", True) is True
    store.set_setting("redact", False)
    assert store.setting("redact", True) is False
    add(store, talk("a", "q", "a"))
    said = Feedback("2026-01-01", "chat-1", "q", 1, "good", "chat", "someone")
    done = replace(
        said, answer_id=None, verdict="handed over", customer="c", shown=(3, 1), vector=b"\0\1", encoder="e"
    )
    store.add_feedback(said)
    store.add_feedback(done)
    assert list(store.feedback()) == [said, done]
    assert list(store.feedback("c")) == [done]
    with pytest.raises(DeskError):
        store.add_feedback(replace(said, answer_id=99))
    with pytest.raises(DeskError):
        store.add_feedback(replace(said, verdict="splendid"))


def test_feedback_of_an_older_desk_is_kept(tmp_path):
    with Store(tmp_path / "desk.sqlite") as store:
        add(store, talk("a", "q", "a"))
    with closing(sqlite3.connect(tmp_path / "desk.sqlite")) as file, file:
        file.execute("DROP TABLE feedback")
        file.execute(
            "CREATE TABLE feedback (id INTEGER PRIMARY KEY, at TEXT, conversation_key TEXT, question TEXT,"
            " answer INTEGER REFERENCES answers(id), verdict TEXT, source TEXT)"
        )
        file.execute("INSERT INTO feedback VALUES (7, '2026-01-01', 'chat-1', 'q', 1, 'bad', 'chat')")
        file.execute("DELETE FROM _sqlite_migrations WHERE name = '004_feedback_in_full'")
    with Store(tmp_path / "desk.sqlite") as store:
        assert list(store.feedback()) == [Feedback("2026-01-01", "chat-1", "q", 1, "bad", "chat", "chat-1")]


@pytest.mark.parametrize(
    "query",
    ['"', "a OR b", "NEAR(", "question:lamp", "*", "-lamp", "'; DROP TABLE pairs", "", "🙂", "\x00", "(" * 500],
)
def test_a_query_is_never_syntax(store, query):
    add(store, talk("a", "lamp", "light"))
    assert store.search_words(query + " lamp", 5)[0][0] == 1
    store.search_words(query, 5)


def test_words_are_found_in_every_script(store):
    add(store, talk("a", "Où est le CAFÉ crème?", "Là-bas."))
    add(store, talk("b", "请问退款多久到账", "三个工作日内原路退回"))
    add(store, talk("c", "환불 언제 되나요", "내일입니다"))
    assert store.search_words("cafe", 5)[0][0] == 1
    assert store.search_words("退款", 5)[0][0] == 2
    assert store.search_words("工作日", 5)[0][0] == 2
    assert store.search_words("환불", 5)[0][0] == 3
    assert store.search_words("退货", 5) == []


def test_better_matches_score_higher(store):
    add(store, talk("a", "the delivery of my lamp", "soon"))
    add(store, talk("b", "the lamp", "yes"))
    add(store, talk("c", "the weather", "no"))
    pairs = store.search_words("delivery lamp", 5)
    assert [pair for pair, _, _ in pairs] == [1, 2]
    assert pairs[0][2] > pairs[1][2] > 0


@pytest.mark.timeout(60)
def test_a_huge_query_is_answered_at_once(store):
    with store.transaction():
        for number in range(300):
            add(store, talk(f"c{number}", f"my lamp number{number} flickers", f"answer {number}"))
    assert store.search_words("lamp number7 " * 100_000, 10)[0][0] == 8


@pytest.mark.parametrize("damage", ["text", "truncated", "zeroed", "other program"])
def test_a_damaged_file_is_said(tmp_path, damage):
    path = tmp_path / "desk.sqlite"
    if damage == "text":
        path.write_text("this is no database, " * 100)
    elif damage == "other program":
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE x (y)")
    else:
        with Store(path) as store, store.transaction():
            for number in range(300):
                add(store, talk(f"c{number}", f"question {number} " * 20, f"answer {number} " * 20))
        content = path.read_bytes()
        half = len(content) // 2
        path.write_bytes(content[:half] if damage == "truncated" else content[:8192] + bytes(len(content) - 8192))
    with pytest.raises(DeskError) as said, Store(path) as store:
        if store.problems():
            raise DeskError(store.problems()[0])
        list(store.pairs())
    assert said.value.message


def test_a_file_of_a_newer_version_is_said(tmp_path):
    path = tmp_path / "desk.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as newer:
        newer.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('attendant', '999_future', '')"
        )
    with pytest.raises(DeskError, match="newer version"):
        Store(path)


def test_a_whole_file_has_no_problems(store):
    add(store, talk("a", "q", "a"))
    assert store.problems() == []


def test_a_full_disk_keeps_what_was_there(store):
    add(store, talk("a", "q", "a"))
    pages = store._file.rows("PRAGMA page_count")[0][0]
    store._file.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DeskError, match="no room"), store.transaction():
        for number in range(2_000):
            add(store, talk(f"big{number}", "word " * 200, f"text {number} " * 200))
    store._file.rows("PRAGMA max_page_count = 1000000")
    assert [conversation.id for conversation in store.conversations()] == ["a"]
    add(store, talk("b", "q", "b"))
    assert store.problems() == []


def test_desks(tmp_path, monkeypatch):
    monkeypatch.setenv("ATTENDANT_HOME", str(tmp_path))
    assert default_home() == tmp_path
    desk = Desk.create(tmp_path, "acme")
    assert list_desks(tmp_path) == []
    desk.store().close()
    assert list_desks(tmp_path) == ["acme"]
    assert Desk.open(tmp_path, "acme").database == desk.database
    with pytest.raises(DeskError, match=r"acme.*attendant import LOGS --desk other"):
        Desk.open(tmp_path, "other")


def test_a_desk_is_for_its_owner_only(tmp_path):
    before = os.umask(0o022)
    try:
        desk = Desk.create(tmp_path / "home", "acme")
    finally:
        os.umask(before)
    for directory in (desk.path, desk.index_path, desk.models_path, desk.rejects_path):
        assert directory.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", ".hidden", "..", "a/b", "a b", "x" * 65, "naïve", "a\n", "\x1b[2J"])
def test_names_that_are_no_directory(tmp_path, name):
    with pytest.raises(DeskError) as said:
        Desk(tmp_path, name)
    assert "\x1b" not in str(said.value)


def _hold(home, held, release):
    with Desk(home, "acme").writing():
        held.set()
        release.wait(30)


def test_two_writers_on_one_desk(tmp_path):
    Desk.create(tmp_path, "acme").store().close()
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path, held, release))
    other.start()
    try:
        assert held.wait(60)
        with pytest.raises(DeskError, match="Another command is writing"), Desk.open(tmp_path, "acme").writing():
            pass
        assert Desk.open(tmp_path, "acme").store().counts()["pairs"] == 0  # reading goes on
    finally:
        release.set()
        other.join(30)
    with Desk.open(tmp_path, "acme").writing():
        pass


def test_a_second_connection_sees_and_merges_with_what_the_first_wrote(tmp_path):
    path = tmp_path / "desk.sqlite"
    with Store(path) as one, Store(path) as two:
        add(two, talk("z", "lamp", "Nothing alike."))
        add(one, talk("a", "lamp", "Please restart it."))
        add(two, talk("b", "lamp", "please restart it"))
        assert two.counts()["answers"] == 2
        assert len(one.search_words("lamp", 9)) == 3
