"""A prompt that does nothing with what is typed, beside a process as busy as the finding of suggestions.

What it takes to echo a key is what this machine takes: `test_assist_latency` measures it for comparison.
"""

from __future__ import annotations

import os
import random
import time
from multiprocessing import get_context

BUSY, IDLE = 0.06, (0.01, 0.06)
"""Seconds of work on all cores, as ranking 50 candidates takes, and between two such pieces of it."""


def work(parent: int) -> None:
    """Multiplies matrices now and then until the prompt is gone."""
    import torch

    torch.set_num_threads(os.cpu_count() or 1)
    matrix, generator = torch.randn(512, 512), random.Random(7)
    while os.getppid() == parent:
        end = time.perf_counter() + BUSY
        while time.perf_counter() < end:
            matrix @ matrix
        time.sleep(generator.uniform(*IDLE))


def main() -> None:
    """Asks until Ctrl-D; Ctrl-C empties the line."""
    from prompt_toolkit import PromptSession

    get_context("spawn").Process(target=work, args=(os.getpid(),), daemon=True).start()
    session: PromptSession[str] = PromptSession()
    while True:
        try:
            session.prompt("bare> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


if __name__ == "__main__":
    main()
