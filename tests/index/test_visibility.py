"""What is hidden leaves no trace: of one conversation, and of all that came after a moment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from index_fixtures import LOG, add, embedder, opened

from conversations.model import Conversation, Turn
from conversations.store import Store
from index.builder import update_index
from index.candidates import SIGNALS, read_dialogues
from index.visibility import Links, moment_of

NO_WORDS = [place for place, name in enumerate(SIGNALS) if name != "words"]
"""BM25 weighs words by how rare they are in the whole desk, and what is hidden still counts there."""


EVERY_DAY = range(1, 7)


def dated_desk(path, days, dated=EVERY_DAY):
    """Each row of the log on every day, with the same and a slightly other answer; the named days have times."""
    store = Store(path / "desk.sqlite")
    for day in range(1, days + 1):
        at = f"2025-01-{day:02d}T09:00:00Z" if day in dated else None
        for name, question, answer in LOG:
            turns = (Turn("customer", f"{question} {day}", at), Turn("agent", answer, at))
            add(store, Conversation(f"{name}-{day}", turns))
            last = (Turn("customer", f"And then on day {day}?", at), Turn("agent", f"Day {day}: {name} again.", at))
            add(store, Conversation(f"{name}-{day}-more", last))
    update_index(path / "index", store, embedder())
    return store


def served(retriever, exclude, as_of):
    dialogues = [[Turn("customer", row[1])] for row in LOG] + [[Turn("customer", "And then on day 3?")]]
    read = read_dialogues(embedder(), dialogues)
    hidden = (exclude,) if exclude else ()
    return retriever.retrieve(read, [hidden] * len(read), as_of=[as_of] * len(read))


@pytest.mark.parametrize(
    ("dated", "exclude", "as_of"),
    [
        (EVERY_DAY, "parcel-3", "2025-01-03T09:00:00Z"),
        (EVERY_DAY, None, "2025-01-03T10:00:00+01:00"),
        ((), "parcel-3", ""),
        ((), "parcel-3", "2025-01-03T09:00:00Z"),
        ((5, 6), "parcel-3", "2025-01-03T09:00:00Z"),
        ((1, 4), "parcel-3", "2025-01-03T09:00:00Z"),
        ((1, 2, 3), None, "2025-01-03T09:00:00Z"),
    ],
)
def test_what_came_later_is_hidden_as_if_it_had_never_come(tmp_path, monkeypatch, dated, exclude, as_of):
    # Smaller than what is hidden, so that the search has to be widened.
    for name in ("SEARCHED", "SEARCHED_ANSWERS", "SEARCHED_WORDS", "SPARE"):
        monkeypatch.setattr(f"index.retriever.{name}", 4)
    store = dated_desk(tmp_path, 6, dated)
    hiding = served(opened(tmp_path, store), exclude, as_of)
    for day in range(3, 7):
        for name, _, _ in LOG:
            store.delete_conversation(f"{name}-{day}")
            store.delete_conversation(f"{name}-{day}-more")
    update_index(tmp_path / "index", store, embedder())
    never = served(opened(tmp_path, store), None, None)
    for lists in zip(hiding, never, strict=True):
        ours, theirs = ({one.answer_id: one for one in found} for found in lists)
        assert ours and set(ours) == set(theirs)
        for answer, one in ours.items():
            assert one.evidence == theirs[answer].evidence
            columns = [np.array(found.signals)[NO_WORDS] for found in (one, theirs[answer])]
            np.testing.assert_allclose(*columns, atol=0.01)


@pytest.mark.parametrize(("dated", "as_of"), [(EVERY_DAY, ""), ((), "2025-01-03T09:00:00Z")])
def test_where_nothing_tells_what_came_later_a_conversation_sees_everything_and_is_not_placed(tmp_path, dated, as_of):
    retriever = opened(tmp_path, dated_desk(tmp_path, 2, dated))
    assert served(retriever, "new", as_of) == served(retriever, None, None)
    assert not retriever.is_placed(("new",), as_of)


@pytest.mark.parametrize(
    ("dated", "exclude", "as_of"),
    [
        (EVERY_DAY, ("new",), "2025-01-03"),
        ((), ("new", "parcel-1"), "2025-01-03"),
        ((), ("parcel-1",), ""),
        ((1,), ("new",), "2025-01-01"),
    ],
)
def test_a_conversation_is_placed_by_its_time_among_dated_pairs_and_by_its_place_among_others(
    tmp_path, dated, exclude, as_of
):
    assert opened(tmp_path, dated_desk(tmp_path, 2, dated)).is_placed(exclude, as_of)


def test_a_pair_without_a_time_may_be_later_whatever_was_imported_before_it(tmp_path):
    retriever = opened(tmp_path, dated_desk(tmp_path, 2, (1,)))
    assert not retriever.is_placed(("new",), "2025-01-03")


def test_before_everything_nothing_is_found(tmp_path):
    retriever = opened(tmp_path, dated_desk(tmp_path, 2))
    assert served(retriever, None, "2024-01-01") == [[]] * (len(LOG) + 1)


def test_moments_are_compared_across_time_zones_and_nonsense_is_no_moment():
    assert (
        moment_of("2025-01-03T10:00:00+01:00") == moment_of("2025-01-03T09:00:00Z") == moment_of("2025-01-03 09:00")
    )
    assert moment_of("yesterday") is None and moment_of("") is None and moment_of(None) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 5), st.booleans()), max_size=30))
def test_the_visible_part_is_what_links_of_it_alone_would_be(rows):
    answers, ordinals = (np.array([row[at] for row in rows], np.int64) for at in (0, 1))
    hidden = np.array([row[2] for row in rows], bool)
    pairs = np.arange(1, len(rows) + 1) * 10
    ours = Links(pairs, answers, ordinals).without(hidden)
    alone = Links(pairs[~hidden], answers[~hidden], ordinals[~hidden])
    every = np.arange(0, 8)
    assert ours.given(every).tolist() == alone.given(every).tolist()
    assert ours.sees(pairs).tolist() == (~hidden).tolist()
    assert ours.sees_answers(every).tolist() == [one in answers[~hidden] for one in every]
    assert ours.evidence(every).tolist() == alone.evidence(every).tolist()
    assert ours.answers_of(ours.pairs).tolist() == answers[~hidden].tolist()
