"""One transformer layer that reaches into a second sequence: what the reranker is made of."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class CrossAttentionBlock(nn.Module):
    """One transformer layer (post-norm, as BERT) whose keys and values reach into a second sequence."""

    def __init__(self, width: int, heads: int, feed_forward: int, layer_norm_epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, eps=layer_norm_epsilon)
        self.feed_in = nn.Linear(width, feed_forward)
        self.feed_out = nn.Linear(feed_forward, width)
        self.feed_norm = nn.LayerNorm(width, eps=layer_norm_epsilon)

    def split(self, states: Tensor) -> Tensor:
        """(..., tokens, width) -> (..., heads, tokens, width / heads)."""
        heads: Tensor = states.unflatten(-1, (self.heads, -1))
        return heads.transpose(-2, -3)

    @torch.no_grad()
    def copy_layer(self, layer: Any) -> None:  # noqa: ANN401 - of any BERT-like encoder
        """Takes over an encoder's layer; of its feed-forward units the weightiest that there is room for.

        Raises:
            AttributeError: the layer is not laid out as BERT's are.
        """
        theirs = {
            "query": layer.attention.self.query,
            "key": layer.attention.self.key,
            "value": layer.attention.self.value,
            "out": layer.attention.output.dense,
            "attention_norm": layer.attention.output.LayerNorm,
            "feed_norm": layer.output.LayerNorm,
        }
        for name, module in theirs.items():
            getattr(self, name).load_state_dict({key: value.float() for key, value in module.state_dict().items()})
        feed_in, feed_out = layer.intermediate.dense, layer.output.dense
        weight = feed_in.weight.float().norm(dim=1) * feed_out.weight.float().norm(dim=0)
        kept = weight.topk(self.feed_in.out_features).indices.sort().values
        self.feed_in.weight.copy_(feed_in.weight[kept])
        self.feed_in.bias.copy_(feed_in.bias[kept])
        self.feed_out.weight.copy_(feed_out.weight[:, kept])
        self.feed_out.bias.copy_(feed_out.bias)

    def keys_and_values(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Projections of a sequence to be attended to, each (..., heads, tokens, width / heads)."""
        return self.split(self.key(states)), self.split(self.value(states))

    def forward(
        self,
        states: Tensor,
        mask: Tensor,
        memory: tuple[Tensor, Tensor] | None = None,
        memory_mask: Tensor | None = None,
        only: int | None = None,
    ) -> Tensor:
        """Attends to itself and, where given, to the memory; then the feed-forward part.

        Args:
            states: (batch, tokens, width)
            mask: (batch, tokens) bool
            memory: keys and values of the second sequence, each (batch or 1, heads, memory tokens, width / heads)
            memory_mask: (batch or 1, memory tokens) bool
            only: update the first so many tokens and return these alone; the others are still attended to.
        """
        keys, values = self.keys_and_values(states)
        allowed = mask
        if memory is not None and memory_mask is not None:
            batch = states.shape[0]
            keys = torch.cat([keys, memory[0].expand(batch, -1, -1, -1)], dim=-2)
            values = torch.cat([values, memory[1].expand(batch, -1, -1, -1)], dim=-2)
            allowed = torch.cat([mask, memory_mask.expand(batch, -1)], dim=-1)
        states = states[:, :only]
        mixed = nn.functional.scaled_dot_product_attention(
            self.split(self.query(states)), keys, values, attn_mask=allowed[:, None, None, :]
        )
        mixed = mixed.transpose(-2, -3).flatten(-2)
        states = self.attention_norm(states + self.out(mixed))
        fed: Tensor = self.feed_norm(states + self.feed_out(nn.functional.gelu(self.feed_in(states))))
        return fed
