"""Answers that say the same stand as one: their weights add up, the best worded one is shown.

Agents word one answer in many ways. Left apart, the wordings would share the weight between them, the answer would
look doubtful just because it is given often, and the alternatives would say the same thing again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from index.equality import says_the_same
from training.rankers.base import Ranked


def merge_same(ranked: Sequence[Ranked]) -> list[Ranked]:
    """One entry per thing that is said, by falling weight; scores become the logarithms of the weights.

    A candidate joins the best earlier one that says the same by `index.equality`.
    """
    texts = [entry.candidate.text for entry in ranked]
    leaders: list[int] = []
    members: dict[int, list[int]] = {}
    for row, own in enumerate(texts):
        same = (leader for leader in leaders if says_the_same(own, texts[leader]))
        leader = next(same, row)
        if leader == row:
            leaders.append(row)
        members.setdefault(leader, []).append(row)
    merged = [_merge([ranked[row] for row in members[leader]]) for leader in leaders]
    return sorted(merged, key=lambda entry: (-entry.weight, entry.candidate.answer_id))


def _merge(entries: list[Ranked]) -> Ranked:
    weight = sum(entry.weight for entry in entries)
    evidence = tuple(moment for entry in entries for moment in entry.candidate.evidence)
    leader = replace(entries[0].candidate, evidence=evidence)
    return Ranked(leader, math.log(max(weight, 1e-30)), weight)
