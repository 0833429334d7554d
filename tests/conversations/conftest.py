"""What the tests of this room share."""

import pytest

from conversations.store import Store


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "desk.sqlite") as opened:
        yield opened
