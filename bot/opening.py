"""Opening a desk's pipeline in front of a person: progress while it loads, notices of what was mended."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from bot.customer import Customer, known_customer
from bot.output import remark
from bot.pipeline import Pipeline
from bot.progress import Meter
from conversations.desk import Desk


@contextmanager
def open_pipeline(
    desk: Desk, ranker: str | None = None, is_plain: bool = False, with_feedback: bool = False
) -> Iterator[Pipeline]:
    """The desk's pipeline, closed at the end of the block.

    Args:
        desk: an existing desk.
        ranker: as for `Pipeline.open`.
        is_plain: whether nothing is drawn meanwhile.
        with_feedback: whether what people made of answers before moves them.

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
        if with_feedback:
            pipeline.refresh_feedback()
        # Looking for garbage among half a million objects that stay holds every thread up for a quarter of a second.
        gc.freeze()
        yield pipeline
    finally:
        gc.unfreeze()
        pipeline.close()


def customer_of(pipeline: Pipeline, customer: str | None, is_told: bool = False) -> Customer | None:
    """What the desk knows of the customer who was named on the command line; None where nobody was.

    Args:
        pipeline: of the desk.
        customer: as they were named.
        is_told: whether it is said elsewhere what is known; else it is remarked here where nothing is.
    """
    if customer is None:
        return None
    known = known_customer(pipeline.store, customer)
    if not (known.earlier or is_told):
        remark(known.summary)
    return known
