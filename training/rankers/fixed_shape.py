"""One list weighed by a GPU in a single launch: a CUDA graph over tensors of one shape.

A list of 50 is little work in some sixty kernels, and the card waits for the processor to launch each of them.
Captured once and replayed, they follow one another at once; for that the tensors must always be the same ones, of the
same shape, so that what comes is copied into the longest that there can be. `tests/benchmarks/gpu.py` measures both.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from index.candidates import SIGNALS
from index.embedder import MAX_TOKENS
from training.reranker import Reranker
from training.reranker_states import CandidateStates, DialogueStates

MOST = 64
"""Candidates: what is served at once is 34 to 50."""
WARM_UP = 3
"""Passes before the capture, in which libraries choose their kernels and claim their memory."""
Forward = Callable[[], Tensor]


class FixedShape:
    """A reranker for lists of at most `MOST` candidates, over tensors of one shape; one list at a time."""

    def __init__(self, reranker: Reranker, dtype: torch.dtype) -> None:
        """Makes the tensors.

        Args:
            reranker: on its device, in the precision to compute in; its weights may not be replaced any more.
            dtype: of that precision.
        """
        config, device = reranker.config, reranker.device
        self._device = device
        tokens = config.question_tokens + config.answer_tokens

        def room(*shape: int, of: torch.dtype = torch.bool) -> Tensor:
            return torch.zeros(*shape, dtype=of, device=device)

        with torch.inference_mode():
            self._dialogue = DialogueStates(
                room(1, MAX_TOKENS, config.width, of=dtype),
                room(1, MAX_TOKENS, of=torch.long),
                room(1, MAX_TOKENS),
                room(1, MAX_TOKENS),
            )
            self._candidates = CandidateStates(
                room(MOST, tokens, config.width, of=dtype),
                room(MOST, tokens),
                room(MOST, tokens),
                room(MOST, len(SIGNALS), of=torch.float32),
                room(MOST, of=torch.long),
                config.answer_tokens,
            )
        self._as_it_is: Forward = partial(reranker, self._dialogue, self._candidates)
        self._forward: Forward | None = None
        self._one_at_a_time = threading.Lock()

    @property
    def is_captured(self) -> bool:
        """Whether a graph is replayed by now."""
        return self._forward not in (None, self._as_it_is)

    def scores(self, dialogue: DialogueStates, candidates: CandidateStates) -> Tensor | None:
        """As the reranker gives them, (candidates,) float32 on the CPU; None where that many or long do not fit.

        Args:
            dialogue: one.
            candidates: of this dialogue.
        """
        count, length = candidates.mask.shape
        if count > MOST or length > self._candidates.mask.shape[1] or dialogue.mask.shape[1] > MAX_TOKENS:
            return None
        with self._one_at_a_time:
            for target, source in (
                (self._dialogue.states, dialogue.states),
                (self._dialogue.turns, dialogue.turns),
                (self._dialogue.agents, dialogue.agents),
                (self._dialogue.mask, dialogue.mask),
                (self._candidates.states, candidates.states),
                (self._candidates.mask, candidates.mask),
                (self._candidates.is_answer, candidates.is_answer),
                (self._candidates.signals, candidates.signals),
                # What is only room belongs to no dialogue, so that no candidate looks at it.
                (self._candidates.dialogues, candidates.dialogues + 1),
            ):
                _put(source, target)
            if self._forward is None:
                self._forward = captured(self._as_it_is, self._device)
            return self._forward()[:count].cpu()


def _put(source: Tensor, target: Tensor) -> None:
    """Copies a tensor into the beginning of one that is larger, with zeros behind it."""
    target.zero_()
    target[tuple(slice(size) for size in source.shape)].copy_(source)


def captured(forward: Forward, device: str) -> Forward:
    """The same as one launch on a GPU; as it was on a processor, or where that fails or gives other scores.

    Args:
        forward: computes from tensors that stay where they are; to be called in inference mode.
        device: of these tensors.
    """
    if not device.startswith("cuda"):
        return forward
    try:
        with torch.cuda.device(device):
            expected = forward().clone()
            beside = torch.cuda.Stream()
            beside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(beside):
                for _ in range(WARM_UP):
                    forward()
            torch.cuda.current_stream().wait_stream(beside)
            graph = torch.cuda.CUDAGraph()
            # Only this thread is held to what may be captured: others go on with the card.
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                scores = forward()

        def replayed() -> Tensor:
            graph.replay()
            return scores

        # As far apart as bfloat16 may bring them: this tells scores from garbage.
        torch.testing.assert_close(replayed(), expected, rtol=0.02, atol=0.3)
    except (RuntimeError, AssertionError):
        return forward
    return replayed
