"""What was sent comes back in the followed log, and names for the first time whose it is: it is no other dialogue."""

from __future__ import annotations

import pytest
from assist_beside import Beside

C7, C8, ID = {"customer": "c-7"}, {"customer": "c-8"}, {"conversation": "k"}


@pytest.fixture
def beside(path, log):
    return Beside(path, log)


@pytest.mark.parametrize(
    ("of_question", "of_echo"),
    [(None, C7), (None, ID), (None, C7 | ID), ({}, C7), ({}, ID), ({}, C7 | ID), (C7, C7 | ID), (ID, C7 | ID)],
)
def test_an_echo_that_names_what_had_no_name_is_the_same_dialogue_which_is_known_by_it(beside, of_question, of_echo):
    if of_question is None:
        beside.assist.customer_says("where is it?")
    else:
        beside.hears("where is it?", **of_question)
    before = beside.assist.dialogue
    beside.assist.agent_says("On its way.")
    beside.hears("On its way.", "agent", **of_echo)
    beside.hears("when?", **of_echo)
    assert beside.assist.dialogue is before and beside.said == ["where is it?", "On its way.", "when?"]
    customer = of_echo.get("customer")
    assert (before.conversation, before.met) == (of_echo.get("conversation"), customer)
    assert beside.met == ([(before, "c-7")] if customer else []) and beside.told == []
    beside.hears("hello", conversation="other", **C8)
    beside.hears("still there?", **of_echo)
    assert beside.assist.dialogue is before and beside.told[-1].endswith("goes on.")


@pytest.mark.parametrize(
    ("of_question", "of_next", "of_echo"),
    [
        (ID, {"conversation": "other"}, ID | C7),
        (C7, C8, C7 | ID),
        ({}, {"conversation": "other"}, ID),
        ({}, {"conversation": "other"}, C7 | ID),
        ({}, {"conversation": "other"} | C8, C7),
    ],
)
def test_an_echo_that_names_what_was_left_turns_nothing_and_what_follows_turns_to_it(
    beside, of_question, of_next, of_echo
):
    beside.hears("where is it?", **of_question)
    left = beside.assist.dialogue
    beside.assist.agent_says("On its way.")
    beside.hears("can I return it?", **of_next)
    present, told = beside.assist.dialogue, list(beside.told)
    beside.hears("On its way.", "agent", **of_echo)
    assert beside.assist.dialogue is present and beside.told == told
    names = of_question | of_echo
    assert (left.conversation, left.met) == (names.get("conversation"), names.get("customer"))
    if "customer" in names:
        assert (left, "c-7") in beside.met
    beside.hears("hello?", **of_next)
    assert beside.assist.dialogue is present and beside.said == ["can I return it?", "hello?"]
    beside.hears("thanks", **of_echo)
    assert beside.assist.dialogue is left and beside.said == ["where is it?", "On its way.", "thanks"]


def test_what_is_new_right_after_such_an_echo_turns_to_its_dialogue(beside):
    beside.hears("where is it?")
    left = beside.assist.dialogue
    beside.assist.agent_says("On its way.")
    beside.hears("can I return it?", conversation="other")
    beside.hears("On its way.", "agent", **ID)
    beside.hears("Tomorrow.", "agent", **ID)
    assert beside.assist.dialogue is left and beside.said == ["where is it?", "On its way.", "Tomorrow."]


@pytest.mark.parametrize(
    ("sent_in", "text", "names"),
    [
        ({}, "Good morning.", ID),
        (ID, "On its way.", {"conversation": "other"}),
        (C8, "On its way.", ID | C7),
        (C8, "On its way.", ID),
    ],
    ids=["other words", "another conversation", "another customer", "perhaps another customer"],
)
def test_what_only_looks_like_an_echo_begins_another_dialogue(beside, sent_in, text, names):
    beside.hears("where is it?", **sent_in)
    beside.assist.agent_says("On its way.")
    beside.hears(text, "agent", **names)
    assert beside.said == [text] and beside.told[-1] == "A new dialogue begins."
    assert beside.assist.dialogue.conversation == names["conversation"]


def test_the_same_words_are_an_echo_only_once(beside):
    beside.hears("where is it?")
    beside.assist.agent_says("On its way.")
    beside.hears("On its way.", "agent")
    beside.hears("On its way.", "agent", **ID)
    assert beside.said == ["On its way."] and beside.told == ["A new dialogue begins."]
