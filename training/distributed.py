"""Training in several processes, as `torchrun` starts them, with the result that one process would have.

Every process draws the same batch and the same augmentation, works on its own share of the rows, and the gradients
are averaged before each step. What is decided by numbers that two machines may round differently (batches, when to
stop, which negatives are hard) the first process decides for all: nobody waits for one that has left. Without
torchrun there is one process and nothing here does anything.
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

from conversations.errors import MissingPart, TrainingError

Row = TypeVar("Row")
Decided = TypeVar("Decided")
PATIENCE = timedelta(hours=2)
"""The others wait so long while the first process writes an index."""


@contextmanager
def joined() -> Iterator[None]:
    """Joins the processes of one torchrun for the time being; elsewhere nothing happens.

    Raises:
        MissingPart: this machine has fewer GPUs than processes.
        TrainingError: the processes do not find each other.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or "RANK" not in os.environ:
        yield
        return
    has_gpus = torch.cuda.is_available()
    if has_gpus:
        _take_own_gpu(int(os.environ.get("LOCAL_RANK", "0")), int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    try:
        dist.init_process_group("nccl" if has_gpus else "gloo", timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise TrainingError(
            f"The processes of this training do not find each other: {reason}", "Start them all with one torchrun."
        ) from error
    try:
        yield
    finally:
        dist.destroy_process_group()


def _take_own_gpu(rank: int, count: int) -> None:
    """Computes on a GPU that no other process of this machine has."""
    gpus = torch.cuda.device_count()
    if max(count, rank + 1) > gpus:
        raise MissingPart(
            f"{count} processes were started on a machine with {gpus} GPU{'s' * (gpus > 1)}, and each needs its own.",
            f"Give torchrun --nproc-per-node {gpus}, or hide the GPUs: CUDA_VISIBLE_DEVICES= torchrun ...",
        )
    torch.cuda.set_device(rank)


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


def from_first(own: Decided) -> Decided:
    """What the first process has decided, in every process."""
    if processes() == 1:
        return own
    told = [own]
    dist.broadcast_object_list(told)
    return told[0]


def require_same(own: object, what: str) -> None:
    """Makes sure that all processes have the same.

    Args:
        own: of this process.
        what: it is, in words.

    Raises:
        TrainingError: they do not.
    """
    found = [own] * processes()
    if processes() > 1:
        dist.all_gather_object(found, own)
    if any(one != own for one in found):
        raise TrainingError(
            f"The processes of this training have different {what}: they compute differently.",
            "Start them on machines of one kind.",
        )


def take_from_first(module: nn.Module) -> None:
    """Gives a module the weights that it has in the first process."""
    if processes() > 1:
        for value in module.state_dict().values():
            dist.broadcast(value, 0)


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
