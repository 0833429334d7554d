from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.model import Conversation, Turn
from conversations.pairs import ONE_MESSAGE, as_asked, extract_pairs

turns = st.lists(
    st.builds(Turn, st.sampled_from(["customer", "agent"]), st.sampled_from(["", " ", "a", "b\nc"])), max_size=12
)


def talk(*said):
    return Conversation("c", tuple(Turn("customer" if text[0] == "c" else "agent", text) for text in said))


def test_turns_in_a_row_are_one_message():
    pairs = list(extract_pairs(talk("c1", "c2", "a1", "a2", "c3", "a3")))
    assert [(pair.question, pair.answer, pair.turn) for pair in pairs] == [("c1\nc2", "a1\na2", 2), ("c3", "a3", 5)]
    assert [turn.text for turn in pairs[1].dialogue] == ["c1", "c2", "a1", "a2", "c3"]


def test_an_agent_who_begins_answers_nothing():
    assert [pair.answer for pair in extract_pairs(talk("a0", "c1", "a1"))] == ["a1"]


def test_a_question_without_answer_is_no_pair():
    assert list(extract_pairs(talk("c1"))) == []
    assert list(extract_pairs(Conversation("c", ()))) == []


@pytest.mark.parametrize(("source", "pairs"), [("attendant chat", 0), ("attendant assist", 1), (None, 1)])
def test_what_the_bot_said_is_no_answer_of_an_agent(source, pairs):
    assert len(list(extract_pairs(replace(talk("c1", "a1"), source=source)))) == pairs


@given(turns)
def test_no_pair_is_empty_and_each_turn_is_an_agents(said):
    conversation = Conversation("c", tuple(said))
    for pair in extract_pairs(conversation):
        assert pair.question.strip()
        assert pair.answer.strip()
        assert said[pair.turn].role == "agent"
        assert said[pair.turn - 1].role == "customer"


@given(turns, st.text(st.sampled_from("a b\nü我"), min_size=1, max_size=2 * ONE_MESSAGE).filter(str.strip))
def test_a_question_ends_with_what_was_said_last_and_older_turns_of_it_are_there_or_before(said, last):
    dialogue = (*said, Turn("customer", last))
    *before, question = as_asked(dialogue)
    assert question.role == "customer" and question.text.endswith(last.strip())
    assert question.text == last.strip() or len(question.text.encode()) <= ONE_MESSAGE
    words = [word for turn in (*before, question) for word in turn.text.split()]
    assert words == [word for turn in dialogue for word in turn.text.split()]


def test_a_story_before_a_question_is_not_part_of_it():
    story, fragments = (
        "My sister moved house last week. " * 20,
        ("Hi", "I have a question.", "How long does it take?"),
    )
    *before, question = as_asked(tuple(Turn("customer", text) for text in (story, *fragments)))
    assert [turn.text for turn in before] == [story]
    assert question.text == "Hi\nI have a question.\nHow long does it take?"
