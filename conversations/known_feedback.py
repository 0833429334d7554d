"""All feedback of an open desk, kept in memory: whoever judges elsewhere is noticed, and only what is new is read."""

from __future__ import annotations

from conversations import store_reading as reading
from conversations.database import DeskFile
from conversations.model import Feedback


class KnownFeedback:
    """What was said of answers and done with them in a desk, also by others while it is open."""

    def __init__(self, file: DeskFile) -> None:
        """Stands on a desk's file. Nothing is read yet."""
        self._file = file
        self._state = reading.FeedbackState()
        self._known: tuple[Feedback, ...] = ()

    def latest(self) -> tuple[Feedback, ...]:
        """All feedback, oldest first; the same object again as long as none was added or removed.

        Raises:
            DeskError: the file cannot be read.
        """
        state = reading.feedback_state(self._file)
        if state == self._state:
            return self._known
        added = tuple(reading.feedback(self._file, after_id=self._state.last))
        if self._state.kept + len(added) == state.kept:
            self._known += added
        else:  # Some of what was known is gone, as with a customer who was forgotten.
            self._known = tuple(reading.feedback(self._file))
        # What was written while this was read may be among it or not: then all is read anew the next time.
        self._state = state if reading.feedback_state(self._file) == state else reading.FeedbackState(kept=-1)
        return self._known
