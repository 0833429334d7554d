"""Token states on disk: what the reranker reads of every past question and answer, memory-mapped.

Decisions:
- One int8 per number and one half-precision scale per token: half a kilobyte a token at width 384, a quarter of
  float32's size, cosine to the original above .999.
- Segments are immutable: an import adds one and links the others, a deletion only leaves rows that nobody asks for,
  until `merge_segments` writes what is still wanted anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from conversations.errors import IndexDamaged

Ids = npt.NDArray[np.int64]
ARRAYS = ("ids", "offsets", "values", "scales")
"""The files of a segment: STEM.ids.npy and so on."""
_FIRST_EXTRA = 1 << 48
"""Beyond all ids of a database."""
_LONGEST = 1 << 30
"""Beyond the tokens of any text."""
_Packed = tuple[npt.NDArray[np.int8], npt.NDArray[np.float16]]


def quantize(states: Tensor) -> tuple[Tensor, Tensor]:
    """(tokens, width) float -> int8 values of the same shape and one float16 scale a token.

    >>> values, scales = quantize(torch.tensor([[1.0, -0.5]]))
    >>> (values.float() * scales.float()[:, None]).round(decimals=3)
    tensor([[ 1.0000, -0.5040]])
    """
    scales = (states.abs().amax(dim=-1) / 127.0).clamp(min=1e-6).half()
    values = (states / scales.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
    return values, scales


def write_segment(
    directory: Path, stem: str, ids: Ids, lengths: Sequence[int], states: Iterable[Tensor], width: int
) -> list[Path]:
    """Writes one segment; the states come one text at a time and are never all in memory.

    Args:
        directory: where to.
        stem: first part of the file names; must not be taken.
        ids: one per text, ascending.
        lengths: tokens of each text.
        states: per text (tokens, width).
        width: of the states.

    Returns:
        The files written.
    """
    return _write(directory, stem, ids, lengths, ((v.numpy(), s.numpy()) for v, s in map(quantize, states)), width)


def merge_segments(directory: Path, stems: Sequence[str], stem: str, ids: Ids, width: int) -> list[Path]:
    """Writes the states of some texts, wherever they lie, as one new segment; nothing is encoded again.

    Args:
        directory: of the index.
        stems: of the segments there.
        stem: of the new one; must not be taken.
        ids: the texts to keep, ascending.
        width: of the states.

    Returns:
        The files written.

    Raises:
        IndexDamaged: a file is missing, or an id has no states.
    """
    present = TokenStates(directory, stems)
    lengths = [len(present.slices(int(identifier), _LONGEST)[1]) for identifier in ids]
    packed = (present.slices(int(identifier), _LONGEST) for identifier in ids)
    return _write(directory, stem, ids, lengths, packed, width)


def _write(
    directory: Path, stem: str, ids: Ids, lengths: Sequence[int], packed: Iterable[_Packed], width: int
) -> list[Path]:
    paths = {name: directory / f"{stem}.{name}.npy" for name in ARRAYS}
    for path in paths.values():
        # What a kill left under this name may still be mapped by a reader: it keeps its own.
        path.unlink(missing_ok=True)
    offsets = np.zeros(len(ids) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    write_array(paths["ids"], np.asarray(ids, dtype=np.int64))
    write_array(paths["offsets"], offsets)
    # Written as a stream, not through a memory map: a full disk is then an error and not a killed process.
    with paths["values"].open("wb") as values, paths["scales"].open("wb") as scales:
        _write_header(values, np.int8, (int(offsets[-1]), width))
        _write_header(scales, np.float16, (int(offsets[-1]),))
        for value, scale in packed:
            values.write(value.tobytes())
            scales.write(scale.tobytes())
    return list(paths.values())


def write_array(path: Path, array: npt.NDArray[np.generic]) -> None:
    """Writes what `numpy.save` would write; that one loses what fails at the file's closing.

    Raises:
        OSError: it cannot be written, or not all of it.
    """
    with path.open("wb") as file:
        _write_header(file, array.dtype, array.shape)
        file.write(array.tobytes())


def _write_header(file: BinaryIO, dtype: npt.DTypeLike, shape: tuple[int, ...]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


class TokenStates:
    """Read access to the token states of many texts by id."""

    def __init__(self, directory: Path, stems: Sequence[str]) -> None:
        """Maps the segments' files.

        Raises:
            IndexDamaged: a file is missing or is not what its header says.
        """
        self._arrays: list[dict[str, npt.NDArray[np.generic]]] = []
        for stem in stems:
            try:
                arrays: dict[str, npt.NDArray[np.generic]] = {
                    name: np.load(
                        directory / f"{stem}.{name}.npy",
                        mmap_mode="r" if name in ("values", "scales") else None,
                        allow_pickle=False,
                    )
                    for name in ARRAYS
                }
            except (OSError, ValueError, EOFError) as error:
                raise IndexDamaged(
                    f"Token states {stem} in {directory} cannot be read.", "They are rebuilt from the store."
                ) from error
            self._arrays.append(arrays)
        ids = [arrays["ids"].astype(np.int64) for arrays in self._arrays]
        all_ids = np.concatenate(ids) if ids else np.zeros(0, np.int64)
        segment = np.repeat(np.arange(len(ids)), [len(part) for part in ids])
        row = np.concatenate([np.arange(len(part)) for part in ids]) if ids else np.zeros(0, np.int64)
        order = np.argsort(all_ids, kind="stable")
        self._ids, self._segment, self._row = all_ids[order], segment[order], row[order]

    def __len__(self) -> int:
        """Number of texts."""
        return len(self._ids)

    def slices(self, identifier: int, limit: int) -> _Packed:
        """One text's int8 values (tokens, width) and scales (tokens,), views into the file.

        Args:
            identifier: of the text.
            limit: tokens to keep, from the beginning.

        Raises:
            IndexDamaged: the id has no states.
        """
        place = int(np.searchsorted(self._ids, identifier))
        if place == len(self._ids) or self._ids[place] != identifier:
            raise IndexDamaged(f"Text {identifier} has no token states.", "Run: attendant doctor --repair.")
        arrays, row = self._arrays[self._segment[place]], self._row[place]
        begin, end = int(arrays["offsets"][row]), int(arrays["offsets"][row + 1])
        end = min(end, begin + limit)
        return arrays["values"][begin:end], arrays["scales"][begin:end]


class ExtraStates(TokenStates):
    """Token states of a file, and of some more texts in memory."""

    def __init__(self, source: TokenStates) -> None:
        """Starts with none in memory."""
        self._source = source
        self._extra: list[_Packed] = []

    def __len__(self) -> int:
        """Number of texts."""
        return len(self._source) + len(self._extra)

    def add(self, states: Tensor) -> int:
        """Keeps the states of one text, (tokens, width), and returns the id that they are asked for with."""
        values, scales = quantize(states)
        self._extra.append((values.numpy(), scales.numpy()))
        return _FIRST_EXTRA + len(self._extra) - 1

    def slices(self, identifier: int, limit: int) -> _Packed:
        """As `TokenStates.slices`."""
        if identifier < _FIRST_EXTRA:
            return self._source.slices(identifier, limit)
        values, scales = self._extra[identifier - _FIRST_EXTRA]
        return values[:limit], scales[:limit]


class JoinedStates(TokenStates):
    """Token states of several sources, the ids of each counted on from those of the one before."""

    def __init__(self, sources: Sequence[TokenStates]) -> None:
        """Takes sources whose ids are counted from 0."""
        self._sources = sources
        self._begins = np.cumsum([0, *(len(source) for source in sources)])

    def __len__(self) -> int:
        """Number of texts."""
        return int(self._begins[-1])

    def slices(self, identifier: int, limit: int) -> _Packed:
        """As `TokenStates.slices`."""
        number = min(int(np.searchsorted(self._begins, identifier, side="right")), len(self._sources)) - 1
        return self._sources[number].slices(identifier - int(self._begins[number]), limit)


def gather(parts: Sequence[tuple[TokenStates, Sequence[int], int]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Joins the parts of each candidate (its question, its answer) into one padded batch, still packed.

    Only the pages of these texts are read from the files.

    Args:
        parts: token states, one id per candidate (negative for none), and how many tokens to keep of each.

    Returns:
        int8 values (candidates, tokens, width), float16 scales (candidates, tokens), the mask of real tokens and the
        number of the part that each token belongs to, both (candidates, tokens).
    """
    count = len(parts[0][1])
    pieces = [
        [source.slices(ids[row], limit) if ids[row] >= 0 else None for source, ids, limit in parts]
        for row in range(count)
    ]
    lengths = [sum(len(piece[0]) for piece in row if piece) for row in pieces]
    width = next((piece[0].shape[1] for row in pieces for piece in row if piece), 0)
    values = np.zeros((count, max(lengths, default=0), width), np.int8)
    scales = np.zeros(values.shape[:2], np.float16)
    mask = np.zeros(values.shape[:2], bool)
    part = np.zeros(values.shape[:2], np.int64)
    for row, own in enumerate(pieces):
        end = 0
        for number, piece in enumerate(own):
            if piece:
                begin, end = end, end + len(piece[0])
                values[row, begin:end], scales[row, begin:end] = piece
                part[row, begin:end] = number
        mask[row, :end] = True
    return torch.from_numpy(values), torch.from_numpy(scales), torch.from_numpy(mask), torch.from_numpy(part)
