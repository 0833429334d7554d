"""What a GPU makes of the reranker: candidates a second, shares of the card's ceilings, and what graphs would save.

    python tests/benchmarks/gpu.py

The ceilings are measured first: a copy within the card's memory, bytes read and written counted, and a bfloat16
matrix product. Then what a caller waits for, from token states on disk to a list in order, beside a full CrossEncoder
of the same backbone and precision on the same candidates. Then the reranker alone, its states on the card: as it is,
as a CUDA graph, and compiled; of one dialogue, and of many at once. Medians; operations are counted by torch.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from conversations.model import Turn
from index.candidates import SIGNALS, Candidate, read_dialogues
from index.embedder import MAX_TOKENS, Embedder
from index.encoder_loading import bundled_path
from index.states import TokenStates, write_segment
from training.rankers import Ranker
from training.rankers.cross_attention import CrossAttentionRanker
from training.rankers.cross_encoder import CrossEncoderRanker
from training.rankers.fixed_shape import Forward, captured
from training.reranker import Reranker
from training.reranker_states import CandidateStates, DialogueStates

STORED = 4_000
"""Answers and questions on disk."""
MANY = 2_000
WORDS = (
    "order",
    "parcel",
    "refund",
    "account",
    "card",
    "late",
    "broken",
    "invoice",
    "address",
    "my",
    "the",
    "please",
)


def median_ms(work: Callable[[], object], times: int = 30) -> float:
    """Median time of some work on the card, by its own clock, after a warm-up."""
    for _ in range(5):
        work()
    waits = []
    for _ in range(times):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        work()
        end.record()
        torch.cuda.synchronize()
        waits.append(begin.elapsed_time(end))
    return statistics.median(waits)


def ceilings() -> tuple[float, float]:
    """Bytes a second of a copy, and operations a second of a matrix product, both measured."""
    source = torch.randint(0, 255, (1 << 31,), dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    copied = 2 * source.numel() / median_ms(lambda: target.copy_(source)) * 1000
    left, right = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    multiplied = 2 * 8192**3 / median_ms(lambda: left @ right) * 1000
    print(f"ceilings: copy {copied / 1e12:.2f} TB/s, bfloat16 matrix product {multiplied / 1e12:.0f} TFLOP/s")
    return copied, multiplied


def inputs(reranker: Reranker, dialogues: int, each: int) -> tuple[DialogueStates, CandidateStates]:
    """Full dialogues, and full candidates of each, on the card."""
    config = reranker.config
    shape = {"device": "cuda", "dtype": torch.bfloat16}
    tokens, count = config.question_tokens + config.answer_tokens, dialogues * each
    is_answer = torch.arange(tokens, device="cuda").expand(count, -1) < config.answer_tokens
    return (
        DialogueStates(
            torch.randn(dialogues, MAX_TOKENS, config.width, **shape),
            torch.zeros(dialogues, MAX_TOKENS, dtype=torch.long, device="cuda"),
            torch.zeros(dialogues, MAX_TOKENS, dtype=torch.bool, device="cuda"),
            torch.ones(dialogues, MAX_TOKENS, dtype=torch.bool, device="cuda"),
        ),
        CandidateStates(
            torch.randn(count, tokens, config.width, **shape),
            torch.ones(count, tokens, dtype=torch.bool, device="cuda"),
            is_answer,
            torch.rand(count, len(SIGNALS), device="cuda"),
            torch.arange(dialogues, device="cuda").repeat_interleave(each),
            config.answer_tokens,
        ),
    )


def compiled(reranker: Reranker, given: tuple[DialogueStates, CandidateStates]) -> Forward:
    """The same through torch.compile, for this one shape."""
    made: Any = torch.compile(reranker, dynamic=False)
    return lambda: made(*given)


def alone(reranker: Reranker, copied: float, multiplied: float) -> None:
    """The reranker with everything on the card already."""
    print(f"{'reranker alone':32}{'ms':>9}{'candidates/s':>14}{'of product':>12}{'of copy':>10}")
    for dialogues, each in ((1, 50), (1, 1_000), (64, 50), (256, 50)):
        given = inputs(reranker, dialogues, each)
        read = given[0].states.numel() + given[1].states.numel()
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            expected = reranker(*given)
        as_it_is = partial(reranker, *given)
        ways: dict[str, Callable[[], Forward]] = {"as it is": lambda own=as_it_is: own}
        if each == 50 and dialogues < 256:
            ways |= {
                "CUDA graph": partial(captured, as_it_is, "cuda"),
                "compiled": partial(compiled, reranker, given),
            }
        for name, way in ways.items():
            with torch.inference_mode():
                try:
                    forward = way()
                    torch.testing.assert_close(forward(), expected, rtol=0.02, atol=0.3)
                    ms = median_ms(forward)
                except Exception as error:
                    # A way that does not work here is a row as well.
                    print(f"{dialogues} x {each}, {name}: {' '.join(str(error).split())[:160]}", flush=True)
                    continue
            of_product = counter.get_total_flops() / ms * 1000 / multiplied
            of_copy = 2 * read / ms * 1000 / copied
            row, rate = f"{dialogues} x {each:,}, {name}", 1000 * dialogues * each / ms
            print(f"{row:32}{ms:9.3f}{rate:14,.0f}{of_product:12.1%}{of_copy:10.1%}", flush=True)


def stored(directory: Path, stem: str, embedder: Embedder, tokens: int) -> TokenStates:
    """Token states of made-up texts of this length, on disk."""
    ids = np.arange(STORED)
    generator = torch.Generator().manual_seed(1)
    states = (torch.randn(tokens, embedder.dimension, generator=generator) for _ in ids)
    write_segment(directory, stem, ids, [tokens] * STORED, states, embedder.dimension)
    return TokenStates(directory, [stem])


def waited(ranker: Ranker, context: Any, lists: Sequence[list[Candidate]]) -> float:
    """Median wait for one list, in milliseconds by the wall clock."""
    waits = []
    for candidates in lists:
        began = time.perf_counter()
        assert len(ranker.rank_many([context], [candidates])[0]) == len(candidates)
        waits.append(1000 * (time.perf_counter() - began))
    return statistics.median(waits[len(waits) // 3 :])


def served(embedder: Embedder, reranker: Reranker) -> None:
    """What a caller waits for."""
    generator = np.random.default_rng(1)
    sentence = lambda words: " ".join(generator.choice(WORDS, words))  # noqa: E731
    with tempfile.TemporaryDirectory() as scratch:
        answers = stored(Path(scratch), "answers", embedder, reranker.config.answer_tokens)
        questions = stored(Path(scratch), "questions", embedder, reranker.config.question_tokens)
        ranker = CrossAttentionRanker(reranker, answers, questions)
        turns = tuple(Turn("customer" if n % 2 == 0 else "agent", sentence(30)) for n in range(6))
        began = time.perf_counter()
        for _ in range(20):
            (context,) = read_dialogues(embedder, [turns], ranker.states_below)
        print(f"reading one dialogue: {1000 * (time.perf_counter() - began) / 20:.1f} ms")
        began = time.perf_counter()
        read_dialogues(embedder, [turns] * MANY, ranker.states_below)
        print(f"reading {MANY:,} dialogues together: {MANY / (time.perf_counter() - began):,.0f} a second")

        def candidates(count: int) -> list[Candidate]:
            rows = generator.choice(STORED, count, replace=False)
            signals = tuple(generator.random(len(SIGNALS)).tolist())
            return [
                Candidate(int(row), sentence(50), signals, 0.5, question_id=int(row), question=sentence(15))
                for row in rows
            ]

        plain = CrossAttentionRanker(reranker, answers, questions)
        plain._fixed = None
        peer = CrossEncoderRanker(str(bundled_path()))
        for count in (50, 100, 1_000):
            lists = [candidates(count) for _ in range(30)]
            ours, theirs = waited(ranker, context, lists), waited(peer, context, lists[:12])
            without = waited(plain, context, lists)
            print(
                f"{count:,} candidates from disk to an ordered list: {ours:.1f} ms; without a graph {without:.1f}; "
                f"CrossEncoder {theirs:.1f}, {theirs / ours:.1f} times"
            )


def main() -> None:
    """Prints the tables."""
    if not torch.cuda.is_available():
        sys.exit("There is no GPU here.")
    print(torch.cuda.get_device_name(), "torch", torch.__version__)
    embedder = Embedder()
    copied, multiplied = ceilings()
    reranker = Reranker.from_encoder(embedder.transformer, embedder.identity).to("cuda", torch.bfloat16).eval()
    torch.nn.init.normal_(reranker.score_out.weight, std=0.05)
    served(embedder, reranker)
    alone(reranker, copied, multiplied)
    print(f"peak of the card's memory: {torch.cuda.max_memory_allocated() / 1e9:.1f} GB")


if __name__ == "__main__":
    main()
