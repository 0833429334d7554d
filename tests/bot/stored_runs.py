"""Stored replays with outcomes of one's choice, without any model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conversations.desk import Desk
from conversations.model import Conversation, Turn
from conversations.pairs import extract_pairs
from conversations.replay_tables import ReplayedTurn

ANSWERS = ("It takes three days.", "Send it back <b>free</b>.", "Press the [bold]button[/bold].", "Good-bye!")


def desk_with_answers(home) -> Desk:
    """A desk that knows `ANSWERS`, with the ids 1, 2, 3 and 4."""
    desk = Desk.create(home, "shop")
    with desk.store() as store:
        for number, answer in enumerate(ANSWERS):
            one = Conversation(f"past-{number}", (Turn("customer", f"question {number}"), Turn("agent", answer)))
            store.add_conversation(one, one.id, extract_pairs(one))
    return desk


def turn(position: int, rank: int, **changes) -> ReplayedTurn:
    """One turn, two to a conversation; right where its rank is 1."""
    entry = position // 2
    made = ReplayedTurn(
        position=position,
        entry=entry,
        conversation=f"c-{entry}",
        turn=1 + 2 * (position % 2),
        number=1 + position % 2,
        key=1_000 + position,
        customer=None,
        language=("en", "de")[entry % 2],
        source="chat",
        topic=("parcel", "return", "lamp")[entry % 3],
        at=None,
        week=f"2026-W{10 + entry % 4}",
        action=None,
        question=f"question {position}",
        agent_answer=f"answer {position}",
        said=1 + position % 4,
        rank=rank,
        is_known=rank > 0,
        is_right=rank == 1,
        decision=("answer", "ask", "handoff")[position % 3],
        confidence=0.9 if rank == 1 else 0.3,
        milliseconds=12.0,
        wait=20.0 + position % 7,
        in_two=None,
        copies=0,
        twins=0,
        is_placed=True,
        other_figures=False,
    )
    return replace(made, **changes)


def store_run(
    desk: Desk,
    name: str,
    turns: list[ReplayedTurn],
    ranker: str = "retrieval",
    threshold: float = 0.5,
    **settings,
) -> int:
    """A finished run of these turns."""
    with desk.replays() as replays:
        began = "2026-11-01T10:00:00.000"
        run = replays.begin(name, began, ranker, threshold, ["log.jsonl"], {"pairs": 4}, settings, name)
        replays.add(run.id, turns, 1.0, turns[-1].entry, 2)
        return replays.finish(run.id, f"2026-11-01T11:00:{run.id:02d}.000").id


def random_ranks(count: int, right: float, seed: int = 1) -> list[int]:
    """Ranks of which so many are 1."""
    drawn = np.random.default_rng(seed).random(count)
    return [1 if one < right else 3 for one in drawn]
