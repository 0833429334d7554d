"""The answers of a data set as an encoder reads them: encoded once, kept in a directory, found there again."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor

from conversations.errors import IndexDamaged
from index.embedder import Embedder
from index.states import TokenStates, write_array, write_segment

_CHUNK = 1_024
_STATES = "answers"
_VECTORS = "vectors.npy"


@dataclass(frozen=True, slots=True)
class EncodedAnswers:
    """Vectors and token states of all answers, in their order."""

    vectors: npt.NDArray[np.float32]
    """(answers, dimension), each of length 1."""
    states: TokenStates | None
    """By row; None where none were asked for."""


def vectors_of(
    answers: Sequence[str], needed: Sequence[int], embedder: Embedder, on_progress: Callable[[int, int], None]
) -> npt.NDArray[np.float32]:
    """(answers, dimension): vectors of the needed rows, zeros for the others; kept nowhere."""
    vectors = np.zeros((len(answers), embedder.dimension), dtype=np.float32)
    for begin in range(0, len(needed), _CHUNK):
        rows = list(needed[begin : begin + _CHUNK])
        vectors[rows] = embedder.encode_answers([answers[row] for row in rows])
        on_progress(begin + len(rows), len(needed))
    return vectors


def encoded_answers(
    answers: Sequence[str],
    embedder: Embedder,
    states_below: int,
    directory: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> EncodedAnswers:
    """Encodes answers, or reads what an earlier call with the same encoder and answers has left in the directory.

    Args:
        answers: the texts.
        embedder: reads them.
        states_below: as for `Embedder.encode_tokens`; 0 for no token states.
        directory: what is encoded is kept in it under a name of its own, whole or not at all; several processes may
            share it.
        on_progress: called with (answers done, answers in all).
    """
    key = hashlib.sha256(f"{embedder.identity} {states_below} {embedder.max_tokens}".encode())
    for text in answers:
        key.update(text.encode() + b"\0")
    own = directory / f"answers-{key.hexdigest()[:16]}"
    with suppress(OSError, ValueError, IndexDamaged):
        return _opened(own, len(answers), states_below)
    directory.mkdir(parents=True, exist_ok=True)
    # Others may be encoding the same into this directory: each writes where nobody else does.
    with tempfile.TemporaryDirectory(prefix=f"{own.name}.", dir=directory, ignore_cleanup_errors=True) as private:
        beside = Path(private) / own.name
        beside.mkdir()
        _write(answers, embedder, states_below, beside, on_progress)
        try:
            beside.replace(own)
        except OSError:
            # It is there: as another has just written it, or not whole.
            with suppress(OSError, ValueError, IndexDamaged):
                return _opened(own, len(answers), states_below)
            shutil.rmtree(own, ignore_errors=True)
            beside.replace(own)
    return _opened(own, len(answers), states_below)


def _write(
    answers: Sequence[str],
    embedder: Embedder,
    states_below: int,
    directory: Path,
    on_progress: Callable[[int, int], None] | None,
) -> None:
    vectors = np.zeros((len(answers), embedder.dimension), np.float32)
    tokens = embedder.tokenize_answers(answers)

    def encoded() -> Iterator[Tensor]:
        for begin in range(0, len(tokens), _CHUNK):
            chunk = embedder.encode_tokens(tokens[begin : begin + _CHUNK], states_below)
            vectors[begin : begin + _CHUNK] = chunk.vectors
            yield from chunk.states
            if on_progress:
                on_progress(min(begin + _CHUNK, len(tokens)), len(tokens))

    if states_below:
        lengths = [len(text.ids) for text in tokens]
        write_segment(directory, _STATES, np.arange(len(tokens)), lengths, encoded(), embedder.dimension)
    else:
        for _ in encoded():
            pass
    write_array(directory / _VECTORS, vectors)


def _opened(own: Path, count: int, states_below: int) -> EncodedAnswers:
    vectors = np.load(own / _VECTORS, allow_pickle=False)
    states = TokenStates(own, [_STATES]) if states_below else None
    if len(vectors) != count or (states is not None and len(states) != count):
        raise IndexDamaged(f"{own} does not hold {count} answers.", "It is made again.")
    return EncodedAnswers(vectors, states)
