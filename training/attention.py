"""Scaled dot-product attention as pure functions: the mathematics of the reranker, without files or devices."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def attention_weights(queries: Tensor, keys: Tensor, mask: Tensor | None = None) -> Tensor:
    """How much each query looks at each key: softmax(Q K^T / sqrt(d)) over the keys.

    Vaswani et al. 2017, "Attention Is All You Need", equation 1.

    Args:
        queries: (..., queries, d)
        keys: (..., keys, d)
        mask: (..., queries or 1, keys), True where a key may be looked at.

    Returns:
        (..., queries, keys); each row sums to 1, a row without any allowed key is all zeros.

    >>> q, k = torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    >>> torch.allclose(attention_weights(q, k).sum(-1), torch.ones(2, 3))
    True
    """
    logits = queries @ keys.transpose(-1, -2) / math.sqrt(queries.shape[-1])
    if mask is None:
        return logits.softmax(dim=-1)
    weights = logits.masked_fill(~mask, -torch.inf).softmax(dim=-1)
    return torch.nan_to_num(weights, nan=0.0)


def attend(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None = None) -> Tensor:
    """The attention-weighted mean of the values: softmax(Q K^T / sqrt(d)) V, shape (..., queries, d).

    >>> q, k, v = torch.randn(2, 3, 8), torch.randn(2, 5, 8), torch.randn(2, 5, 8)
    >>> mask = torch.tensor([True, True, False, True, False]).expand(2, 3, 5)
    >>> ours = attend(q, k, v, mask)
    >>> theirs = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    >>> torch.allclose(ours, theirs, atol=1e-6)
    True
    """
    return attention_weights(queries, keys, mask) @ values


def masked_mean(states: Tensor, mask: Tensor) -> Tensor:
    """Mean over the tokens that the mask keeps: (..., tokens, width) -> (..., width); zeros where it keeps none.

    >>> masked_mean(torch.tensor([[1.0], [3.0], [9.0]]), torch.tensor([True, True, False]))
    tensor([2.])
    """
    kept = mask.unsqueeze(-1).to(states.dtype)
    return (states * kept).sum(dim=-2) / kept.sum(dim=-2).clamp(min=1.0)


def coverage(similarity: Tensor, row_mask: Tensor, column_mask: Tensor) -> Tensor:
    """Mean over the rows of the best similarity in each row: how well the columns cover the rows (MaxSim).

    Khattab and Zaharia 2020, "ColBERT", equation 3, divided by the number of rows.

    Args:
        similarity: (..., rows, columns), cosines.
        row_mask: (..., rows), True for real tokens.
        column_mask: (..., columns), True for real tokens.

    Returns:
        (...), between -1 and 1; 0 where no row or no column is real.

    >>> rows, columns = torch.tensor([True, True]), torch.tensor([True, False])
    >>> coverage(torch.tensor([[0.5, 0.9], [0.1, 0.9]]), rows, columns).round(decimals=2)
    tensor(0.3000)
    """
    best = similarity.masked_fill(~column_mask.unsqueeze(-2), -1.0).amax(dim=-1, keepdim=True)
    found = masked_mean(best, row_mask).squeeze(-1)
    return torch.where(column_mask.any(dim=-1), found, torch.zeros_like(found))
