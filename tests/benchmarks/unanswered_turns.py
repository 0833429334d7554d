"""Turns of a customer in a row: how much of them is the question?

    python tests/benchmarks/unanswered_turns.py HOME DESK LOG [TURNS]

The customer turns of a log are asked in three ways: as they are; cut into their sentences, as somebody types who
sends each; and behind one, two or four messages of other customers of the log that nobody answered. Right is an
answer that counts as equal to the agent's (`index.equality`). Printed for limits of
`conversations.pairs.ONE_MESSAGE`.
"""

from __future__ import annotations

import random
import re
import sys
from dataclasses import replace
from pathlib import Path

from new_topics import AT_ONCE, is_right

from bot.logged_turns import LoggedTurn, LoggedTurns
from bot.pipeline import Pipeline
from conversations import pairs
from conversations.desk import Desk
from conversations.model import Turn
from index.equality import AnswerEquality

SEED = 13
LIMITS = (0, 60, 120, 180, 360, 100_000)
TALKATIVE = range(60, 300)
"""Characters of the messages that are put before."""

Dialogue = tuple[Turn, ...]


def cut(turns: Dialogue) -> Dialogue:
    """The dialogue with its last turn in sentences, each a turn."""
    sentences = re.split(r"(?<=[.?!])\s+|\n", turns[-1].text)
    return (*turns[:-1], *(Turn("customer", text) for text in sentences if text.strip()))


def behind(turns: Dialogue, said: list[str]) -> Dialogue:
    """The dialogue with something else said before its last turn."""
    return (*turns[:-1], *(Turn("customer", text) for text in said), turns[-1])


def first_right(
    pipeline: Pipeline, logged: list[LoggedTurn], right: list[frozenset[int]], dialogues: list[Dialogue], limit: int
) -> float:
    """The share of dialogues whose best answer is right."""
    pairs.ONE_MESSAGE = limit
    requests = [
        replace(turn.request, turns=pairs.as_asked(dialogue))
        for turn, dialogue in zip(logged, dialogues, strict=True)
    ]
    answers = [
        answer
        for begin in range(0, len(requests), AT_ONCE)
        for answer in pipeline.answer_many(requests[begin:][:AT_ONCE])
    ]
    return sum(is_right(answer, ids) for answer, ids in zip(answers, right, strict=True)) / len(answers)


def main() -> None:
    """Prints a row for each way of asking."""
    home, desk, log, *most = sys.argv[1:]
    generator = random.Random(SEED)
    with Pipeline.open(Desk.open(Path(home), desk)) as pipeline:
        logged = [turn for batch in LoggedTurns(pipeline, [Path(log)]).batches(AT_ONCE) for turn in batch]
        logged = logged[: int(most[0])] if most else logged
        asked = [turn.request.turns for turn in logged]
        talk = [turns[-1].text for turns in asked if len(turns[-1].text) in TALKATIVE]
        ways = {"as they are": asked, "in sentences": [cut(turns) for turns in asked]}
        for count in (1, 2, 4):
            ways[f"behind {count} others"] = [behind(turns, generator.sample(talk, count)) for turns in asked]
        right = AnswerEquality(pipeline.store.answers()).equal([turn.answer for turn in logged])
        print(f"{len(logged)} turns; limits of", *LIMITS, "bytes; first right:")
        for way, dialogues in ways.items():
            shares = [first_right(pipeline, logged, right, dialogues, limit) for limit in LIMITS]
            print(f"{way:16}", *(f"{share:.3f}" for share in shares), flush=True)


if __name__ == "__main__":
    main()
