"""What spares the reading of gigabytes of token states at every start: a note of which files were found whole.

Decisions:
- SHA-256 takes .75 s a gigabyte, and 1,000,000 pairs have 6 to 22 GB of token states. As git does, a file whose size,
  times and inode are those that it had when it was last found whole is taken to be whole.
- Never FAISS's files: damaged ones can crash it. `attendant doctor` reads everything, and so does every writer, who
  would give what is damaged a new checksum.
- A note that is missing, cannot be read or does not fit in every number means that the file is read.
- A file changed within the last seconds gets no note: another change could leave the same times.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

from conversations.on_disk import read_object, swap_in
from index.manifest import STAMPS, Manifest, verify_files

SETTLED_AFTER = 3.0
"""Seconds without a change: more than the steps in which any usual file system counts time."""

_Stamp = list[int | str]
"""SHA-256, size, times of the last change of content and of anything, inode."""


def verify_changed(directory: Path, manifest: Manifest) -> None:
    """As `verify_files` for FAISS's files, and for the others that are not just as they were when last found whole.

    Raises:
        IndexDamaged: a file is missing or is not what was written.
    """
    noted: dict[str, _Stamp] = read_object(directory / STAMPS)
    # Before they are read: what changes meanwhile is read again.
    stamps = {name: _stamp(directory, manifest, name) for name in manifest.files.keys() - manifest.vectors.values()}
    settled = {name: stamp for name, stamp in stamps.items() if stamp}
    known = {name for name, stamp in settled.items() if noted.get(name) == stamp}
    verify_files(directory, manifest, [name for name in manifest.files if name not in known])
    if settled != noted:
        # A desk that may only be read is served all the same.
        with contextlib.suppress(OSError):
            swap_in(json.dumps(settled), directory / STAMPS)


def _stamp(directory: Path, manifest: Manifest, name: str) -> _Stamp | None:
    """What a note says of a file as it is now; None where it cannot be told, or has changed just now."""
    try:
        stat = (directory / name).stat()
    except OSError:
        return None
    if time.time() - max(stat.st_mtime, stat.st_ctime) < SETTLED_AFTER:
        return None
    return [manifest.files[name], stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
