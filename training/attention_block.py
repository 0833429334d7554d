"""One transformer layer that reaches into a second sequence: what the reranker is made of."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from training.attention import attend, attention_weights


class CrossAttentionBlock(nn.Module):
    """One transformer layer (post-norm, as BERT) whose keys and values reach into a second sequence."""

    def __init__(self, width: int, heads: int, feed_forward: int, layer_norm_epsilon: float) -> None:
        super().__init__()
        self.heads = _sharing(width, heads)
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
            memory: keys and values of the second sequence, each (batch, heads, memory tokens, width / heads)
            memory_mask: (batch, memory tokens) bool
            only: update the first so many tokens and return these alone; the others are still attended to.
        """
        keys, values, allowed = self._looked_at(states, mask, memory, memory_mask)
        states = states[:, :only]
        mixed = _attention(self.split(self.query(states)), keys, values, allowed)
        mixed = mixed.transpose(-2, -3).flatten(-2)
        states = self.attention_norm(states + self.out(mixed))
        fed: Tensor = self.feed_norm(states + self.feed_out(nn.functional.gelu(self.feed_in(states))))
        return fed

    def weights(
        self,
        states: Tensor,
        mask: Tensor,
        memory: tuple[Tensor, Tensor],
        memory_mask: Tensor,
        only: int | None = None,
    ) -> Tensor:
        """How much each token looks at each of its own sequence and then of the memory; the arguments of `forward`.

        Returns:
            (batch, heads, tokens, own tokens + memory tokens); each row sums to 1.
        """
        keys, _, allowed = self._looked_at(states, mask, memory, memory_mask)
        return attention_weights(self.split(self.query(states[:, :only])), keys, allowed)

    def _looked_at(
        self, states: Tensor, mask: Tensor, memory: tuple[Tensor, Tensor] | None, memory_mask: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Keys and values of a sequence and the memory behind it, and which of them may be attended to."""
        keys, values = self.keys_and_values(states)
        if memory is not None and memory_mask is not None:
            keys, values = torch.cat([keys, memory[0]], dim=-2), torch.cat([values, memory[1]], dim=-2)
            mask = torch.cat([mask, memory_mask], dim=-1)
        return keys, values, mask[:, None, None, :]


class ListwiseAttention(nn.Module):
    """Lets the candidates of a dialogue look at each other: a residual that starts at zero.

    Self-attention over the list as in Pobrotyn et al. 2020, "Context-Aware Learning to Rank with Self-Attention"; no
    positions are added, so the order in which candidates are given plays no part.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = _sharing(width, heads)
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, hidden: Tensor, dialogues: Tensor) -> Tensor:
        """(candidates, width) -> the same shape; only candidates of the same dialogue are looked at.

        Args:
            hidden: (candidates, width)
            dialogues: (candidates,): the dialogue of each.
        """
        projected = self.project(self.norm(hidden)).chunk(3, dim=-1)
        queries, keys, values = (part.unflatten(-1, (self.heads, -1)).transpose(0, 1) for part in projected)
        mixed = attend(queries, keys, values, dialogues[:, None] == dialogues[None, :])
        looked: Tensor = self.out(mixed.transpose(0, 1).flatten(-2).to(hidden.dtype))
        return hidden + looked


def _sharing(width: int, heads: int) -> int:
    """The heads, where they share a width evenly; otherwise a ValueError, before anything is ranked."""
    if heads < 1 or width % heads:
        raise ValueError(f"{heads} heads cannot share a width of {width} evenly")
    return heads


def _attention(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    """Scaled dot-product attention; for a gradient on a CPU without the fused kernel, which is slow at it."""
    if torch.is_grad_enabled() and queries.device.type == "cpu":
        with sdpa_kernel(SDPBackend.MATH):
            return nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    return nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
