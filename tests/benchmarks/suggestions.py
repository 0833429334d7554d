"""How often is the right answer among the three suggestions: chosen to differ, or plainly the best three?

    python tests/benchmarks/suggestions.py HOME DESK LOG [TURNS]

Takes so many agent turns of a log at random (all by default), finds suggestions for each as `attendant assist` does
while the customer writes and after, and prints the share of turns in which one of the three says what the agent said
(`index.equality`), how like the two most alike of the three are (cosine, mean over turns), and how often the first,
second and third are right beside how likely they were said to be.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np

from bot.logged_turns import LoggedTurns
from bot.pipeline import Pipeline
from bot.suggestions import DRAFT, SHOWN, suggest
from conversations.desk import Desk
from index.equality import AnswerEquality

SEED = 5


def closest(vectors: np.ndarray) -> float:
    """The largest cosine between two of these."""
    likeness = vectors @ vectors.T - 2 * np.eye(len(vectors))
    return float(likeness.max()) if len(vectors) > 1 else 0.0


def main(home: str, desk: str, log: str, limit: str = "0") -> None:
    """Prints the table."""
    with Pipeline.open(Desk.open(Path(home), desk)) as pipeline:
        equality = AnswerEquality(pipeline.store.answers())
        turns = [turn for batch in LoggedTurns(pipeline, [Path(log)]).batches(64) for turn in batch]
        if int(limit):
            turns = random.Random(SEED).sample(turns, min(int(limit), len(turns)))
        vectors_of = pipeline.retriever.views["answers"].vectors_of
        print(f"{len(turns)} turns")
        for count in (None, DRAFT, DRAFT // 2):
            found = {"three that differ": [], "the best three": []}
            chances, hits = [], []
            for turn in turns:
                (right,) = equality.equal([turn.answer])
                *_, suggestions = suggest(pipeline, turn.request, count)
                best = suggestions.answer.candidates[:SHOWN]
                chosen = [one.answer for one in suggestions.best]
                for name, answers in (("three that differ", chosen), ("the best three", best)):
                    ids = [one.answer_id for one in answers]
                    found[name].append((bool(right & set(ids)), closest(vectors_of(np.array(ids, np.int64)))))
                if len(best) == SHOWN:
                    chances.append([suggestions.answer.chance(one) for one in best])
                    hits.append([one.answer_id in right for one in best])
            for name, rows in found.items():
                share, likeness = np.mean(rows, axis=0)
                print(
                    f"{count or 'all':>4} candidates, {name:18} right among them {share:.4f}  likeness {likeness:.3f}"
                )
            said, was = np.mean(chances, axis=0), np.mean(hits, axis=0)
            pairs = (f"{one:.3f} / {other:.3f}" for one, other in zip(said, was, strict=True))
            print(f"{count or 'all':>4} candidates, said / right by place: {', '.join(pairs)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
