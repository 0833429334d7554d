"""What a reranker's scores are trained for: four losses over lists of candidates.

All take lists padded to a common length, `logits` (lists, candidates) with -inf where there is no candidate, and give
one loss for each list: (lists,).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

FAR_BELOW = -1e4
"""Stands for -inf where a difference or a product of scores is taken."""


def listwise_softmax(logits: Tensor, right: Tensor) -> Tensor:
    """-log(softmax mass on the right candidates), Cao et al. 2007 ("ListNet", top one).

    >>> listwise_softmax(torch.zeros(1, 4), torch.tensor([[True, True, False, False]]))
    tensor([0.6931])
    """
    log_mass = torch.logsumexp(logits.masked_fill(~right, -torch.inf), dim=-1)
    return torch.logsumexp(logits, dim=-1) - log_mass


def lambda_loss(logits: Tensor, right: Tensor) -> Tensor:
    """Pairwise logistic loss, each pair weighted by how much MRR its exchange would change.

    Burges 2010 ("LambdaMART") with the reciprocal rank as gain, in the form of Wang et al. 2018, "The LambdaLoss
    Framework": sum over right i and wrong j of |1/rank_i - 1/rank_j| log2(1 + exp(s_j - s_i)).

    >>> good = lambda_loss(torch.tensor([[4.0, 0.0, 0.0]]), torch.tensor([[True, False, False]]))
    >>> bad = lambda_loss(torch.tensor([[0.0, 4.0, 0.0]]), torch.tensor([[True, False, False]]))
    >>> bool(good < bad)
    True
    """
    real = torch.isfinite(logits)
    scores = logits.masked_fill(~real, FAR_BELOW)
    ranks = 1.0 + scores.detach().argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)
    change = (1.0 / ranks[:, :, None] - 1.0 / ranks[:, None, :]).abs()
    pairs = right[:, :, None] & (real & ~right)[:, None, :]
    # Infinite differences are masked before, not after: their gradient would not be a number.
    apart = (scores[:, :, None] - scores[:, None, :]).masked_fill(~pairs, 0.0)
    loss = torch.nn.functional.softplus(-apart) / torch.log(torch.tensor(2.0))
    return (loss * change * pairs).sum(dim=(-1, -2))


def kl_distillation(logits: Tensor, teacher: Tensor) -> Tensor:
    """KL(softmax(teacher) || softmax(logits)), Hinton et al. 2015.

    >>> kl_distillation(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 2.0]]))
    tensor([0.])
    """
    wanted = teacher.softmax(dim=-1)
    said = logits.log_softmax(dim=-1).masked_fill(~torch.isfinite(logits), 0.0)
    known = teacher.log_softmax(dim=-1).masked_fill(~torch.isfinite(teacher), 0.0)
    return (wanted * (known - said)).sum(dim=-1)


def margin_mse(logits: Tensor, teacher: Tensor, right: Tensor) -> Tensor:
    """Squared difference of the margins between right and wrong candidates, student's and teacher's.

    Hofstaetter et al. 2020, "Improving Efficient Neural Ranking Models with Cross-Architecture Knowledge
    Distillation".

    >>> scores, right = torch.tensor([[3.0, 1.0]]), torch.tensor([[True, False]])
    >>> margin_mse(scores, scores + 5.0, right)
    tensor([0.])
    """
    real = torch.isfinite(logits)
    pairs = right[:, :, None] & (real & ~right)[:, None, :]
    student, wanted = (x.masked_fill(~real, 0.0) for x in (logits, teacher))
    gap = (student[:, :, None] - student[:, None, :]) - (wanted[:, :, None] - wanted[:, None, :])
    return (gap.square() * pairs).sum(dim=(-1, -2)) / pairs.sum(dim=(-1, -2)).clamp(min=1)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"listwise": listwise_softmax, "lambda": lambda_loss}
"""From right answers alone, by the names that `attendant train --loss` takes."""
DISTILLATIONS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "kl": lambda logits, teacher, right: kl_distillation(logits, teacher),
    "margin-mse": margin_mse,
}
"""From a teacher's scores, by the names that `attendant train --distillation` takes."""


def padded(flat: Tensor, lists: Tensor, count: int) -> Tensor:
    """Scores of all candidates, list after list, as a matrix with -inf where a list has no more.

    Args:
        flat: (candidates,)
        lists: (candidates,): the list of each, ascending.
        count: lists.

    >>> padded(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0, 0, 1]), 2)
    tensor([[1., 2.],
            [3., -inf]])
    """
    sizes = torch.bincount(lists, minlength=count)
    starts = sizes.cumsum(0) - sizes
    places = torch.arange(len(flat), device=flat.device) - starts[lists]
    matrix = flat.new_full((count, int(sizes.max())), -torch.inf)
    return matrix.index_put((lists, places), flat)
