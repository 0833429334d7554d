"""The encoded answers of a data set: kept for the next call, whoever else keeps them at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from index.embedder import Embedder
from training.encoded_answers import encoded_answers

ANSWERS = [f"Lamp number {number} leaves tomorrow." for number in range(30)]


@pytest.fixture(scope="module")
def embedder():
    return Embedder()


def test_two_that_encode_the_same_at_once_both_have_it(embedder, tmp_path):
    both = Barrier(2, timeout=60)

    def encode(_):
        encoded = encoded_answers(ANSWERS, embedder, 1, tmp_path / "cache", lambda *_: both.wait())
        return encoded.vectors, [encoded.states.slices(row, 99)[0].tolist() for row in range(len(ANSWERS))]

    with ThreadPoolExecutor(2) as pool:
        (one, one_states), (other, other_states) = pool.map(encode, range(2))
    assert one.tolist() == other.tolist() and one_states == other_states
    assert len(list((tmp_path / "cache").iterdir())) == 1, "nothing is left beside"


@pytest.mark.parametrize("lost", ["vectors.npy", "answers.values.npy"])
def test_what_is_not_whole_is_made_again(embedder, tmp_path, lost):
    before = encoded_answers(ANSWERS, embedder, 1, tmp_path)
    (kept,) = tmp_path.iterdir()
    (kept / lost).unlink()
    after = encoded_answers(ANSWERS, embedder, 1, tmp_path)
    assert after.vectors.tolist() == before.vectors.tolist()
    assert len(after.states) == len(ANSWERS)
    assert list(tmp_path.iterdir()) == [kept]
