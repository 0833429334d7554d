"""How many threads suggestions are found on fastest, found out by trying.

What a machine calls two cores may be two halves of one: a second thread then takes from the screen what it gives to
the reranker. No number that the machine states tells them apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from bot.dialogue import Request
from conversations.model import Turn

TRIAL = Request((Turn("customer", "Hello, my order has not come yet, can you tell me where it is?"),))
"""A message as customers begin with."""
TRIES = 4
WORTH = 0.85
"""Twice the threads are used where the work then takes at most this part of the time."""


def use_fastest_threads(work: Callable[[], object]) -> int:
    """Lets torch use one, two, four threads and so on, as long as that pays; on the calling thread.

    Args:
        work: what is to be fast; done once, and then `TRIES` times with each number.

    Returns:
        The number from now on, at most that of before.
    """
    most = torch.get_num_threads()
    work()  # what is only done the first time is not timed
    chosen = count = 1
    fastest = float("inf")
    try:
        while count <= most:
            torch.set_num_threads(count)
            took = min(_seconds(work) for _ in range(TRIES))
            if took > WORTH * fastest:
                break
            chosen, fastest, count = count, took, 2 * count
    finally:
        torch.set_num_threads(chosen)
    return chosen


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
