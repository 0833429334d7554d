"""Turns replayed a second: batched, one at a time, and with a full CrossEncoder in the reranker's place.

    python tests/benchmarks/replay_throughput.py LOG HOME DESK [TURNS] [PEER_TURNS]

The peer is the same pipeline, asked one turn at a time, its reranker a sentence-transformers CrossEncoder on the
bundled encoder (its head untrained, which costs the same). Seconds are the processor's, so that other programs on
the machine count less (by the wall where there is a GPU, which is waited for); say OMP_NUM_THREADS=1 for one core.
Turns are taken in blocks, the ways in turn, so that all see the same load. Prints turns a second, the ratio, and
how often batched and single answers differ.
"""

from __future__ import annotations

import sys
import time
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from bot.dialogue import Request
from bot.logged_turns import LoggedTurns
from bot.pipeline import Pipeline
from conversations.desk import Desk
from index.encoder_loading import bundled_path
from training.rankers.cross_encoder import CrossEncoderRanker

BATCH = 64
BLOCKS = 4


def seconds_of(pipeline: Pipeline, batches: list[list[Request]]) -> tuple[float, list]:
    """What answering took, and the answers."""
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    started = clock()
    answers = list(chain.from_iterable(pipeline.answer_many(batch) for batch in batches))
    return clock() - started, answers


def main(log: str, home: str, desk: str, turns: str = "320", peer_turns: str = "48") -> None:
    """Prints the figures."""
    with Pipeline.open(Desk.open(Path(home), desk)) as ours, Pipeline.open(Desk.open(Path(home), desk)) as peer:
        peer.ranker = CrossEncoderRanker(str(bundled_path()))
        batches = LoggedTurns(ours, [Path(log)]).batches(BATCH, int(turns) + BATCH)
        warm, *requests = [[turn.request for turn in batch] for batch in batches]
        for pipeline in (ours, peer):
            seconds_of(pipeline, [warm[:4]])
        spent = {"batched": [], "one at a time": [], "cross-encoder": []}
        differing, off = 0, []
        for block in np.array_split(np.arange(len(requests)), BLOCKS):
            batched = [requests[place] for place in block]
            singles = [[one] for batch in batched for one in batch]
            seconds, together = seconds_of(ours, batched)
            spent["batched"].append(seconds / len(singles))
            seconds, alone = seconds_of(ours, singles)
            spent["one at a time"].append(seconds / len(singles))
            asked = singles[:: max(1, len(singles) * BLOCKS // int(peer_turns))]
            spent["cross-encoder"].append(seconds_of(peer, asked)[0] / len(asked))
            differing += sum(
                one.candidates[0].answer_id != other.candidates[0].answer_id
                for one, other in zip(together, alone, strict=True)
            )
            off += [abs(one.confidence - other.confidence) for one, other in zip(together, alone, strict=True)]
        for name, seconds in spent.items():
            print(f"{name:14} {1 / np.mean(seconds):6.1f} turns/s   {1000 * np.mean(seconds):6.1f} ms a turn")
        ratios = np.array(spent["cross-encoder"]) / np.array(spent["batched"])
        print(f"batched against the cross-encoder: {np.median(ratios):.1f} times (blocks: {np.round(ratios, 1)})")
        print(f"another first answer than one at a time: {differing} of {len(off)}; confidence off by {max(off):.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
