"""The command line as its user types it, in this process."""

from __future__ import annotations

import pytest

from bot.cli import main
from conversations.desk import Desk


def call(*arguments):
    """Calls `attendant` and gives its exit status."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return ended.value.code


def empty_desk(tmp_path, monkeypatch):
    """A home of its own with the desk "acme", in which nothing is."""
    monkeypatch.delenv("ATTENDANT_HOME", raising=False)
    home = tmp_path / "home"
    Desk.create(home, "acme").store().close()
    return home
