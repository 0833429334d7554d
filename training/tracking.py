"""TensorBoard event files of a training: `--tensorboard DIR`, then `tensorboard --logdir DIR`.

Every run has a directory of its own below DIR, so that the curves of several stand beside each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from conversations.errors import TrainingError
from training.distributed import is_first

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from training.loop import OnProgress, Progress
    from training.settings import TrainReport, TrainSettings


class Tracker:
    """Passes progress on, and writes it down where that was asked for."""

    def __init__(self, on_progress: OnProgress | None, writer: SummaryWriter | None) -> None:
        """Takes who else is told, and what writes."""
        self._on_progress = on_progress
        self._writer = writer

    def __call__(self, progress: Progress) -> None:
        """Passes on where training stands; of stages that learn, losses and held-out MRR are written."""
        if self._on_progress:
            self._on_progress(progress)
        if self._writer is None or progress.loss is None:
            return
        stage = progress.stage.replace(" ", "_")
        self._writer.add_scalar(f"{stage}/loss", progress.loss, progress.step)
        if progress.metric is not None:
            self._writer.add_scalar(f"{stage}/held-out_mrr", progress.metric, progress.step)

    def finish(self, report: TrainReport) -> TrainReport:
        """Writes the outcome: step 0 is the ranker before, step 1 the new one."""
        if self._writer is not None:
            for step, figures in enumerate((report.before, report.after)):
                for name, value in figures.as_json().items():
                    self._writer.add_scalar(f"held_out/{name}", value, step)
            self._writer.add_scalar("held_out/ece", report.decision.ece, 1)
            self._writer.add_text("outcome", report.reason)
        return report


@contextmanager
def tracked(settings: TrainSettings, name: str, on_progress: OnProgress | None) -> Iterator[Tracker]:
    """What to call with the progress of one training.

    Args:
        settings: may name the directory for event files; they are written there as well.
        name: of the model; the run is called after it and the moment.
        on_progress: told of everything too.

    Raises:
        TrainingError: TensorBoard is asked for and not installed.
        OSError: the directory cannot be written to.
    """
    if settings.tensorboard is None or not is_first():
        yield Tracker(on_progress, None)
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise TrainingError(
            "TensorBoard is not installed.", "Install it: pip install -c constraints.txt -e '.[cpu,tensorboard]'"
        ) from error
    run = settings.tensorboard / f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    with SummaryWriter(str(run)) as writer:
        writer.add_text("settings", f"```json\n{json.dumps(settings.as_json(), indent=1)}\n```")
        yield Tracker(on_progress, writer)
