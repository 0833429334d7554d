"""Opening a desk's pipeline in front of a person: progress while it loads, notices of what was mended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.output import remark
from bot.pipeline import Pipeline
from bot.progress import Meter
from conversations.desk import Desk


@contextmanager
def open_pipeline(desk: Desk, ranker: str | None = None, is_plain: bool = False) -> Iterator[Pipeline]:
    """The desk's pipeline, closed at the end of the block.

    Args:
        desk: an existing desk.
        ranker: as for `Pipeline.open`.
        is_plain: whether nothing is drawn meanwhile.

    Raises:
        AttendantError: the desk, its model or the ranker cannot be used.
    """
    if is_plain:
        remark("Loading the model.", is_plain)
    with Meter(is_plain) as meter:
        meter.show("loading the model")
        pipeline = Pipeline.open(desk, ranker, meter.show)
    try:
        for text in pipeline.notices:
            remark(text, is_plain)
        yield pipeline
    finally:
        pipeline.close()
