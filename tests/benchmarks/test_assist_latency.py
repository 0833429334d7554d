"""`attendant assist` on a desk of 50,000 pairs, typed into in a pseudo-terminal: how long until all is shown?

    make bench

- suggestions: from the last key of a customer's message to the last thing drawn before all is quiet, so that it holds
  the suggestions for the whole message;
- echo: from a key to its sign on the screen, for signs that stand nowhere else, pressed while suggestions are found.

Prints a table; asserts only that the work was done. Machines are noisy: run it twice, with nothing else running.
"""

from __future__ import annotations

import os
import random
import select
import sys
import time
from pathlib import Path

import numpy as np
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


def messages() -> list[str]:
    """What customers of the sample's replay log said."""
    said = [turn["text"] for turns in sample_turns("replay.jsonl") for turn in turns if turn["role"] == "customer"]
    return [text[:80] for text in said if len(text) > 30][:MESSAGES]


def read_for(terminal: Terminal, seconds: float) -> bytes:
    """What is drawn within so many seconds, at least one piece of it if any."""
    if not select.select([terminal.fd], [], [], max(seconds, 0))[0]:
        return b""
    return os.read(terminal.fd, 65536)


def until_quiet(terminal: Terminal, since: float) -> float:
    """Milliseconds from a moment to the last output before a silence."""
    last = since
    while read_for(terminal, QUIET):
        last = time.perf_counter()
    return 1000 * (last - since)


def type_message(terminal: Terminal, text: str, generator: random.Random) -> float:
    """Types a message as a person does; milliseconds from its last key to the last thing drawn for it."""
    for letter in text:
        pressed = time.perf_counter()
        terminal.type(letter)
        pause = BETWEEN * generator.uniform(0.5, 1.5)
        while letter is not text[-1] and (left := pressed + pause - time.perf_counter()) > 0:
            read_for(terminal, left)
    return until_quiet(terminal, pressed)


def echoes(terminal: Terminal, count: int, generator: random.Random) -> list[float]:
    """Milliseconds from keys to their signs, pressed while suggestions for the keys before are being found."""
    waits = []
    for number in range(count):
        sign = SIGNS[number % len(SIGNS)]
        pressed = time.perf_counter()
        terminal.type(sign)
        drawn = b""
        while sign.encode() not in drawn:
            drawn += read_for(terminal, 10)
            assert time.perf_counter() - pressed < 10
        waits.append(1000 * (time.perf_counter() - pressed))
        end = time.perf_counter() + generator.uniform(0.01, 0.12)
        while (left := end - time.perf_counter()) > 0:
            read_for(terminal, left)
        if number % 30 == 29:
            terminal.type("\x03")
            until_quiet(terminal, time.perf_counter())
            for letter in "my parcel is late ":
                terminal.type(letter)
                read_for(terminal, 0.05)
    return waits


def show(name: str, waits: list[float]) -> None:
    """Prints one row."""
    p50, p95, p99 = np.percentile(waits, [50, 95, 99])
    print(f"{name:44} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   p99 {p99:6.1f} ms   most {max(waits):6.1f} ms")


def measure(home: Path, desk: str) -> None:
    """Prints the table for a desk."""
    generator = random.Random(7)
    arguments = ("-m", "bot", "assist", "--desk", desk, "--home", str(home), "--no-feedback")
    # As many threads as somebody who starts it has, where other tests have one.
    with Terminal(*arguments, columns=120, OMP_NUM_THREADS=str(os.cpu_count())) as terminal:
        terminal.wait_for("Ctrl-D leave", seconds=300)
        type_message(terminal, "to warm up: where is my parcel?", generator)
        waits = []
        for text in messages():
            terminal.type("\x03")
            until_quiet(terminal, time.perf_counter())
            waits.append(type_message(terminal, text.replace("\n", " "), generator))
        show("suggestions after the last key", waits)
        terminal.type("\x03")
        until_quiet(terminal, time.perf_counter())
        show("echo of a key while suggestions are found", echoes(terminal, 300, generator))
        assert len(waits) == len(messages())


def test_typing_beside_suggestions_on_fifty_thousand_pairs(tmp_path):
    load_desk(tmp_path, PAIRS)
    print()
    measure(tmp_path, "load")
