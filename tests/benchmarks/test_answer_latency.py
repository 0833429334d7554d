"""One answer, warm, on a desk of 50,000 pairs: milliseconds by stage, memory, and a full cross-encoder beside it.

    make bench

Prints a table; asserts only that the work was done. Machines are noisy: quote the ratio.
"""

from __future__ import annotations

import resource
import time

import numpy as np
from load_desk import load_desk, sample_turns

from bot.pipeline import Pipeline
from conversations.model import Turn
from index.candidates import read_dialogues
from index.encoder_loading import bundled_path
from training.rankers.cross_encoder import CrossEncoderRanker

PAIRS = 50_000
TURNS = 60


def questions() -> list[list[Turn]]:
    """Real dialogues of the sample's replay log, each up to a customer's turn."""
    found = []
    for turns in sample_turns("replay.jsonl"):
        said = [Turn(turn["role"], turn["text"]) for turn in turns]
        found += [said[: place + 1] for place, turn in enumerate(said) if turn.role == "customer"]
    return found


def test_one_answer_on_fifty_thousand_pairs(tmp_path):
    began = time.perf_counter()
    desk = load_desk(tmp_path, PAIRS)
    print(f"\ndesk of {PAIRS:,} pairs made in {time.perf_counter() - began:.0f} s")
    with Pipeline.open(desk) as pipeline:
        dialogues = questions()
        for turns in dialogues[:10]:
            pipeline.answer(turns)
        answers = [pipeline.answer(turns) for turns in dialogues[10 : 10 + TURNS]]
        assert all(len(answer.candidates) == 50 for answer in answers)
        for stage in ("embed", "retrieve", "rerank", "total"):
            times = np.array([answer.timings_ms[stage] for answer in answers])
            print(f"{stage:9} p50 {np.percentile(times, 50):6.1f} ms   p95 {np.percentile(times, 95):6.1f} ms")
        peer = CrossEncoderRanker(str(bundled_path()))
        ours, theirs = [], []
        for turns in dialogues[10:25]:
            (context,) = read_dialogues(pipeline.embedder, [turns], pipeline.ranker.states_below)
            (served,) = pipeline.retriever.retrieve([context])
            for ranker, waits in ((pipeline.ranker, ours), (peer, theirs)):
                started = time.perf_counter()
                assert len(ranker.rank(context, served)) == 50
                waits.append(1000 * (time.perf_counter() - started))
        ratio = np.median(np.array(theirs) / np.array(ours))
        print(f"50 candidates: cross-attention {np.median(ours):.1f} ms, cross-encoder {np.median(theirs):.1f} ms")
        print(f"ratio, turn by turn: {ratio:.1f}")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"peak memory of this process, the peer's included: {memory:.2f} GB")
