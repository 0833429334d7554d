"""The training loop that the encoder and the reranker share: AdamW, warm-up, checkpoints, resume.

Decisions:
- The order of batches is a pure function of seed and epoch, so a resumed run sees what the killed one would have.
- A checkpoint is written beside and swapped in, as safetensors and JSON: a kill leaves the one before it.
- The last one is written when training is done. What comes after it, such as an index of a tuned encoder, has the
  same weights in a run that is resumed, also where the same steps would not give them again, as on a GPU.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from conversations.errors import TrainingError, is_out_of_memory
from training.distributed import average_gradients, from_first, is_first, mean_of, take_from_first


@dataclass(frozen=True)
class LoopSettings:
    """How long and how hard to train."""

    epochs: int
    learning_rate: float
    warm_up: float = 0.1
    """Share of the steps over which the learning rate rises to its peak; it then falls linearly to zero."""
    weight_decay: float = 0.01
    clip: float = 1.0
    """Largest norm of the gradient."""
    seed: int = 13
    checkpoint_seconds: float = 60.0
    accumulate: int = 1
    """Parts that a batch is worked on in, one after the other, where it does not fit into memory as a whole."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where training stands, for a progress bar."""

    stage: str
    step: int
    steps: int
    loss: float | None = None
    """Mean over the last steps; None for a stage that learns nothing."""
    metric: float | None = None
    """Held-out MRR, where this step measured it."""


OnProgress = Callable[[Progress], None]


def counter(stage: str, report: OnProgress) -> Callable[[int, int], None]:
    """What to call with (done, total) of a stage that has no loss."""
    return lambda done, total: report(Progress(stage, done, total))


def learning_rate_at(step: int, steps: int, settings: LoopSettings) -> float:
    """Linear warm-up, then linear decay to zero.

    >>> settings = LoopSettings(epochs=1, learning_rate=1.0, warm_up=0.5)
    >>> [round(learning_rate_at(step, 4, settings), 2) for step in range(4)]
    [0.5, 1.0, 1.0, 0.5]
    """
    warm = max(int(steps * settings.warm_up), 1)
    if step < warm:
        return settings.learning_rate * (step + 1) / warm
    return settings.learning_rate * (steps - step) / max(steps - warm, 1)


def train_loop(
    stage: str,
    module: nn.Module,
    groups: Sequence[tuple[Sequence[nn.Parameter], float]],
    batches_of_epoch: Callable[[random.Random], list[list[int]]],
    loss_of: Callable[[list[int]], Tensor],
    settings: LoopSettings,
    checkpoint: Path | None = None,
    on_progress: OnProgress | None = None,
    after_epoch: Callable[[int], tuple[float, bool]] | None = None,
    before_epoch: Callable[[int], None] = lambda _: None,
) -> None:
    """Trains until the epochs are done or `after_epoch` says to stop; with no epochs nothing is done.

    Args:
        stage: name shown with the progress and kept in the checkpoint.
        module: what is saved and restored.
        groups: parameters with a factor on the learning rate.
        batches_of_epoch: the batches of one epoch, from a seeded generator; every epoch has as many.
        loss_of: the mean loss of the rows of one batch; of several processes, this one's part of it
            (`training.distributed.part_of_mean`).
        settings: see `LoopSettings`.
        checkpoint: directory for checkpoints; None for none. A checkpoint of the same stage is resumed; where that
            was done, nothing is trained again.
        on_progress: called after every step.
        after_epoch: called with the epoch; returns (held-out metric, whether to stop).
        before_epoch: called with each epoch, those that a killed run had done included.

    Raises:
        TrainingError: the loss is not a number, or there is nothing to train on.
    """
    if settings.epochs == 0:
        return
    random_of = [random.Random(f"{settings.seed}-{epoch}") for epoch in range(settings.epochs)]
    per_epoch = from_first(len(batches_of_epoch(random.Random(f"{settings.seed}-0"))))
    steps = per_epoch * settings.epochs
    if per_epoch == 0:
        raise TrainingError(f"There is nothing to train the {stage} on.", "Import more conversations.")
    optimizer = torch.optim.AdamW(
        [{"params": list(parameters), "factor": factor} for parameters, factor in groups],
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
    )
    done = _resume(checkpoint, stage, steps, module, optimizer)
    take_from_first(module)
    parameters = [p for group in groups for p in group[0]]
    recent: list[float] = []
    saved_at = time.monotonic()

    def save(step: int) -> None:
        nonlocal saved_at
        if checkpoint and is_first():
            _save(checkpoint, stage, step, steps, module, optimizer)
        saved_at = time.monotonic()

    for epoch in range(settings.epochs):
        before_epoch(epoch)
        batches = from_first(batches_of_epoch(random_of[epoch]))
        for place, batch in enumerate(batches):
            step = epoch * per_epoch + place
            if step < done:
                continue
            torch.manual_seed(settings.seed * 1_000_003 + step)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate_at(step, steps, settings) * group["factor"]
            optimizer.zero_grad(set_to_none=True)
            loss = mean_of(_backward(batch, loss_of, settings.accumulate), str(parameters[0].device))
            if not math.isfinite(loss):
                raise TrainingError(f"The loss became {loss} in step {step}.", "Lower --learning-rate.")
            average_gradients(parameters)
            nn.utils.clip_grad_norm_(parameters, settings.clip)
            optimizer.step()
            recent = [*recent[-49:], loss]
            if on_progress:
                on_progress(Progress(stage, step + 1, steps, sum(recent) / len(recent)))
            if step + 1 == steps or time.monotonic() - saved_at > settings.checkpoint_seconds:
                save(step + 1)
        take_from_first(module)
        if after_epoch and done <= (epoch + 1) * per_epoch:
            metric, stop = after_epoch(epoch)
            if on_progress:
                mean = sum(recent) / max(len(recent), 1)
                on_progress(Progress(stage, (epoch + 1) * per_epoch, steps, mean, metric))
            if stop:
                save((epoch + 1) * per_epoch)
                break


def _backward(batch: list[int], loss_of: Callable[[list[int]], Tensor], parts: int) -> float:
    """Adds up the gradients of a batch in parts; returns this process's loss."""
    loss = 0.0
    size = -(-len(batch) // parts)
    for begin in range(0, len(batch), size):
        part = batch[begin : begin + size]
        of_part = loss_of(part) * (len(part) / len(batch))
        if of_part.requires_grad:
            of_part.backward()
        loss += of_part.item()
    return loss


def _save(
    directory: Path, stage: str, step: int, steps: int, module: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {f"module.{name}": value.contiguous() for name, value in module.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{key}": value.contiguous() for key, value in state.items()}
    metadata = {"stage": stage, "step": json.dumps(step), "steps": json.dumps(steps)}
    beside = directory / f"{stage}.tmp"
    save_file({name: value.clone() for name, value in tensors.items()}, beside, metadata)
    beside.replace(directory / f"{stage}.checkpoint")


def _resume(
    directory: Path | None, stage: str, steps: int, module: nn.Module, optimizer: torch.optim.Optimizer
) -> int:
    """Restores the newest checkpoint of this stage; returns the number of steps it had done, 0 without one."""
    path = directory / f"{stage}.checkpoint" if directory else None
    if path is None or not path.is_file():
        return 0
    try:
        with safe_open(path, "pt") as opened:
            metadata = opened.metadata()
        tensors = load_file(path)
        if json.loads(metadata["steps"]) != steps:
            return 0
        module.load_state_dict(
            {name.removeprefix("module."): value for name, value in tensors.items() if name.startswith("module.")}
        )
        states: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith("optimizer."):
                _, number, key = name.split(".", 2)
                states.setdefault(int(number), {})[key] = value
        optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
        return int(json.loads(metadata["step"]))
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        if is_out_of_memory(error):
            raise
        # A damaged checkpoint costs its steps, not the run.
        path.unlink(missing_ok=True)
        return 0
