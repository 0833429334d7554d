"""Token states on disk are mapped into memory: what is not asked for is not read."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from index.states import TokenStates, gather, write_array, write_segment

TEXTS, TOKENS, WIDTH = 400, 200, 384


@pytest.fixture
def segment(tmp_path):
    """Thirty megabytes of states."""
    states = torch.linspace(-1.0, 1.0, TOKENS * WIDTH).reshape(TOKENS, WIDTH)
    write_segment(tmp_path, "big", np.arange(TEXTS), [TOKENS] * TEXTS, [states] * TEXTS, WIDTH)
    return tmp_path


def test_a_hundred_candidates_are_read_without_the_rest_of_the_file(segment):
    wanted = list(range(0, TEXTS, 4))
    tracemalloc.start()
    try:
        states = TokenStates(segment, ["big"])
        values, _, mask, _ = gather([(states, wanted, 16)])
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    whole = (segment / "big.values.npy").stat().st_size
    assert values.shape == (len(wanted), 16, WIDTH) and mask.all()
    assert most < whole / 10, f"{most:,} bytes were allocated to read a part of {whole:,}"


def test_one_text_is_a_view_into_the_file(segment):
    values, scales = TokenStates(segment, ["big"]).slices(3, TOKENS)
    assert isinstance(values, np.memmap) and isinstance(scales, np.memmap)
    assert not values.flags.owndata and not values.flags.writeable


def test_an_array_that_the_disk_has_no_room_for_is_an_error_however_small_it_is(tmp_path):
    array = np.arange(6)
    with pytest.raises(OSError, match="No space left"):
        write_array(Path("/dev/full"), array)
    write_array(tmp_path / "array.npy", array)
    assert np.load(tmp_path / "array.npy", allow_pickle=False).tolist() == array.tolist()
