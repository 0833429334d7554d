"""Ctrl-C around an application of prompt_toolkit: from before its event loop is made until after that was closed."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Self

from prompt_toolkit.application import get_app_or_none


class HeldInterrupts:
    """Gives each Ctrl-C to the application that runs, or notes it where none does; use as a context manager.

    A KeyboardInterrupt while the event loop is made or closed would leave it half made, and prompt_toolkit's own
    handler gives a Ctrl-C also to an application that has just ended, which fails: Python would print both on the
    screen. Applications are to be run with `handle_sigint=False`, and `pass_on` as soon as they run.
    """

    def __init__(self) -> None:
        """Holds nothing yet."""
        self._came = False

    def __enter__(self) -> Self:
        """Begins to hold them; on the main thread only, where Python handles signals."""
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """Ends that; nothing is raised."""
        signal.signal(signal.SIGINT, self._before)

    @property
    def came(self) -> bool:
        """Whether one came that no application has got."""
        return self._came

    def pass_on(self) -> None:
        """Gives one that came to the application that runs, as the key that it is there."""
        application = get_app_or_none()
        future = application.future if application else None
        if self._came and application and future and not future.done():
            self._came = False
            application.key_processor.send_sigint()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        application = get_app_or_none()
        if application and application.loop:
            # It may be in the middle of anything, or asleep.
            application.loop.call_soon_threadsafe(self.pass_on)
