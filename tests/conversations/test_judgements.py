"""Judgements of a running conversation: whose they are may become known late, and they go with that customer."""

from dataclasses import replace

from conversations.model import Feedback

JUDGED = Feedback("2026-01-01", "assist-1", "q", None, "handed over", "assist", "someone")


def test_a_customer_is_named_where_nobody_was_and_in_that_conversation_alone(store):
    of_other = replace(JUDGED, customer="c-2")
    elsewhere = replace(JUDGED, conversation_key="assist-2")
    for one in (JUDGED, of_other, elsewhere):
        store.add_feedback(one)
    store.name_customer("assist-1", "c-1")
    assert list(store.feedback()) == [replace(JUDGED, customer="c-1"), of_other, elsewhere]


def test_with_a_customer_goes_what_was_judged_before_they_were_named_and_nothing_else(store):
    of_other = replace(JUDGED, customer="c-2")
    elsewhere = replace(JUDGED, conversation_key="assist-2")
    for one in (JUDGED, replace(JUDGED, customer="c-1"), of_other, elsewhere):
        store.add_feedback(one)
    assert store.delete_customer("c-1")["feedback"] == 2
    assert list(store.feedback()) == [of_other, elsewhere]
