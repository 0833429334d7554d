"""Forgetting for good: what the store no longer holds leaves the index files too, whichever encoder made them; and
indexes of encoders that nothing reads any more go whole.

An ordinary update only stops serving what is gone; its token states stay in the files until these are merged. Token
states are nearly the text itself, so what a person asked to be forgotten is written out of the files at once. So are
the cells of a large index: the mean of a cell that held one vector is that vector.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from conversations.errors import IndexDamaged
from conversations.store import Store
from index.builder import index_directory
from index.index_files import IndexFiles
from index.manifest import read_manifest


def forget_in_indexes(root: Path, store: Store) -> int:
    """Removes vectors and token states that the store does not hold from all indexes of a desk.

    An index that cannot be read is deleted whole; it is built from the store when it is next needed. The caller
    holds the desk's write lock.

    Args:
        root: the desk's index directory.
        store: the source of truth.

    Returns:
        Vectors removed, those of all encoders counted.
    """
    removed = 0
    for directory in sorted(path for path in root.glob("*") if path.is_dir()):
        try:
            manifest = read_manifest(directory)
            if manifest is None:
                raise IndexDamaged("There is no manifest.")
            files = IndexFiles(directory, manifest, store)
            _, pairs, _, answers = files.difference(store.pair_ids(), store.answer_ids())
            before = sum(map(len, files.views.values()))
            files.remove(pairs, answers)
            for index in files.views.values():
                index.renew()
            files.merge()
            removed += before - sum(map(len, files.views.values()))
        except IndexDamaged:
            shutil.rmtree(directory)
    return removed


def is_any_behind(root: Path, store: Store) -> bool:
    """Whether an index lacks what the store holds; to be asked once all that is too many was forgotten.

    Args:
        root: the desk's index directory.
        store: the source of truth.
    """
    held = len(store.pair_ids()), len(store.answer_ids())
    manifests = (read_manifest(path) for path in root.glob("*") if path.is_dir())
    return any((one.pairs, one.answers) != held for one in manifests if one is not None)


def keep_indexes_of(encoders: Iterable[str], root: Path) -> None:
    """Deletes the indexes of all other encoders. The caller holds the desk's write lock.

    Args:
        encoders: their identities.
        root: the desk's index directory.
    """
    kept = {index_directory(root, encoder) for encoder in encoders}
    for directory in root.glob("*"):
        if directory.is_dir() and directory not in kept:
            shutil.rmtree(directory, ignore_errors=True)
