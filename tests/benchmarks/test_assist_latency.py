"""`attendant assist` on a desk of 50,000 pairs, typed into in a pseudo-terminal: how long until all is shown?

    make bench

- suggestions: from the last key of a customer's message to the last thing drawn before all is quiet, so that it holds
  the suggestions for the whole message;
- echo: from a key to its sign on the screen, for signs that stand nowhere else, pressed while suggestions are found;
  and the same of a bare prompt beside a busy process, which is what the machine itself takes.

Prints a table; asserts only that the work was done: that every message has its suggestions on the screen, and that
they were not there before. Machines are noisy: run it twice, with nothing else running.
"""

from __future__ import annotations

import os
import random
import re
import select
import sys
import time
from pathlib import Path

import numpy as np
import pyte
from load_desk import load_desk, sample_turns

sys.path.append(str(Path(__file__).parents[1] / "bot"))

from terminal import Terminal

PAIRS = 50_000
MESSAGES = 40
BETWEEN = 0.12
"""Seconds between two keys: about 100 words a minute."""
QUIET = 0.8
"""Seconds without output after which nothing more is coming."""
SIGNS = "§¶¤¦¬±"
COLUMNS, ROWS = 120, 30


def messages() -> list[str]:
    """What customers of the sample's replay log said."""
    said = [turn["text"] for turns in sample_turns("replay.jsonl") for turn in turns if turn["role"] == "customer"]
    return [text[:80] for text in said if len(text) > 30][:MESSAGES]


class Watched:
    """Reads what a terminal draws; what then stands on it is made out only where that is asked for."""

    def __init__(self, terminal: Terminal) -> None:
        """Begins with what was drawn so far."""
        self.terminal = terminal
        self._drawn = [terminal.raw]
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    def read(self, seconds: float) -> bytes:
        """What is drawn within so many seconds, at least one piece of it if any."""
        if not select.select([self.terminal.fd], [], [], max(seconds, 0))[0]:
            return b""
        self._drawn.append(os.read(self.terminal.fd, 65536))
        return self._drawn[-1]

    def until_quiet(self, since: float) -> float:
        """Milliseconds from a moment to the last output before a silence."""
        last = since
        while self.read(QUIET):
            last = time.perf_counter()
        return 1000 * (last - since)

    def clear(self) -> None:
        """Empties the line that is typed."""
        self.terminal.type("\x03")
        self.until_quiet(time.perf_counter())

    def suggested(self) -> list[str]:
        """The keys of the suggestions on the screen, each with its confidence; none while others are looked for."""
        self._stream.feed(b"".join(self._drawn))
        self._drawn.clear()
        shown = "\n".join(self._screen.display)
        return [] if "· looking" in shown else re.findall(r"F[1-3] .*?\d+ %", shown)


def type_message(watched: Watched, text: str, generator: random.Random) -> float:
    """Types a message as a person does; milliseconds from its last key to the last thing drawn for it."""
    for place, letter in enumerate(text, 1):
        pressed = time.perf_counter()
        watched.terminal.type(letter)
        pause = BETWEEN * generator.uniform(0.5, 1.5)
        while place < len(text) and (left := pressed + pause - time.perf_counter()) > 0:
            watched.read(left)
    return watched.until_quiet(pressed)


def echoes(watched: Watched, count: int, generator: random.Random) -> list[float]:
    """Milliseconds from keys to their signs, pressed while suggestions for the keys before are being found."""
    waits = []
    for number in range(count):
        sign = SIGNS[number % len(SIGNS)]
        pressed = time.perf_counter()
        watched.terminal.type(sign)
        drawn = b""
        while sign.encode() not in drawn:
            drawn += watched.read(10)
            assert time.perf_counter() - pressed < 10
        waits.append(1000 * (time.perf_counter() - pressed))
        end = time.perf_counter() + generator.uniform(0.01, 0.12)
        while (left := end - time.perf_counter()) > 0:
            watched.read(left)
        if number % 30 == 29:
            watched.clear()
            for letter in "my parcel is late ":
                watched.terminal.type(letter)
                watched.read(0.05)
    return waits


def show(name: str, waits: list[float]) -> None:
    """Prints one row."""
    p50, p95, p99 = np.percentile(waits, [50, 95, 99])
    print(f"{name:46} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   p99 {p99:6.1f} ms   most {max(waits):6.1f} ms")


def measure(home: Path, desk: str, texts: list[str], keys: int) -> None:
    """Prints the table for a desk.

    Args:
        home: of the desk.
        desk: its name.
        texts: messages that are typed.
        keys: how many are pressed for their echo.
    """
    generator = random.Random(7)
    arguments = ("-m", "bot", "assist", "--desk", desk, "--home", str(home), "--no-feedback")
    # As many threads as somebody who starts it has, where other tests have one.
    with Terminal(*arguments, columns=COLUMNS, rows=ROWS, OMP_NUM_THREADS=str(os.cpu_count())) as terminal:
        terminal.wait_for("Ctrl-D leave", seconds=300)
        watched = Watched(terminal)
        type_message(watched, "to warm up: where is my parcel?", generator)
        waits = []
        for text in texts:
            watched.clear()
            assert not watched.suggested(), "what is suggested was found for what is typed"
            waits.append(type_message(watched, text.replace("\n", " "), generator))
            assert len(watched.suggested()) == 3, text
        show("suggestions after the last key", waits)
        watched.clear()
        show("echo of a key while suggestions are found", echoes(watched, keys, generator))
    with Terminal(str(Path(__file__).with_name("bare_prompt.py")), columns=COLUMNS, rows=ROWS) as terminal:
        terminal.wait_for("bare>")
        watched = Watched(terminal)
        watched.until_quiet(time.perf_counter())
        show("echo of a bare prompt beside a busy process", echoes(watched, keys, generator))


def test_typing_beside_suggestions_on_fifty_thousand_pairs(tmp_path):
    load_desk(tmp_path, PAIRS)
    print()
    measure(tmp_path, "load", messages(), keys=300)
