"""How many threads the suggestions get: as many as pay."""

from __future__ import annotations

import time

import pytest
import torch

from bot.threads import TRIES, use_fastest_threads


@pytest.fixture
def four_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


class Work:
    """Takes, with each number of threads, its own time."""

    def __init__(self, milliseconds):
        self.milliseconds = milliseconds
        self.used = []

    def __call__(self):
        self.used.append(torch.get_num_threads())
        time.sleep(self.milliseconds[torch.get_num_threads()] / 1000)


@pytest.mark.parametrize(
    ("milliseconds", "best"),
    [({1: 40, 2: 20, 4: 8}, 4), ({1: 40, 2: 20, 4: 30}, 2), ({1: 20, 2: 40, 4: 1}, 1), ({1: 20, 2: 19, 4: 1}, 1)],
    ids=["all", "some", "worse", "hardly better"],
)
def test_as_many_threads_as_pay(four_threads, milliseconds, best):
    work = Work(milliseconds)
    assert use_fastest_threads(work) == best
    assert torch.get_num_threads() == best
    assert work.used[0] == 4 and work.used[1 : 1 + TRIES] == [1] * TRIES


def test_never_more_than_torch_had(four_threads):
    torch.set_num_threads(1)
    assert use_fastest_threads(Work({1: 1})) == 1


def test_work_that_fails_leaves_a_number_that_works(four_threads):
    def fail():
        if torch.get_num_threads() == 2:
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        use_fastest_threads(fail)
    assert torch.get_num_threads() == 1
