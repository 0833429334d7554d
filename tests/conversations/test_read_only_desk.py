"""A desk in a directory that nobody may write to says so, and where to look."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from pathlib import Path

import pytest

from conversations.errors import DeskError
from conversations.store import Store

NOBODY = 65534


@pytest.fixture
def database():
    """A store's file that anybody may write to; not below the tests' own directory, which nobody else may enter."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "desk.sqlite"
        Store(path).close()
        path.chmod(0o666)
        path.parent.chmod(0o555)
        yield path
        path.parent.chmod(0o700)


def _open(path, told):
    if os.geteuid() == 0:
        os.setuid(NOBODY)  # root may write anywhere
    try:
        Store(path).close()
        told.send("")
    except DeskError as error:
        told.send(str(error))


@pytest.mark.skipif(os.name != "posix", reason="permissions are others there")
def test_a_store_in_a_directory_that_cannot_be_written_to_says_that_it_is_the_directory(database):
    fork = multiprocessing.get_context("fork")
    hears, told = fork.Pipe(duplex=False)
    process = fork.Process(target=_open, args=(database, told))
    process.start()
    assert hears.poll(20)
    said = hears.recv()
    process.join(20)
    assert said.startswith(f"{database} cannot be opened for writing")
    assert f"Check its permissions and those of {database.parent}" in said and "\n" not in said
