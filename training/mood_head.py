"""The mood head: learned queries attend over the words of one customer turn, and three classes come out.

It reads the token states that the pipeline computes for the reranker anyway, so in a chat it costs next to nothing;
the encoder stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.attention import attend
from training.batching import stacked

CLASSES = ("negative", "neutral", "positive")
BATCH = 128


@dataclass(frozen=True)
class MoodConfig:
    """Shape of a head; written beside its weights as JSON."""

    encoder: str
    """Identity of the encoder whose states it reads; it works with no other."""
    width: int
    states_below: int = 1
    """Layers of the encoder above the states that it reads."""
    heads: int = 4
    key_width: int = 32
    value_width: int = 64
    seen: tuple[str, ...] = CLASSES
    """Those of `CLASSES` that it learned; it never names another."""
    temperature: float = 1.0
    """What its logits are divided by, so that its probabilities are those of held-out messages."""


class MoodHead(nn.Module):
    """One learned query per head; see the module's docstring."""

    def __init__(self, config: MoodConfig, dropout: float = 0.1) -> None:
        super().__init__()
        self.config = config
        self.norm = nn.LayerNorm(config.width)
        self.queries = nn.Parameter(torch.randn(config.heads, 1, config.key_width) / math.sqrt(config.key_width))
        self.key = nn.Linear(config.width, config.heads * config.key_width)
        self.value = nn.Linear(config.width, config.heads * config.value_width)
        self.out = nn.Linear(config.heads * config.value_width, len(CLASSES))
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Logits (texts, classes) at the fitted temperature; minus infinity for classes that were not learned.

        Args:
            states: (texts, tokens, width), of any precision: input of the encoder's last layers.
            mask: (texts, tokens) bool: real tokens.
        """
        config = self.config
        states = self.dropout(self.norm(states.float()))
        keys = self.key(states).unflatten(-1, (config.heads, -1)).transpose(1, 2)
        values = self.value(states).unflatten(-1, (config.heads, -1)).transpose(1, 2)
        read = attend(self.queries, keys, values, mask[:, None, None, :]).flatten(1)
        logits: Tensor = self.out(self.dropout(nn.functional.gelu(read))) / config.temperature
        return logits.masked_fill(~self._seen(), -torch.inf)

    def _seen(self) -> Tensor:
        return torch.tensor([name in self.config.seen for name in CLASSES])

    @torch.inference_mode()
    def probabilities(self, states: Sequence[Tensor]) -> Tensor:
        """(texts, classes), each row summing to 1.

        Args:
            states: per text (tokens, width), at least one token.
        """
        rows = [
            self(*stacked(states[begin : begin + BATCH])).softmax(dim=-1) for begin in range(0, len(states), BATCH)
        ]
        return torch.cat(rows) if rows else torch.zeros(0, len(CLASSES))
