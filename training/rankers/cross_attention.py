"""The trained reranker behind the ranking seam, with its states read from an index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conversations.errors import ModelError
from index.candidates import Candidate, ReadDialogue
from index.encoder_loading import default_device, default_precision
from index.states import TokenStates, gather
from training.batching import stacked
from training.rankers.base import Ranked, Ranker, in_order
from training.rankers.fixed_shape import MOST, FixedShape
from training.reranker import SIGNAL_SCALE, Reranker
from training.reranker_states import CandidateStates, DialogueStates, Judged

Floats = npt.NDArray[np.float32]
BUCKET = 17
"""Candidates of like length scored together: little is spent on padding, and a third of 50 fills a processor."""
BUCKET_OF_GPU = 256
"""On a GPU, which waits at the end of every bucket: all that is usually served at once. Of the longest answers and
dialogues so many need 0.7 GB in float32."""
TOGETHER_ON_GPU = 2_048
"""Candidates of many dialogues that a GPU weighs in one pass, of width 384 in bfloat16: these need 3 GB. Wider or
longer numbers, fewer candidates."""


class CrossAttentionRanker(Ranker):
    """Weighs all candidates of a dialogue, which it reads once, in batches of like length."""

    name = "cross-attention"

    def __init__(
        self,
        reranker: Reranker,
        answers: TokenStates,
        questions: TokenStates | None = None,
        device: str | None = None,
        precision: str | None = None,
    ) -> None:
        """Takes a copy of the reranker to its device.

        Args:
            reranker: the model; what was just trained stays as exact as it is, however low the precision here.
            answers: token states by answer id.
            questions: token states by past pair id; None where answers have no past questions.
            device: by default CUDA where there is one.
            precision: by default what the device is fastest with.
        """
        self.device = device or default_device()
        self.dtype = torch.bfloat16 if (precision or default_precision(self.device)) == "bfloat16" else torch.float32
        self.reranker = deepcopy(reranker).to(self.device, self.dtype).eval()
        self.states_below = reranker.config.blocks
        self.bucket = bucket_of(self.device)
        self._fixed = FixedShape(self.reranker, self.dtype) if self.device.startswith("cuda") else None
        self.together = _together(self.device, reranker.config.width * self.dtype.itemsize)
        self._answers = answers
        self._questions = questions

    def rank(self, context: ReadDialogue, candidates: Sequence[Candidate]) -> list[Ranked]:
        """All candidates, best first; in retrieval's order where they lack the questions that the model needs."""
        if not candidates:
            return []
        if self._is_blind:
            retrieved = np.array([candidate.retrieval_score for candidate in candidates], np.float32)
            return in_order(candidates, SIGNAL_SCALE * retrieved)
        scores = self._at_once(context, candidates)
        return in_order(candidates, self._in_buckets(context, candidates) if scores is None else scores)

    def rank_many(self, contexts: Sequence[ReadDialogue], lists: Sequence[Sequence[Candidate]]) -> list[list[Ranked]]:
        """As `rank` for each; a GPU, which one list does not fill, weighs those of many dialogues in one pass."""
        if self._is_blind or not self.together:
            return super().rank_many(contexts, lists)
        ranked: list[list[Ranked]] = [[] for _ in lists]
        for places in _filled([len(candidates) for candidates in lists], self.together):
            served = [lists[place] for place in places]
            if len(places) == 1:
                # It may be longer than what fits into one pass.
                ranked[places[0]] = self.rank(contexts[places[0]], served[0])
                continue
            scores = self._scores([contexts[place] for place in places], served)
            ends = np.cumsum([len(candidates) for candidates in served])
            for place, candidates, own in zip(places, served, np.split(scores, ends[:-1]), strict=True):
                ranked[place] = in_order(candidates, own)
        return ranked

    def _at_once(self, context: ReadDialogue, candidates: Sequence[Candidate]) -> Floats | None:
        """Scores by a single launch, on a GPU and of a list that is not too long."""
        if self._fixed is None or len(candidates) > MOST:
            return None
        with torch.inference_mode():
            scores = self._fixed.scores(self.dialogue(context), self.candidates(candidates))
        return None if scores is None else scores.numpy()

    def _in_buckets(self, context: ReadDialogue, candidates: Sequence[Candidate]) -> Floats:
        """Scores of one dialogue's candidates, those of like length together."""
        by_length = sorted(range(len(candidates)), key=lambda row: self._tokens(candidates[row]))
        scores = np.zeros(len(candidates), np.float32)
        with torch.inference_mode():
            read = self.reranker.read(self.dialogue(context))
            buckets = [by_length[begin : begin + self.bucket] for begin in range(0, len(by_length), self.bucket)]
            parts = [
                self.reranker.judge(read, self.candidates([candidates[row] for row in rows])) for rows in buckets
            ]
            one_dialogue = torch.zeros(len(candidates), dtype=torch.long, device=self.device)
            scores[by_length] = self.reranker.weigh(Judged.joined(parts), one_dialogue).cpu().numpy()
        return scores

    @property
    def _is_blind(self) -> bool:
        """Whether candidates lack the questions that the model needs."""
        return self._questions is None and self.reranker.config.needs_questions

    def _scores(self, contexts: Sequence[ReadDialogue], lists: Sequence[Sequence[Candidate]]) -> Floats:
        """Scores of the candidates of all dialogues, list after list, in one pass."""
        with torch.inference_mode():
            dialogues = dialogue_states(contexts, self.device, self.dtype)
            place = [number for number, candidates in enumerate(lists) for _ in candidates]
            candidates = self.candidates([one for candidates in lists for one in candidates], place)
            scores: Floats = self.reranker(dialogues, candidates).cpu().numpy()
        return scores

    def _tokens(self, candidate: Candidate) -> int:
        """About how many tokens an answer has, which most of the work is done on; only the order matters."""
        return min(len(candidate.text), 4 * self.reranker.config.answer_tokens)

    def dialogue(self, context: ReadDialogue) -> DialogueStates:
        """The dialogue's states on the device.

        Raises:
            ModelError: the dialogue was read without token states.
        """
        return dialogue_states([context], self.device, self.dtype)

    def candidates(self, candidates: Sequence[Candidate], dialogues: Sequence[int] | None = None) -> CandidateStates:
        """The candidates' states on the device.

        Args:
            candidates: of one or more dialogues.
            dialogues: per candidate the row of its dialogue; by default there is only one.
        """
        return candidate_states(
            self.reranker,
            self._answers,
            self._questions,
            [candidate.answer_id for candidate in candidates],
            [candidate.question_id for candidate in candidates],
            torch.tensor([candidate.signals for candidate in candidates], dtype=torch.float32),
            self.device,
            self.dtype,
            dialogues,
        )


def _filled(sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """Places of lists in groups that hold at most so many together, in their order; empty lists in none.

    >>> list(_filled([3, 0, 2, 9, 1], 5))
    [[0, 2], [3], [4]]
    """
    group: list[int] = []
    together = 0
    for place, size in enumerate(sizes):
        if group and together + size > most:
            yield group
            group, together = [], 0
        if size:
            group.append(place)
            together += size
    if group:
        yield group


def _together(device: str, token_bytes: int) -> int:
    """Candidates weighed in one pass on a device, for the bytes of one token's state; 0 for one list at a time.

    >>> _together("cpu", 768), _together("cuda", 768), _together("cuda:1", 4096)
    (0, 2048, 384)
    """
    return TOGETHER_ON_GPU * 768 // token_bytes if device.startswith("cuda") else 0


def bucket_of(device: str) -> int:
    """How many candidates are scored together on a device.

    >>> bucket_of("cpu"), bucket_of("cuda:1")
    (17, 256)
    """
    return BUCKET_OF_GPU if device.startswith("cuda") else BUCKET


def dialogue_states(contexts: Sequence[ReadDialogue], device: str, dtype: torch.dtype) -> DialogueStates:
    """What the reranker reads of dialogues: states with the speaker and recency of every token.

    Raises:
        ModelError: a dialogue was read without token states.
    """
    states = [context.states for context in contexts if context.states is not None]
    if len(states) < len(contexts):
        raise ModelError("The dialogue was read without token states.", "Read it with states_below.")
    together, mask = stacked(states)
    turns, _ = stacked([torch.tensor(context.tokens.turns) for context in contexts])
    agents, _ = stacked([torch.tensor(context.tokens.agents) for context in contexts])
    return DialogueStates(together.to(device, dtype), turns.to(device), agents.to(device), mask.to(device))


def candidate_states(
    reranker: Reranker,
    answers: TokenStates,
    questions: TokenStates | None,
    answer_ids: Sequence[int],
    question_ids: Sequence[int],
    signals: Tensor,
    device: str,
    dtype: torch.dtype,
    dialogues: Sequence[int] | None = None,
) -> CandidateStates:
    """Reads candidates from token-state files; the int8 values are unpacked on the device.

    Args:
        reranker: says how many tokens it reads.
        answers: token states by answer id.
        questions: token states by past pair id, or None.
        answer_ids: one per candidate.
        question_ids: one per candidate, negative for none.
        signals: (candidates, len(SIGNALS))
        device: where to.
        dtype: of the unpacked states.
        dialogues: per candidate the row of its dialogue; by default there is only one.
    """
    config = reranker.config
    parts = [(answers, answer_ids, config.answer_tokens)]
    if questions is not None:
        parts.append((questions, question_ids, config.question_tokens))
    values, scales, mask, part = gather(parts)
    unpacked = values.to(device).to(dtype) * scales.to(device).to(dtype)[:, :, None]
    is_answer = part == 0
    return CandidateStates(
        unpacked,
        mask.to(device),
        is_answer.to(device),
        signals.to(device),
        torch.tensor(dialogues or [0] * len(answer_ids), device=device),
        int((mask & is_answer).sum(dim=-1).max()),
    )
