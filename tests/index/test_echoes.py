"""What only echoes the question is no answer, whoever planted it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from index_fixtures import add, built, conversation, embedder, opened, small_store

from conversations.model import Turn
from index.builder import update_index
from index.candidates import read_dialogues
from index.echoes import LEAST_WORDS, is_echo
from index.equality import words_of

QUESTION = "When will the refund for my broken lamp arrive?"
WORDS = st.lists(st.text("abcdefgh", min_size=2, max_size=8), min_size=LEAST_WORDS, max_size=20, unique=True)


@given(WORDS, st.data())
def test_words_in_any_order_and_number_are_an_echo(words, data):
    shuffled = data.draw(st.permutations(words * data.draw(st.integers(1, 4))))
    assert is_echo(" ".join(shuffled), words_of(" ".join(words)))


@given(WORDS)
def test_who_says_as_much_that_is_new_echoes_nothing(words):
    new = [f"{word}zz" for word in words]
    assert not is_echo(" ".join([*words, *new]), words_of(" ".join(words)))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Thank you and goodbye", "Thank you and goodbye."),
        ("Can I return the lamp?", "Yes, you can return the lamp within 30 days."),
        ("", "Please send me the order number."),
        ("Where is it?", ""),
    ],
)
def test_greetings_and_answers_stay(question, answer):
    assert not is_echo(answer, words_of(question))


def test_a_desk_serves_no_echo_of_the_question(tmp_path):
    store = small_store(tmp_path)
    add(store, conversation("copied", "Anybody here?", QUESTION))
    add(store, conversation("stuffed", "Hello?", "lamp refund broken arrive my for the lamp refund when will arrive"))
    update_index(tmp_path / "index", store, embedder())
    retriever = opened(tmp_path, store)

    def served(text: str) -> list[str]:
        dialogues = read_dialogues(embedder(), [[Turn("customer", text)]])
        return [candidate.text for candidate in retriever.retrieve(dialogues)[0]]

    assert any(text.startswith("Refunds arrive") for text in served(QUESTION))
    assert QUESTION not in served(QUESTION)
    assert not any("lamp refund" in text for text in served(QUESTION))
    assert QUESTION in served("And the refund?"), "it is an answer like any other to another question"


def test_what_is_served_otherwise_is_the_same(tmp_path):
    _, retriever = built(tmp_path)
    dialogues = read_dialogues(embedder(), [[Turn("customer", QUESTION)]])
    assert len(retriever.retrieve(dialogues)[0]) == 6


def test_echoes_leave_their_place_to_the_next_answers(tmp_path):
    store = small_store(tmp_path)
    for number in range(8):
        add(store, conversation(f"copied {number}", QUESTION, f"{QUESTION} {'lamp ' * number}"))
    update_index(tmp_path / "index", store, embedder())
    retriever = opened(tmp_path, store)
    dialogues = read_dialogues(embedder(), [[Turn("customer", QUESTION)]])
    all_of_them = [one.answer_id for one in retriever.retrieve(dialogues)[0]]
    assert [one.answer_id for one in retriever.retrieve(dialogues, count=3)[0]] == all_of_them[:3]
