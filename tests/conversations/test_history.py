"""What a customer said before: in the order of moments, however the log writes them, and never what came later."""

import pytest

from conversations.model import Conversation, Turn
from conversations.pairs import extract_pairs
from conversations.store import MOST_EARLIER


def visit(store, name, at, text, customer="anna"):
    turns = (Turn("customer", text, at), Turn("agent", f"About {text}: yes.", at))
    one = Conversation(name, turns, customer=customer)
    store.add_conversation(one, name, extract_pairs(one))


def texts(turns):
    return [turn.text for turn in turns if turn.role == "customer"]


def test_a_customer_is_looked_back_on_up_to_a_moment(store):
    visit(store, "c", "2026-01-20T09:00:00Z", "lamp")
    visit(store, "a", "2026-01-03T09:00:00Z", "desk")
    visit(store, "b", "2026-01-04T09:00:00Z", "sofa", customer="bert")
    visit(store, "d", None, "rug")
    visit(store, "e", "2026-01-05T09:00:00Z", "bed", customer=None)
    assert texts(store.earlier_turns("anna", "2026-01-20T09:00:00Z")) == ["desk"], "not that moment's own, no other's"
    assert texts(store.earlier_turns("anna")) == ["rug", "desk", "lamp"], "oldest first"
    assert texts(store.history_before("c")) == ["desk"]
    for alone in ("a", "b", "d", "e", "nowhere"):
        assert store.history_before(alone) == ()
    for day in range(1, MOST_EARLIER + 1):
        visit(store, f"f{day}", f"2026-02-{min(day, 28):02d}T09:00:{day:02d}Z", f"chair {day}")
    expected = [f"chair {day}" for day in range(1, MOST_EARLIER + 1)]
    assert texts(store.earlier_turns("anna")) == expected, "so many only"


def test_moments_are_compared_whatever_their_zone(store):
    visit(store, "new-york", "2025-01-01T08:30:00-05:00", "four and a half hours later")
    visit(store, "tokyo", "2025-01-01T17:30:00+09:00", "half an hour before")
    visit(store, "naive", "2025-01-01T08:59:00", "a minute before")
    before = ["half an hour before", "a minute before"]
    assert texts(store.earlier_turns("anna", "2025-01-01T09:00:00+00:00")) == before
    assert texts(store.earlier_turns("anna")) == [*before, "four and a half hours later"]
    assert texts(store.history_before("new-york")) == before


@pytest.mark.parametrize("before", ["12/01/2024", "2026-01-01T00:00:00Z", "soon"])
def test_what_has_no_readable_time_is_not_known_to_be_earlier(store, before):
    visit(store, "later", "11/02/2025", "unreadable")
    visit(store, "own", before, "own")
    assert texts(store.earlier_turns("anna", before)) == texts(store.history_before("own")) == []


def test_what_is_hidden_is_not_looked_back_on(store):
    """A log's own conversation may stand in the desk with an earlier time, or once more under another id."""
    visit(store, "own", "2026-01-20T09:00:00Z", "lamp")
    visit(store, "twin", "2026-01-20T08:00:00Z", "lamp, once more")
    visit(store, "before", "2026-01-03T09:00:00Z", "desk")
    assert texts(store.earlier_turns("anna", "2026-01-20T09:00:30Z", {"own", "twin"})) == ["desk"]
    assert texts(store.history_before("own", ["twin"])) == ["desk"]
