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
from index.candidates import Candidate, ReadDialogue, read_dialogues
from index.embedder import MAX_TOKENS
from index.encoder_loading import bundled_path
from training.rankers import Ranker
from training.rankers.cross_encoder import CrossEncoderRanker

PAIRS = 50_000
TURNS = 60
MANY = 1_000
"""Candidates of the long list."""


def questions() -> list[list[Turn]]:
    """Real dialogues of the sample's replay log, each up to a customer's turn."""
    found = []
    for turns in sample_turns("replay.jsonl"):
        said = [Turn(turn["role"], turn["text"]) for turn in turns]
        found += [said[: place + 1] for place, turn in enumerate(said) if turn.role == "customer"]
    return found


def many_candidates(pipeline: Pipeline, dialogues: list[list[Turn]]) -> list[Candidate]:
    """Different answers that retrieval serves to some dialogue, each with its past question."""
    found: dict[int, Candidate] = {}
    for turns in dialogues:
        (served,) = pipeline.retriever.retrieve(read_dialogues(pipeline.embedder, [turns]))
        found |= {candidate.answer_id: candidate for candidate in served}
    assert len(found) >= MANY
    return list(found.values())[:MANY]


def milliseconds(ranker: Ranker, context: ReadDialogue, candidates: list[Candidate]) -> float:
    """What ranking them takes."""
    started = time.perf_counter()
    assert len(ranker.rank(context, candidates)) == len(candidates)
    return 1000 * (time.perf_counter() - started)


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
            assert len(served) == 50
            ours.append(milliseconds(pipeline.ranker, context, served))
            theirs.append(milliseconds(peer, context, served))
        ratio = np.median(np.array(theirs) / np.array(ours))
        print(f"50 candidates: cross-attention {np.median(ours):.1f} ms, cross-encoder {np.median(theirs):.1f} ms")
        print(f"ratio, turn by turn: {ratio:.1f}")
        read = read_dialogues(pipeline.embedder, dialogues, pipeline.ranker.states_below)
        contexts = sorted(read, key=lambda context: -len(context.tokens.ids))[:8]
        assert all(len(context.tokens.ids) == MAX_TOKENS for context in contexts)
        served = pipeline.retriever.retrieve(contexts)
        for name, lists in (("50", served), (f"{MANY:,}", [many_candidates(pipeline, dialogues)] * 5)):
            waits = [milliseconds(pipeline.ranker, *pair) for pair in zip(contexts, lists, strict=False)]
            print(f"{name} candidates, dialogue of {MAX_TOKENS} tokens: p50 {np.median(waits):.0f} ms")
        waits = [milliseconds(peer, *pair) for pair in zip(contexts, served, strict=True)]
        print(f"50 candidates, dialogue of {MAX_TOKENS} tokens, cross-encoder: p50 {np.median(waits):.0f} ms")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"peak memory of this process, the peer's included: {memory:.2f} GB")
