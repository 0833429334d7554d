"""Suggestions while somebody types: found on a thread of their own, at once, and given up as soon as they are stale.

Decisions:
- The first key starts the work; keys pressed meanwhile only change what is wanted. When a stage is done and something
  else is wanted, the rest is not done, and the newest wish is next. So nothing queues, however fast the typing.
- Everything that touches the pipeline runs on the one thread, one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from bot.dialogue import Request
from bot.suggestions import Suggestions

Result = TypeVar("Result")
Wanted = tuple[Request, int | None]
"""A dialogue, and how many candidates are to be weighed; None for all."""


class LiveSuggestions:
    """Finds suggestions for what is wanted last, on behalf of one event loop."""

    def __init__(
        self,
        steps: Callable[[Request, int | None], Iterator[Suggestions | None]],
        show: Callable[[Suggestions], None],
        fail: Callable[[Exception], None],
    ) -> None:
        """Starts the thread.

        Args:
            steps: finds suggestions step by step for a dialogue among so many candidates; runs on the thread.
            show: called on the event loop with what was found and is still wanted.
            fail: called on the event loop with what went wrong.
        """
        self._steps = steps
        self._show = show
        self._fail = fail
        self._wanted: Wanted | None = None
        self._settled: Wanted | None = None
        """What was found, or could not be."""
        self._work: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="attendant")

    @property
    def is_looking(self) -> bool:
        """Whether what is wanted was not found yet."""
        return self._wanted is not self._settled

    def want(self, request: Request | None, count: int | None = None) -> None:
        """Makes this what is looked for; None stops looking. The same again changes nothing.

        Args:
            request: the dialogue.
            count: as for `Pipeline.answer_in_steps`.
        """
        wanted = None if request is None else (request, count)
        if wanted == self._wanted:
            return
        self._wanted = wanted
        if wanted is None:
            self._settled = None
        elif self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._serve())

    def run(self, job: Callable[[], Result]) -> Future[Result]:
        """Runs something else on the thread, after what runs there now; it is never given up."""
        return self._thread.submit(job)

    def close(self) -> None:
        """Gives up the search, waits for all other jobs, and ends the thread."""
        self._wanted = None
        self._thread.shutdown(wait=True)

    async def _serve(self) -> None:
        served: Wanted | None = None
        while (wanted := self._wanted) is not served:
            if wanted is not None:
                await asyncio.wrap_future(self._thread.submit(self._find, wanted, asyncio.get_running_loop()))
            served = wanted

    def _find(self, wanted: Wanted, loop: asyncio.AbstractEventLoop) -> None:
        try:
            for found in self._steps(*wanted):
                if self._wanted is not wanted:
                    return
                if found is not None:
                    loop.call_soon_threadsafe(self._arrived, wanted, found)
        except Exception as error:
            loop.call_soon_threadsafe(self._failed, wanted, error)

    def _arrived(self, wanted: Wanted, found: Suggestions) -> None:
        if self._wanted is wanted:
            self._settled = wanted
            self._show(found)

    def _failed(self, wanted: Wanted, error: Exception) -> None:
        if self._wanted is wanted:
            self._settled = wanted
        self._fail(error)
