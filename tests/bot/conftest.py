"""What tests of followed logs begin with."""

from __future__ import annotations

import pytest

from bot.following import FollowedLog


@pytest.fixture
def path(tmp_path):
    """Where a log is to grow; nothing is there yet."""
    return tmp_path / "running.jsonl"


@pytest.fixture
def log(path):
    """What follows it."""
    followed = FollowedLog(path)
    yield followed
    followed.close()
