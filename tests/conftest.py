"""What holds for all tests."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    # Two workers with two threads each get in each other's way; set before anything imports torch.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
