"""What shapes of the reranker are worth: its blocks, their feed-forward units, their heads, and who attends to whom.

    python tests/benchmarks/shapes.py DATA/star WORK

The first 1,100 conversations of STAR's train split are a desk; every shape begins as a copy of the encoder's own last
layers, is trained on the same 1,000 of its turns and ranks the same held-out ones. Heads are silenced after training,
the lightest first. Prints MRR, how likely its distance to the shape that ships is chance (paired randomisation over
conversations), parameters, and the time that 50 candidates take at the median. Takes about half an hour.
"""

from __future__ import annotations

import gzip
import sys
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transfer import desk_of

import index.builder
import training.desk_data
from training.attention import masked_mean
from training.desk_data import OpenDesk
from training.examples import Case, Example, examples_from
from training.judging import judge
from training.metrics import reciprocal_ranks
from training.rankers import Ranker, retrieval_ranker
from training.reranker import Reranker
from training.reranker_states import CandidateStates, DialogueStates, Judged, OwnDialogue, ReadStates
from training.reranker_training import train_reranker
from training.settings import TrainSettings
from training.signal_weights import fit_signal_weights
from training.significance import paired_p_value


class OtherDirection(Reranker):
    """The dialogue's tokens are the queries: each candidate is attended to by a copy of the whole dialogue."""

    def read(self, dialogues: DialogueStates) -> ReadStates:
        """As it is read for all candidates, with its own tokens where keys and values stand otherwise."""
        read, tokens = super().read(dialogues), self._told_apart(dialogues)
        read.memories = [(tokens, tokens)]
        return read

    def judge(self, read: ReadStates, candidates: CandidateStates, keep_retrieval: bool | Tensor = True) -> Judged:
        """As `Reranker.judge`, the dialogue's vector being that of its tokens after they saw the candidate."""
        own, block = OwnDialogue(read, candidates), self.layers[-1]
        tokens = self._attend(own, candidates, [])
        seen: Tensor = block(own.memory(0)[0], own.mask, block.keys_and_values(tokens), candidates.mask)
        answer = masked_mean(tokens, candidates.in_answer)
        question = masked_mean(tokens, candidates.in_question)
        return self._judged(own, candidates, (masked_mean(seen, own.now), answer, question), keep_retrieval)


CONVERSATIONS = 1_100
SETTINGS = TrainSettings(limit=1_000, epochs=2, loss="lambda")
SHAPES: dict[str, dict[str, Any]] = {
    "1 block, 768 of 1,536 units (ships)": {"blocks": 1},
    "1 block, all 1,536 units": {"blocks": 1, "feed_forward": 1_536},
    "1 block, 384 units": {"blocks": 1, "feed_forward": 384},
    "1 block, the dialogue attends": {"blocks": 1},
    "2 blocks, 768 units each": {"blocks": 2},
}
KINDS = {"1 block, the dialogue attends": OtherDirection}
"""Of the shapes above those that are not what ships, with their class."""
SILENCED = (3, 6, 9)


class Table:
    """Rows as they are measured; the first trained one is what the others are tested against."""

    def __init__(self) -> None:
        self._ships: list[float] | None = None
        print(f"{'':38}{'MRR':>8}{'p':>8}{'parameters':>12}{'ms':>8}")

    def add(self, name: str, ranker: Ranker, cases: Sequence[Case], parameters: int) -> None:
        ranked, waits = [], []
        for case in cases:
            started = time.perf_counter()
            ranked.append(ranker.rank(case.context, case.candidates))
            waits.append(1000 * (time.perf_counter() - started))
        groups = [case.group for case in cases]
        judged = judge(ranked, [case.right for case in cases], groups)
        own = reciprocal_ranks(judged.ranks)
        chance = "-" if self._ships is None else f"{paired_p_value(own, self._ships, groups):.4f}"
        if parameters and self._ships is None:
            self._ships = own
        print(f"{name:38}{judged.figures.mrr:8.4f}{chance:>8}{parameters:12,}{np.median(waits):8.1f}", flush=True)


def without_heads(reranker: Reranker, count: int) -> Reranker:
    """A copy whose last block has so many heads silenced: those whose values weigh least in what comes out."""
    copied = deepcopy(reranker)
    block = copied.layers[-1]
    size = block.value.out_features // block.heads
    parts = [slice(head * size, (head + 1) * size) for head in range(block.heads)]
    with torch.no_grad():
        weights = [float(block.out.weight[:, one].norm() * block.value.weight[one].norm()) for one in parts]
        for head in np.argsort(weights)[:count].tolist():
            block.out.weight[:, parts[head]] = 0.0
    return copied


def lines_of(star: Path) -> Iterator[str]:
    with gzip.open(star / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from islice(file, CONVERSATIONS)


def measure(opened: OpenDesk, shapes: dict[str, dict[str, Any]], table: Table, is_first: bool) -> None:
    """Trains and ranks with every shape that reads the states of this desk's index."""
    examples = opened.train_examples(SETTINGS, lambda _: None)
    cases = opened.held_out_cases(lambda _: None)
    held_out: list[Example] = examples_from(cases, opened.source)
    if is_first:
        table.add("retrieval", retrieval_ranker(), cases, 0)
    for name, sizes in shapes.items():
        reranker = KINDS.get(name, Reranker).from_encoder(
            opened.embedder.transformer,
            opened.embedder.identity,
            seed=SETTINGS.seed,
            needs_questions=True,
            looks_back=True,
            **sizes,
        )
        fit_signal_weights(reranker, examples)
        train_reranker(reranker, examples, held_out, SETTINGS.for_reranker())
        parameters = sum(one.numel() for one in reranker.parameters())
        table.add(name, opened.ranker(reranker), cases, parameters)
        if "ships" in name:
            for count in SILENCED:
                table.add(
                    f"{count} of its 12 heads silenced",
                    opened.ranker(without_heads(reranker, count)),
                    cases,
                    parameters,
                )


def main(star: str, work: str) -> None:
    """Prints the table."""
    table = Table()
    for blocks in (1, 2):
        # Token states are kept from below the blocks: another number of them needs another index.
        index.builder.STATES_BELOW = training.desk_data.STATES_BELOW = blocks
        directory = Path(work) / f"below-{blocks}"
        directory.mkdir(parents=True)
        desk = desk_of(directory, "star1k", lines_of(Path(star)))
        with desk.writing():
            opened = OpenDesk.open(desk)
            try:
                own = {name: sizes for name, sizes in SHAPES.items() if sizes["blocks"] == blocks}
                measure(opened, own, table, is_first=blocks == 1)
            finally:
                opened.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
