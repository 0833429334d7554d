"""Opening a desk's pipeline in front of a person: progress while it loads, notices of what was mended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.output import remark
from bot.pipeline import Pipeline
from bot.progress import Meter
from conversations.desk import Desk


@contextmanager
def open_pipeline(desk: Desk, ranker: str | None = None) -> Iterator[Pipeline]:
    """The desk's pipeline, closed at the end of the block.

    Raises:
        AttendantError: the desk, its model or the ranker cannot be used.
    """
    with Meter() as meter:
        meter.show("loading the model")
        pipeline = Pipeline.open(desk, ranker, meter.show)
    try:
        for text in pipeline.notices:
            remark(text)
        yield pipeline
    finally:
        pipeline.close()
