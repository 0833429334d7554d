from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.model import Conversation, Turn
from conversations.pairs import extract_pairs

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
