"""Answering many dialogues at once from asyncio: what arrives while a batch is answered becomes the next batch.

Decisions:
- One worker thread opens, asks and closes the pipeline. The desk's SQLite connection would bear a change of threads,
  but the word search's caches and the thread counts that FAISS and torch keep per thread want one caller.
- Nobody waits for company: a lone request starts at once, and batches form only out of what queued meanwhile.
- First come, first served: no request is overtaken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Self

from bot.answers import Answer
from bot.dialogue import Request
from bot.pipeline import Pipeline
from conversations.desk import Desk
from conversations.errors import AttendantError, DeskError
from conversations.model import Turn
from conversations.pairs import as_asked

MOST_TOGETHER = 32
"""Requests answered as one batch."""
MOST_WAITING = 1_000
"""Requests that may wait; one more is refused at once, rather than answered when nobody reads it any more."""


class TooManyWaiting(AttendantError):
    """More requests wait than can be answered soon."""


class AsyncPipeline:
    """A desk, opened for the many dialogues of one event loop."""

    def __init__(self, pipeline: Pipeline, thread: ThreadPoolExecutor) -> None:
        """Takes over an open pipeline and the one worker that uses it from now on; `close` ends both."""
        self._pipeline = pipeline
        self._thread = thread
        self._waiting: dict[asyncio.Future[Answer], Request] = {}
        self._work: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, desk: Desk, ranker: str | None = None) -> Self:
        """Opens a desk as `Pipeline.open` does, without holding up the event loop meanwhile.

        Raises:
            DeskError: the desk holds no pairs, or its store cannot be opened.
            ModelError: the ranker is not known, or the desk's encoder cannot be loaded.
        """
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="attendant")
        opening = thread.submit(Pipeline.open, desk, ranker)
        try:
            return cls(await asyncio.wrap_future(opening), thread)
        except BaseException:
            # A thread cannot be stopped: a pipeline that it opens after the caller was cancelled is closed behind it.
            thread.submit(lambda: opening.result().close())
            thread.shutdown(wait=False)
            raise

    @property
    def notices(self) -> list[str]:
        """What was mended while the desk was opened."""
        return self._pipeline.notices

    async def answer(
        self,
        turns: Sequence[Turn],
        exclude: str | None = None,
        rejected: Sequence[str] = (),
        earlier: Sequence[Turn] = (),
    ) -> Answer:
        """What `Pipeline.answer` says, found together with what else waits. It may be cancelled.

        The arguments are the fields of `Request`; a dialogue that grows while this waits is answered as it was.

        Raises:
            TooManyWaiting: `MOST_WAITING` requests wait already.
            DeskError: the pipeline was closed. Whatever else the pipeline raises goes to all requests of the batch.
        """
        if self._closing is not None:
            raise DeskError("This desk was closed and answers no more.", "Open it again: AsyncPipeline.open.")
        if len(self._waiting) >= MOST_WAITING:
            raise TooManyWaiting(f"{MOST_WAITING:,} requests are waiting already.", "Ask again in a moment.")
        reply: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[reply] = Request(as_asked(tuple(turns)), exclude, tuple(rejected), tuple(earlier))
        if self._work is None or self._work.done():
            # It begins in the loop's next round, with all requests that were made in this one.
            self._work = asyncio.create_task(self._answer_waiting())
        try:
            return await reply
        finally:
            self._waiting.pop(reply, None)

    async def _answer_waiting(self) -> None:
        """Answers batch after batch until nobody waits."""
        while batch := self._next_batch():
            try:
                answers = await asyncio.wrap_future(self._thread.submit(self._ask, [*batch.values()]))
                for reply, answer in zip(batch, answers, strict=True):
                    if not reply.done():
                        reply.set_result(answer)
            except Exception as error:
                for reply in batch:
                    if not reply.done():
                        reply.set_exception(error)

    def _next_batch(self) -> dict[asyncio.Future[Answer], Request]:
        """Takes the requests that have waited longest; empty when nobody waits."""
        # A request cancelled in this round of the loop is done, but has not left yet.
        waiting = (reply for reply in self._waiting if not reply.done())
        return {reply: self._waiting.pop(reply) for reply in list(islice(waiting, MOST_TOGETHER))}

    def _ask(self, requests: Sequence[Request]) -> list[Answer]:
        try:
            return self._pipeline.answer_many(requests)
        except StopIteration as error:  # No future takes one: whoever awaits it would wait for ever.
            raise RuntimeError("The pipeline raised StopIteration.") from error

    async def close(self) -> None:
        """Refuses new requests, lets those that wait be answered, and closes the pipeline; even if cancelled."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._finish())
        await asyncio.shield(self._closing)

    async def _finish(self) -> None:
        if self._work is not None:
            await asyncio.wait([self._work])
        closed = self._thread.submit(self._pipeline.close)
        self._thread.shutdown(wait=False)
        await asyncio.wrap_future(closed)

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """Closes it; see `close`."""
        await self.close()
