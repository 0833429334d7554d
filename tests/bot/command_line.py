"""The command line as its user types it, in this process."""

from __future__ import annotations

import pytest

from bot.cli import main


def call(*arguments):
    """Calls `attendant` and gives its exit status."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code
