"""The same conversation more than once in a desk: which is the first of its copies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.model import Conversation, Turn
from index.twins import MOST_COPIES, Twins

LONG = "Where is the lamp that I have ordered?"
HELLO, REPLY = "Hello there", "How can I help?"


def talk(*said):
    """Turns of the customer and the agent by turns; one said on a day names it first, as "3|Hello"."""
    turns = []
    for place, text in enumerate(said):
        day, _, words = text.rpartition("|")
        at = f"2025-03-0{day}T09:00:00Z" if day else None
        turns.append(Turn(("customer", "agent")[place % 2], words, at))
    return tuple(turns)


talks = st.lists(st.sampled_from([LONG, f"1|{LONG}", f"8|{LONG}", HELLO, REPLY]), min_size=1, max_size=10).map(
    lambda said: talk(*said)
)


@given(st.lists(talks, max_size=MOST_COPIES + 1))
def test_of_a_few_those_have_a_first_that_are_one_with_an_earlier_one(openings):
    named = [(str(number), turns) for number, turns in enumerate(openings)]
    twins = Twins(named)
    firsts = twins.firsts()
    for name, turns in named:
        earlier = [one for one in twins.of(Conversation(name, turns)) if int(one) < int(name)]
        assert (name in firsts) == bool(earlier)
        if earlier:
            assert firsts[name] == firsts.get(earlier[0], earlier[0])


def test_copies_that_begin_as_many_do_are_found_by_how_they_go_on():
    same = talk(HELLO, REPLY, LONG, "Tomorrow.", "And the other lamp, please?", "On Friday.")
    others = [talk(HELLO, REPLY, f"{LONG} It is my {number}.", "Tomorrow.") for number in range(50)]
    openings = [*others, same, *others[:20], same[:5]]
    firsts = Twins((str(number), turns) for number, turns in enumerate(openings)).firsts()
    assert firsts == {str(51 + number): str(number) for number in range(20)} | {"71": "50"}


def test_where_only_agents_speak_there_is_nothing_to_tell_by():
    only = (Turn("agent", "We will be back on Monday."),)
    twins = Twins([("a", only), ("b", talk(LONG, "Tomorrow.")), ("c", ())])
    assert twins.of(Conversation("d", only)) == () and twins.firsts() == {}


@pytest.mark.timeout(60)
def test_so_many_who_say_the_same_are_others_and_stay_quick():
    many = ((str(number), talk(LONG, "Tomorrow.", "Thanks!")) for number in range(20_000))
    assert Twins(many).firsts() == {}
