"""Everything that can go wrong in a way that a person can mend.

Each error states what is wrong and the remedy. The command line prints both as one plain line and exits with
status 1; a traceback is shown only with ``--debug``.
"""


class AttendantError(Exception):
    """Something a person can mend: a message, and what to do about it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """The message and its remedy in one line."""
        return f"{self.message} {self.remedy}".strip()


class LogError(AttendantError):
    """A log file cannot be read at all: missing, empty, binary or of an unknown layout."""


class DeskError(AttendantError):
    """A desk does not exist, is in use by another command, or its store cannot be opened."""


class DeskBusy(DeskError):
    """Another command is writing to the desk."""


class IndexDamaged(AttendantError):
    """A file of the index is missing, damaged, or was built by another embedder. It can be rebuilt."""


class ModelError(AttendantError):
    """A reranker model cannot be used: damaged, of another encoder, shape or version."""


class TrainingError(AttendantError):
    """The data cannot train or evaluate a model: too little, or without right answers."""


class MissingPart(AttendantError):
    """A package or device that the command needs is not installed, or two exclude each other."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python's, or the processor's or a GPU's under torch and FAISS.

    These raise `RuntimeError` or a class of their own under it, and are not imported here.

    >>> is_out_of_memory(RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."))
    True
    >>> is_out_of_memory(RuntimeError("expected 3 dimensions"))
    False
    """
    words = ("out of memory", "not enough memory", "allocate memory")
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(said in str(error) for said in words)
    )
