"""Training in several processes, as `torchrun` starts them, with the result that one process would have.

Every process draws the same batch and the same augmentation, works on its own share of the rows, and the gradients
are averaged before each step. Without torchrun there is one process and nothing here does anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

Row = TypeVar("Row")
PATIENCE = timedelta(hours=2)
"""The others wait so long while the first process writes an index."""


@contextmanager
def joined() -> Iterator[None]:
    """Joins the processes of one torchrun for the time being; elsewhere nothing happens."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or "RANK" not in os.environ:
        yield
        return
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    try:
        yield
    finally:
        dist.destroy_process_group()


def processes() -> int:
    """How many train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first() -> bool:
    """Whether this process is the one that writes and reports."""
    return not dist.is_initialized() or dist.get_rank() == 0


def wait() -> None:
    """Until all processes have come here."""
    if dist.is_initialized():
        dist.barrier()


def own_share(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows that this process works on: every one of them is some process's."""
    return rows[dist.get_rank() :: dist.get_world_size()] if dist.is_initialized() else rows


def part_of_mean(own: Tensor, rows: int) -> Tensor:
    """This process's part of a mean over all rows, such that the average over processes is that mean.

    Args:
        own: the losses of the own rows, any number.
        rows: of all processes together.
    """
    return own.sum() * processes() / rows


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Makes every process's gradients the mean of all; called after the backward pass."""
    if processes() == 1:
        return
    for parameter in parameters:
        if parameter.grad is None:
            # A process without rows in this step still takes part.
            parameter.grad = torch.zeros_like(parameter)
        dist.all_reduce(parameter.grad)
        parameter.grad /= processes()


def mean_of(number: float, device: str) -> float:
    """The mean over all processes of a number that each has."""
    if processes() == 1:
        return number
    everybody = torch.tensor(number, dtype=torch.float64, device=device)
    dist.all_reduce(everybody)
    return float(everybody) / processes()


def gathered(own: Tensor, rows: int) -> Tensor:
    """The rows of all processes, each having encoded its `own_share`, in their common order.

    Args:
        own: (own rows, width)
        rows: of all processes together.
    """
    if processes() == 1:
        return own
    joint: Tensor = _Gather.apply(own, rows)  # type: ignore[no-untyped-call]
    return joint


class _Gather(torch.autograd.Function):
    """All processes' rows; backwards, the sum of what every process found for this one's."""

    @staticmethod
    def forward(context: Any, own: Tensor, rows: int) -> Tensor:  # noqa: ANN401 - torch's own interface
        """(own rows, width) -> (rows, width)."""
        joint = own.new_zeros(rows, own.shape[1])
        joint[dist.get_rank() :: dist.get_world_size()] = own
        dist.all_reduce(joint)
        return joint

    @staticmethod
    def backward(context: Any, joint: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        """(rows, width) -> (own rows, width)."""
        summed = joint.contiguous().clone()
        dist.all_reduce(summed)
        return summed[dist.get_rank() :: dist.get_world_size()], None
