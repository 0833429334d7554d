"""Answers that say the same stand as one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.candidates import Candidate, Evidence
from training.rankers.base import in_order
from training.rankers.merging import merge_same


def ranked(*entries):
    candidates = [
        Candidate(number, text, (0.0,) * 6, 0.0, evidence=(Evidence(f"c{number}", 1),))
        for number, (text, _) in enumerate(entries)
    ]
    return in_order(candidates, np.array([score for _, score in entries]))


def test_wordings_of_one_answer_add_up_and_can_win_together():
    merged = merge_same(
        ranked(
            ("Please use the free label in your account.", 1.0),
            ("Refunds take five days.", 1.5),
            ("Please use the free label in your account, thanks.", 0.9),
        )
    )
    assert [entry.candidate.answer_id for entry in merged] == [0, 1]
    assert [evidence.conversation for evidence in merged[0].candidate.evidence] == ["c0", "c2"]
    assert sum(entry.weight for entry in merged) == pytest.approx(1.0)
    assert merged[0].weight > merged[1].weight


def test_an_answer_does_not_lend_its_opposite_its_weight():
    said = "you can return sale items within 30 days if they are unopened."
    merged = merge_same(ranked((f"Yes, {said}", 0.1), (f"No, {said.replace('can', 'cannot')}", 0.0)))
    assert len(merged) == 2 and merged[0].weight < 0.6


def test_what_differs_stays_apart():
    merged = merge_same(ranked(("It takes five days.", 0.0), ("The lamp is broken.", 0.0), ("Hello!", 0.0)))
    assert len(merged) == 3
    assert merge_same([]) == []


@given(st.lists(st.tuples(st.text("ab c", max_size=12), st.floats(-5, 5)), max_size=12))
def test_weights_still_sum_to_one_and_fall(entries):
    merged = merge_same(ranked(*entries))
    weights = [entry.weight for entry in merged]
    assert weights == sorted(weights, reverse=True)
    assert sum(weights) == pytest.approx(1.0 if entries else 0.0)
    assert [np.exp(entry.score) for entry in merged] == pytest.approx(weights)
