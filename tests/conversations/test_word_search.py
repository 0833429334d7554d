"""The word index in long use: what it remembers of words is bounded, and never stale."""

from __future__ import annotations

import tracemalloc

import pytest

from conversations import word_search
from conversations.model import Conversation, Turn
from conversations.pairs import extract_pairs
from conversations.store import Store

REMEMBERED = 50


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(word_search, "_MOST_FREQUENCIES", REMEMBERED)
    with Store(tmp_path / "desk.sqlite") as store:
        yield store


def add(store, *names):
    for name in names:
        one = Conversation(name, (Turn("customer", f"is {name} a lamp?"), Turn("agent", f"yes, {name} is one")))
        store.add_conversation(one, name, extract_pairs(one))


def test_the_memory_does_not_grow_with_the_words_that_are_asked_for(store):
    add(store, "desk")
    store.search_words("lamp", 5)
    length, count = 1_500, 1_000
    tracemalloc.start()
    try:
        for number in range(count):
            assert store.search_words(f"{number}".rjust(length, "x"), 5) == []
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 3 * REMEMBERED * length < count * length / 4


def test_words_are_found_whatever_was_asked_for_before_and_also_those_that_came_later(store):
    names = [f"name{number}" for number in range(3 * REMEMBERED)]
    add(store, *names[:-1])
    for _ in range(2):
        found = [{pair for pair, _, _ in store.search_words(name, 5)} for name in names]
        assert found == [*({pair} for pair in range(1, len(names))), set()]
    add(store, names[-1])
    assert [pair for pair, _, _ in store.search_words(names[-1], 5)] == [len(names)]
