"""Search by words in scripts with marks: what is asked is folded as what is stored."""

import sqlite3
from contextlib import closing

import pytest

from conversations.model import Conversation, Turn
from conversations.pairs import extract_pairs
from conversations.store import Store


def add(store, name, question, answer="ok"):
    conversation = Conversation(name, (Turn("customer", question), Turn("agent", answer)))
    store.add_conversation(conversation, name, extract_pairs(conversation))


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("πού είναι ο τρόπος πληρωμής", "ΤΡΟΠΟΣ"),
        ("πού είναι ο τρόπος πληρωμής", "τρόπος"),
        ("πού είναι ο τρόπος πληρωμής", "τροπος"),
        ("где мой заказ", "мой"),
        ("ещё не пришёл", "пришел"),
        ("де їжак", "їжак"),
        ("أين طلبي", "أين"),
        ("أين طلبي", "اين"),
        ("إلى متى", "الى"),
        ("مُحَمَّد", "محمد"),
        ("मेरा ऑर्डर कहाँ है", "ऑर्डर"),
        ("ग्राहक सेवा", "ग्राहक"),
        ("สวัสดีครับผมต้องการคืนสินค้า", "คืนสินค้า"),
        ("Đơn hàng Việt Nam", "viet"),
        ("Où est le cafe\u0301", "CAFÉ"),
        ("שָׁלוֹם", "שלום"),
    ],
)
def test_a_word_is_found_however_its_marks_are_written(store, stored, asked):
    add(store, "a", "something else altogether")
    add(store, "b", stored)
    assert [pair for pair, _, _ in store.search_words(asked, 5)] == [2]
    store.delete_conversation("b")
    assert store.search_words(asked, 5) == []


@pytest.mark.parametrize(
    ("stored", "asked"),
    [("мой", "мои"), ("हिन्दी", "हनद"), ("ग्राहक", "गराहक"), ("คืนสินค้า", "คน")],
)
def test_a_mark_that_makes_another_word_counts(store, stored, asked):
    add(store, "a", stored)
    assert store.search_words(asked, 5) == []


def test_frequencies_are_of_words_as_they_are_folded(store):
    add(store, "a", "мой τρόπος")
    assert store.word_frequencies(["мой", "τρόπος", "мои"]) == {"мой": 1, "τρόπος": 1}


def test_the_words_of_an_older_desk_are_indexed_anew(tmp_path):
    path = tmp_path / "desk.sqlite"
    with Store(path) as store:
        add(store, "a", "где мой заказ", "Уже в пути")
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("DROP TABLE pair_vocabulary")
        file.execute("DROP TABLE pair_words")
        file.execute("CREATE VIRTUAL TABLE pair_words USING fts5(question, answer, content='')")
        file.execute("CREATE VIRTUAL TABLE pair_vocabulary USING fts5vocab(pair_words, 'row')")
        file.execute("DELETE FROM _sqlite_migrations WHERE name = '007_word_forms'")
    with Store(path) as store:
        assert [pair for pair, _, _ in store.search_words("мой пути", 5)] == [1]
        store.delete_conversation("a")
        assert store.search_words("мой", 5) == []
