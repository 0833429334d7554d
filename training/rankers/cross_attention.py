"""The trained reranker behind the ranking seam, with its states read from an index."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor

from conversations.errors import ModelError
from index.candidates import Candidate, ReadDialogue
from index.encoder_loading import default_device, default_precision
from index.states import TokenStates, gather
from training.rankers.base import Ranked, in_order
from training.reranker import SIGNAL_SCALE, Reranker
from training.reranker_states import CandidateStates, DialogueStates, Judged

BUCKET = 17
"""Candidates of like length scored together: little is spent on padding, and a third of 50 fills a processor."""
BUCKET_OF_GPU = 256
"""On a GPU, which waits at the end of every bucket: all that is usually served at once. Of the longest answers and
dialogues so many need 0.7 GB in float32."""


class CrossAttentionRanker:
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
        self._answers = answers
        self._questions = questions

    def rank(self, context: ReadDialogue, candidates: Sequence[Candidate]) -> list[Ranked]:
        """All candidates, best first; in retrieval's order where they lack the questions that the model needs."""
        if not candidates:
            return []
        if self._questions is None and self.reranker.config.needs_questions:
            retrieved = np.array([candidate.retrieval_score for candidate in candidates], np.float32)
            return in_order(candidates, SIGNAL_SCALE * retrieved)
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
        return in_order(candidates, scores)

    def _tokens(self, candidate: Candidate) -> int:
        """About how many tokens an answer has, which most of the work is done on; only the order matters."""
        return min(len(candidate.text), 4 * self.reranker.config.answer_tokens)

    def dialogue(self, context: ReadDialogue) -> DialogueStates:
        """The dialogue's states on the device.

        Raises:
            ModelError: the dialogue was read without token states.
        """
        if context.states is None:
            raise ModelError("The dialogue was read without token states.", "Read it with states_below.")
        return dialogue_states(context, context.states, self.device, self.dtype)

    def candidates(self, candidates: Sequence[Candidate]) -> CandidateStates:
        """The candidates' states on the device."""
        return candidate_states(
            self.reranker,
            self._answers,
            self._questions,
            [candidate.answer_id for candidate in candidates],
            [candidate.question_id for candidate in candidates],
            torch.tensor([candidate.signals for candidate in candidates], dtype=torch.float32),
            self.device,
            self.dtype,
        )


def bucket_of(device: str) -> int:
    """How many candidates are scored together on a device.

    >>> bucket_of("cpu"), bucket_of("cuda:1")
    (17, 256)
    """
    return BUCKET_OF_GPU if device.startswith("cuda") else BUCKET


def dialogue_states(context: ReadDialogue, states: Tensor, device: str, dtype: torch.dtype) -> DialogueStates:
    """What the reranker reads of one dialogue: states with the speaker and recency of every token."""
    return DialogueStates(
        states=states.to(device, dtype)[None],
        turns=torch.tensor([context.tokens.turns], device=device),
        agents=torch.tensor([context.tokens.agents], device=device),
        mask=torch.ones(1, len(context.tokens.turns), dtype=torch.bool, device=device),
    )


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
