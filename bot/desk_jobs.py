"""What a screen has done with the desk on another thread, while it goes on drawing and taking keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

LONGEST_WAIT = 10
"""Seconds that are waited for jobs when the screen is left."""


class DeskJobs:
    """Starts jobs on a thread, and brings what comes of them back to the event loop."""

    def __init__(
        self,
        run: Callable[[Callable[[], Any]], Future[Any]],
        fail: Callable[[Exception], None],
        redraw: Callable[[], None],
    ) -> None:
        """Has nothing to do yet.

        Args:
            run: runs a job on the thread.
            fail: called on the event loop with what went wrong.
            redraw: called on the event loop after every job.
        """
        self.waiting: set[asyncio.Future[Any]] = set()
        """What is not done yet."""
        self._run = run
        self._fail = fail
        self._redraw = redraw

    def start(
        self, job: Callable[[], Any], then: Callable[[Any], None], finally_: Callable[[], None] = lambda: None
    ) -> None:
        """Has something done.

        Args:
            job: done on the thread.
            then: called on the event loop with the result.
            finally_: called after that, also where there is no result.
        """
        future = asyncio.wrap_future(self._run(job))
        self.waiting.add(future)

        def done(finished: asyncio.Future[Any]) -> None:
            self.waiting.discard(finished)
            try:
                error = finished.exception()
                if isinstance(error, Exception):
                    self._fail(error)
                else:
                    then(finished.result())
            finally:
                finally_()
            self._redraw()

        future.add_done_callback(done)

    async def finish(self) -> None:
        """Waits until all is done, at most `LONGEST_WAIT`."""
        if self.waiting:
            await asyncio.wait(self.waiting, timeout=LONGEST_WAIT)
