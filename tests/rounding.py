"""How exactly the same question gets the same numbers: on a CPU to the last bit, on a GPU nearly."""

from __future__ import annotations

import pytest

from index.encoder_loading import default_device

ON_GPU = 5e-3
"""There texts are padded to a common length, and what is computed together decides how sums are rounded."""


def same(number: float | None, on_cpu: float = 0.0) -> object:
    """Equal to this number, as exactly as the device computes.

    Args:
        number: what is expected; None for none.
        on_cpu: how far from it a CPU may be.
    """
    if number is None:
        return None
    return pytest.approx(number, abs=on_cpu if default_device() == "cpu" else ON_GPU, rel=0)
