"""What goes into the reranker and what it hands on inside: dialogues and candidates as padded tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(slots=True)
class DialogueStates:
    """Dialogues as the reranker reads them, padded to a common length."""

    states: Tensor
    """(dialogues, tokens, width): input of the encoder's last layers."""
    turns: Tensor
    """(dialogues, tokens): how many turns ago each token was said; `EARLIER` in an earlier conversation."""
    agents: Tensor
    """(dialogues, tokens) bool: said by an agent."""
    mask: Tensor
    """(dialogues, tokens) bool: real tokens."""


@dataclass(slots=True)
class CandidateStates:
    """The candidates of one or more dialogues, each its answer and then its past question, padded alike."""

    states: Tensor
    """(candidates, tokens, width)"""
    mask: Tensor
    """(candidates, tokens) bool: real tokens."""
    is_answer: Tensor
    """(candidates, tokens) bool: tokens of the answer."""
    signals: Tensor
    """(candidates, len(SIGNALS))"""
    dialogues: Tensor
    """(candidates,): the row of the dialogue that each is a candidate for."""
    longest_answer: int | None = None
    """Tokens of the longest answer, where that is known: a GPU is waited for when it is asked."""

    @property
    def in_answer(self) -> Tensor:
        """(candidates, tokens) bool: real tokens of the answer."""
        return self.mask & self.is_answer

    @property
    def in_question(self) -> Tensor:
        """(candidates, tokens) bool: real tokens of the past question."""
        return self.mask & ~self.is_answer


@dataclass(slots=True)
class ReadStates:
    """Dialogues after their own pass through the blocks, each shared by all its candidates."""

    directions: Tensor
    """(dialogues, tokens, width): as they came in, each token brought to length 1, for comparing tokens."""
    mean: Tensor
    """(dialogues, width): mean of the tokens as they came in."""
    mask: Tensor
    """(dialogues, tokens) bool: what candidates may attend to."""
    now: Tensor
    """(dialogues, tokens) bool: what belongs to the dialogue itself, not to earlier conversations."""
    vector: Tensor
    """(dialogues, width): mean of the last states."""
    memories: list[tuple[Tensor, Tensor]]
    """Per block the keys and values that candidates attend to, each (dialogues, heads, tokens, width / heads)."""


@dataclass(slots=True)
class Judged:
    """Candidates after they were read against their dialogues, before they are weighed against each other."""

    hidden: Tensor
    """(candidates, hidden)"""
    direct: Tensor
    """(candidates,) float32: the part of the score that needs no other candidate."""

    @classmethod
    def joined(cls, parts: Sequence[Judged]) -> Judged:
        """The candidates of all parts."""
        return cls(torch.cat([part.hidden for part in parts]), torch.cat([part.direct for part in parts]))


class OwnDialogue:
    """For every candidate what was read of its own dialogue; with one dialogue all share it without a copy."""

    def __init__(self, read: ReadStates, candidates: CandidateStates) -> None:
        self._read = read
        self._dialogues = candidates.dialogues
        self.directions, self.mean = self._of(read.directions), self._of(read.mean)
        self.mask, self.now, self.vector = self._of(read.mask), self._of(read.now), self._of(read.vector)

    def memory(self, block: int) -> tuple[Tensor, Tensor]:
        """Keys and values of one block, each (candidates, heads, tokens, width / heads)."""
        keys, values = self._read.memories[block]
        return self._of(keys), self._of(values)

    def _of(self, shared: Tensor) -> Tensor:
        if shared.shape[0] == 1:
            return shared.expand(len(self._dialogues), *shared.shape[1:])
        return shared[self._dialogues]
