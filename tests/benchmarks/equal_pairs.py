"""Pairs of answers that count as the same though their words differ, for reading by hand.

    python tests/benchmarks/equal_pairs.py HOME DESK LOG COUNT

Draws agents' answers from a log, each beside one of the desk's answers that `index.equality` takes for the same; no
pair of word sets twice. What was read so, and found, stands in `index.equality`.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from conversations.desk import Desk
from conversations.model import Conversation
from conversations.pairs import extract_pairs
from conversations.readers import read_log
from index.equality import AnswerEquality, words_of

SEED = 4


def main(home: str, desk: str, log: str, count: str) -> None:
    """Prints so many pairs."""
    generator = random.Random(SEED)
    with Desk.open(Path(home), desk).store() as store:
        texts = {answer.id: answer.text for answer in store.answers()}
        equality = AnswerEquality(store.answers())
    said = [
        pair.answer for one in read_log(Path(log)) if isinstance(one, Conversation) for pair in extract_pairs(one)
    ]
    generator.shuffle(said)
    seen: set[tuple[frozenset[str], frozenset[str]]] = set()
    for text, ids in zip(said, equality.equal(said), strict=True):
        others = sorted(one for one in ids if words_of(texts[one]) != words_of(text))
        if not others or len(seen) == int(count):
            continue
        other = texts[generator.choice(others)]
        if (pair := (words_of(text), words_of(other))) not in seen:
            seen.add(pair)
            print(f"{len(seen)}\n  said:  {text}\n  known: {other}")


if __name__ == "__main__":
    main(*sys.argv[1:])
