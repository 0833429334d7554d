"""Splitting by conversation: none is ever on two sides, and every run splits alike.

It goes by the id; what has several, being in the desk more than once, is split by one of them (`training.desk_data`).
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from training.datasets import Query

HELD_OUT_SHARE = 0.08
"""Share of a data set's queries that nothing is trained on."""
MOST_HELD_OUT = 2000


def share_of(conversation: str, purpose: str) -> float:
    """A number from 0 to 1 by a hash of the conversation's id: the same in every run, another for each purpose.

    >>> share_of("lw-1001", "held out") == share_of("lw-1001", "held out")
    True
    """
    digest = hashlib.sha256(f"{purpose} {conversation}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def split_queries(queries: Sequence[Query], seed: int, limit: int | None) -> tuple[list[Query], list[Query]]:
    """Training and held-out queries of a data set; without right answers a query trains nothing.

    Args:
        queries: of the training split.
        seed: of their order.
        limit: at most so many to train on.
    """
    usable = [query for query in queries if query.right]
    random.Random(seed).shuffle(usable)
    held_out = [query for query in usable if share_of(query.group, "held out") < HELD_OUT_SHARE][:MOST_HELD_OUT]
    train = [query for query in usable if share_of(query.group, "held out") >= HELD_OUT_SHARE]
    return train[:limit], held_out
