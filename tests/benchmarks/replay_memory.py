"""Memory of a replay of 100,000 conversations.

    python tests/benchmarks/replay_memory.py LOG HOME DESK [CONVERSATIONS] [TURNS]

LOG is repeated under new ids, of each conversation the first TURNS turns (all by default). All is as in a replay
(reading, de-identifying, comparing with every answer of the desk, storing, the figures) but the answering itself: its
memory does not depend on how many dialogues were answered before, so the first 512 answers are given again and again.
Prints the peak memory of the process as it goes.
"""

from __future__ import annotations

import gzip
import json
import resource
import sys
import tempfile
from pathlib import Path

from bot.pipeline import Pipeline
from bot.replay import replay
from conversations.desk import Desk

REAL = 512


def repeated(log: Path, path: Path, conversations: int, turns: int | None) -> None:
    """Writes a log of so many conversations."""
    with gzip.open(log, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as out:
        for number in range(conversations):
            row = rows[number % len(rows)]
            line = row | {"id": f"{row['id']}-{number // len(rows)}", "turns": row["turns"][:turns]}
            out.write(json.dumps(line) + "\n")


def peak() -> float:
    """Gigabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main(log: str, home: str, desk: str, conversations: str = "100000", turns: str | None = None) -> None:
    """Replays and prints."""
    with tempfile.TemporaryDirectory() as work, Pipeline.open(Desk.open(Path(home), desk)) as pipeline:
        path = Path(work) / "repeated.jsonl.gz"
        repeated(Path(log), path, int(conversations), int(turns) if turns else None)
        answer_many, kept = pipeline.answer_many, []

        def answered(requests):
            if len(kept) < REAL:
                found = answer_many(requests)
                kept.extend(found)
                return found
            return [kept[place % REAL] for place in range(len(requests))]

        pipeline.answer_many = answered
        shown = 0

        def show(done, total, note):
            nonlocal shown
            if int(note.split(" ")[0].replace(",", "")) >= shown:
                shown += 20_000
                print(f"{note:28} peak {peak():.2f} GB", flush=True)

        report = replay(pipeline, [path], on_progress=show)
        print(f"{report.turns:,} turns, figures computed: peak {peak():.2f} GB")
        with pipeline.desk.replays() as replays:
            replays.delete(report.run)


if __name__ == "__main__":
    main(*sys.argv[1:])
