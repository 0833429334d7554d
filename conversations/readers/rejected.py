"""What a reader could not use, kept so that nothing is lost in silence."""

from __future__ import annotations

from dataclasses import dataclass

FROM_HERE_ON = "damaged from here on"
"""In the reason of the piece after which nothing of a file can be read."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A piece of a log that was not imported, and why."""

    file: str
    line: int
    """Where it begins, from 1."""
    reason: str
    """What is wrong and what would mend it."""
    raw: str
    """The piece itself, cut to its beginning."""

    @property
    def is_end(self) -> bool:
        """Whether nothing of the file can be read from here on."""
        return self.line == 0 or FROM_HERE_ON in self.reason


class RowError(ValueError):
    """A row cannot become a conversation. Its message is the reason, with the remedy."""
