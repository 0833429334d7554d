"""How often a customer who begins something new is answered rightly, and what looking for such costs all others.

    python tests/benchmarks/new_topics.py HOME DESK LOG [CONVERSATIONS]

The first message of every conversation of the log is put behind another one of it, as when a customer who
was served asks something else. Right is an answer that counts as equal to the agent's (`index.equality`). Printed
with the message read only as part of the whole dialogue, and as the pipeline serves; and the same for the log's own
turns, of which none but the first begins anything.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from bot.answers import Answer
from bot.logged_turns import LoggedTurn, LoggedTurns
from bot.new_topic import alone
from bot.pipeline import Pipeline
from conversations.desk import Desk
from index.equality import AnswerEquality

SEED = 13
AT_ONCE = 32


def main() -> None:
    home, desk, log, *limit = sys.argv[1:]
    with Pipeline.open(Desk.open(Path(home), desk)) as pipeline:
        turns = [turn for batch in LoggedTurns(pipeline, [Path(log)]).batches(AT_ONCE) for turn in batch]
        wanted = set(islice(dict.fromkeys(turn.entry for turn in turns), int(limit[0]) if limit else None))
        turns = [turn for turn in turns if turn.entry in wanted]
        conversations = {turn.entry: turn.logged for turn in turns}
        generator = random.Random(SEED)
        behind = []
        for turn in turns:
            if turn.number == 1:
                other = generator.choice([entry for entry in conversations if entry != turn.entry])
                request = replace(turn.request, turns=(*conversations[other].turns, *turn.request.turns))
                behind.append(replace(turn, request=request))
        report(pipeline, "first messages behind another conversation", behind)
        report(pipeline, "first messages", [turn for turn in turns if turn.number == 1])
        report(pipeline, "later turns", [turn for turn in turns if turn.number > 1])


def report(pipeline: Pipeline, name: str, turns: Sequence[LoggedTurn]) -> None:
    right = AnswerEquality(pipeline.store.answers()).equal([turn.answer for turn in turns])
    whole, served = [], []
    for begin in range(0, len(turns), AT_ONCE):
        requests = [turn.request for turn in turns[begin : begin + AT_ONCE]]
        whole += pipeline.answer_whole(requests)
        served += pipeline.answer_many(requests)
    looked = sum(alone(turn.request, answer) is not None for turn, answer in zip(turns, whole, strict=True))
    print(f"{name}: {len(turns)}, looked at again {looked}, taken anew {sum(one.is_new_topic for one in served)}")
    for way, answers in (("as a whole", whole), ("as served", served)):
        hits = [is_right(answer, ids) for answer, ids in zip(answers, right, strict=True)]
        given = [hit for hit, answer in zip(hits, answers, strict=True) if answer.decision == "answer"]
        print(f"  {way}: first right {sum(hits) / len(hits):.3f}; answered {len(given)}, rightly {sum(given)}")


def is_right(answer: Answer, ids: frozenset[int]) -> bool:
    return bool(answer.candidates) and answer.candidates[0].answer_id in ids


if __name__ == "__main__":
    main()
