"""A real pseudo-terminal with a program in it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_STYLE = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """Starts `python ARGUMENTS` in a terminal of its own; use as a context manager."""

    def __init__(self, *arguments, columns=80, rows=30, **environment):
        variables = dict(os.environ, TERM="xterm-256color", PROMPT_TOOLKIT_NO_CPR="1", OMP_NUM_THREADS="1")
        variables |= {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **environment}
        self.process, self.fd = pty.fork()
        if self.process == 0:
            os.chdir(ROOT)
            # Where the tests themselves run in the background, Ctrl-C is ignored, and that would be inherited.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execve(sys.executable, [sys.executable, *arguments], variables)
        self.resize(columns, rows)
        self.raw = b""
        self.status = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        os.close(self.fd)

    def resize(self, columns, rows):
        """Gives the terminal another size, as dragging its window does."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def text(self):
        """All that was written so far, without colours and cursor moves."""
        return _STYLE.sub(b"", self.raw).decode("utf-8", "replace")

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def wait_for(self, text, since=0, seconds=60):
        """Reads until a text stands in the output after a position; gives the position behind it."""
        end = time.monotonic() + seconds
        while (place := self.text.find(text, since)) < 0:
            assert self._read(end), f"{text!r} did not come: {self.text[since:]!r}"
        return place + len(text)

    def wait_until_it_waits(self, seconds=60):
        """Until the program sleeps and uses no processor time any more: it waits for a key."""
        end, still, before = time.monotonic() + seconds, 0, ""
        while still < 5:
            assert time.monotonic() < end, "it never came to rest"
            time.sleep(0.1)
            state, *rest = Path(f"/proc/{self.process}/stat").read_text().rpartition(") ")[2].split()
            used = " ".join(rest[10:12])
            still = still + 1 if state == "S" and used == before else 0
            before = used

    def read_all(self):
        """Reads what has been written so far; all that was ever written."""
        while select.select([self.fd], [], [], 0)[0] and self._read(time.monotonic() + 1):
            pass
        return self.raw

    def exit_status(self, seconds=60):
        """Reads to the end; the exit status."""
        end = time.monotonic() + seconds
        while self._read(end):
            pass
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])
        return self.status

    def _read(self, end):
        ready, _, _ = select.select([self.fd], [], [], max(end - time.monotonic(), 0))
        assert ready, f"nothing came for too long after {self.text[-300:]!r}"
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # Linux says so when the other side is closed
            return False
        self.raw += data
        return bool(data)
