"""`python -m training`: the retraining script without the rest of the command line, for schedulers and `torchrun`.

Progress goes to standard error as plain lines, the report to standard output as JSON. Under
`torchrun --nproc-per-node 2 -m training ...` the processes share every step; the first one writes and reports.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields
from pathlib import Path
from typing import Any

from conversations.desk import Desk, default_home
from conversations.errors import AttendantError, is_out_of_memory
from conversations.finite import finite
from training.choices import clash, out_of_range
from training.dataset_training import train_dataset
from training.desk_training import train_desk
from training.distributed import is_first, joined
from training.loop import Progress
from training.losses import DISTILLATIONS, LOSSES
from training.settings import TrainReport, TrainSettings

SECONDS_BETWEEN_LINES = 5.0
CHOICES = {"loss": sorted(LOSSES), "distillation": sorted(DISTILLATIONS)}
TYPES = {"int": int, "float": float, "str": str, "Path": Path}


def main(arguments: list[str] | None = None) -> int:
    """Trains as the arguments say; returns the exit status: 0 done, 1 failed (2, wrong usage, exits itself)."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--desk", action="append", help="train on this desk; may be repeated with --save")
    target.add_argument("--dataset", type=Path, help="train on this data set's train split; needs --save")
    parser.add_argument("--save", type=Path, help="write the model here")
    parser.add_argument("--home", type=Path, default=default_home())
    for field in fields(TrainSettings):
        option = f"--{field.name.replace('_', '-')}"
        if field.name in CHOICES:
            parser.add_argument(option, choices=CHOICES[field.name])
        elif field.default is False:
            parser.add_argument(option, action="store_true", default=None)
        else:
            parser.add_argument(option, type=_in_range(field.name, TYPES[str(field.type).removesuffix(" | None")]))
    options = parser.parse_args(arguments)
    chosen = {field.name: getattr(options, field.name) for field in fields(TrainSettings)}
    given = {name: value for name, value in chosen.items() if value is not None}
    if problem := clash(given, len(options.desk or ()), options.dataset is not None, options.save is not None):
        parser.error(problem)
    settings = TrainSettings(**given)
    try:
        with joined():
            report = _run(options, settings)
    except AttendantError as error:
        print(f"attendant: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"attendant: {place}{error.strerror or error}. Check the path and its permissions.", file=sys.stderr)
        return 1
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        print("attendant: out of memory. Take a smaller --batch-size.", file=sys.stderr)
        return 1
    if report is not None:
        print(json.dumps(finite(report.as_json()), allow_nan=False))
    return 0


def _in_range(name: str, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """Reads one option's value, and refuses what training cannot use."""

    def read(text: str) -> Any:  # noqa: ANN401 - of that kind
        value = kind(text)
        if problem := out_of_range(name, value):
            raise argparse.ArgumentTypeError(problem)
        return value

    read.__name__ = getattr(kind, "__name__", "value")
    return read


def _run(options: argparse.Namespace, settings: TrainSettings) -> TrainReport | None:
    """The report; none in a process that is not the first."""
    progress = PlainProgress() if is_first() else None
    if options.dataset:
        report = train_dataset(options.dataset, options.save, settings, progress)
        return report if is_first() else None
    desks = [Desk.open(options.home, name) for name in options.desk]
    with ExitStack() as locks:
        # The first process writes for all.
        for desk in desks if is_first() else ():
            locks.enter_context(desk.writing())
        report = train_desk(desks, settings, progress, options.save)
    return report if is_first() else None


class PlainProgress:
    """Prints a line when the stage changes, when a metric is measured, and every few seconds."""

    def __init__(self) -> None:
        self._stage = ""
        self._printed = 0.0

    def __call__(self, progress: Progress) -> None:
        """Prints the progress if it is time to."""
        now = time.monotonic()
        is_due = now - self._printed > SECONDS_BETWEEN_LINES
        if progress.stage == self._stage and progress.metric is None and not is_due:
            return
        self._stage, self._printed = progress.stage, now
        metric = "" if progress.metric is None else f", held-out MRR {progress.metric:.4f}"
        loss = "" if progress.loss is None else f", loss {progress.loss:.4f}"
        print(f"{progress.stage}: {progress.step}/{progress.steps}{loss}{metric}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
