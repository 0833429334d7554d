"""A pipeline that answers when the test lets it, and an event loop around it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.answers import Answer
from bot.asynchronous import AsyncPipeline
from conversations.model import Turn

PATIENCE = 20.0


def customer(*texts):
    return [Turn("customer", text) for text in texts]


class FakePipeline:
    """Answers with the last turn's text; while `gate` is shut, a batch that has begun does not end."""

    notices = ("mended",)

    def __init__(self, is_open=True):
        self.batches = []
        self.threads = set()
        self.failure = None
        self.closings = 0
        self.gate = threading.Event()
        if is_open:
            self.gate.set()

    def answer_many(self, requests):
        self.threads.add(threading.current_thread())
        self.batches.append(requests)
        assert self.gate.wait(PATIENCE)
        if self.failure is not None:
            raise self.failure
        return [Answer("answer", request.turns[-1].text, 1.0, "", (), {}) for request in requests]

    def close(self):
        self.threads.add(threading.current_thread())
        self.closings += 1

    @property
    def asked(self):
        return [[request.turns[-1].text for request in batch] for batch in self.batches]


def run(scenario, fake):
    """Runs a scenario with an async pipeline over a fake one; both are ended, whatever happens."""

    worker = ThreadPoolExecutor(1)

    async def main():
        async with AsyncPipeline(fake, worker) as pipeline:
            try:
                async with asyncio.timeout(PATIENCE):
                    await scenario(pipeline)
            finally:
                fake.gate.set()

    asyncio.run(main())
    with pytest.raises(RuntimeError, match="after shutdown"):
        worker.submit(print)


def ask(pipeline, *texts, **options):
    """One running request for each text."""
    return [asyncio.create_task(pipeline.answer(customer(text), **options)) for text in texts]


async def until_begun(fake, batches=1):
    while len(fake.batches) < batches:
        await asyncio.sleep(0.001)


async def texts_of(tasks):
    return [answer.answer for answer in await asyncio.gather(*tasks)]
