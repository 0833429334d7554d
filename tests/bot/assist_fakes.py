"""A screen of `attendant assist` without a terminal: keys go in through a pipe, and what is drawn is read as text."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager

from chat_fakes import ANSWERS, PAST, FakeBook, FakePipeline
from prompt_toolkit.data_structures import Size
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from bot.assist_screen import AssistScreen


class Keyboard:
    """Types into a running screen, and reads it."""

    def __init__(self, screen, pipe):
        self.screen, self._pipe = screen, pipe

    async def type(self, keys):
        self._pipe.send_text(keys)
        await asyncio.sleep(0)

    async def until(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it never came to that:\n" + self.text
            await asyncio.sleep(0.01)

    async def sees(self, *texts):
        await self.until(lambda: all(text in self.text for text in texts))

    async def settles(self):
        """Waits until suggestions have stood long enough to be sent."""
        await self.until(lambda: self.screen.assist.best and not self.screen.live.is_looking)
        self.screen.assist.offered._since = [0.0, 0.0, 0.0]

    @property
    def rows(self):
        """What is on the screen, row by row."""
        drawn = self.screen.application.renderer.last_rendered_screen
        if drawn is None:
            return []
        size = self.screen.application.output.get_size()
        rows = ([drawn.data_buffer[y][x].char for x in range(size.columns)] for y in range(size.rows))
        return ["".join(row).rstrip() for row in rows]

    @property
    def text(self):
        """The screen with its line breaks taken for blanks."""
        return " ".join(" ".join(self.rows).split())


class Sized(DummyOutput):
    """A terminal of any size."""

    def __init__(self, columns, rows):
        self.size = Size(rows=rows, columns=columns)

    def get_size(self):
        return self.size


def use_screen(play, desk=None, columns=120, rows=30, **options):
    """Runs `play(keyboard)` on a screen until that leaves it; gives the screen with the book that it filled."""
    desk, book = desk or FakePipeline(ANSWERS, PAST), FakeBook()
    with create_pipe_input() as pipe:
        output = Sized(columns, rows)
        screen = AssistScreen(
            desk, book, InMemoryHistory(), options.pop("title", "acme"), terminal=(pipe, output), **options
        )
        screen.book, screen.desk = book, desk

        async def both():
            running = asyncio.create_task(_run(screen))
            try:
                await play(Keyboard(screen, pipe))
            finally:
                if not running.done():
                    screen.leave()
                await asyncio.wait_for(running, 20)

        with closed(screen):
            asyncio.run(both())
    return screen


@contextmanager
def busy(screen):
    """The desk is doing something else."""
    done = threading.Event()
    screen.on_desk(lambda: done.wait(20))
    try:
        yield
    finally:
        done.set()


def verdicts(screen):
    """What was kept of suggestions: answer and verdict."""
    return [(answer_id, verdict) for _, _, answer_id, verdict in screen.book.kept]


async def _run(screen):
    await screen.application.run_async(pre_run=screen._begin)


@contextmanager
def closed(screen):
    try:
        yield
    finally:
        screen.live.close()
