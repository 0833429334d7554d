"""Bringing an index in step with the store: encode what is new, drop what is gone, swap in one move.

Only what the index does not have yet is encoded. A long import is encoded in slices, each of which leaves a complete,
smaller index behind: a kill costs one slice.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor

from conversations.errors import IndexDamaged
from conversations.store import Store
from index.embedder import Embedder
from index.index_files import IndexFiles, compared
from index.manifest import Manifest, read_manifest, verify_files, verify_state
from index.states import Ids, write_segment
from index.tokens import Tokens
from index.vectors import VectorIndex

OnProgress = Callable[[str, int, int], None]

SLICE = 20_000
"""Pairs or answers encoded before the index is swapped."""
SLICES = 20
"""No slice is less than a twentieth of what is there: all vectors are written with each."""
CHUNK = 2_048
"""Texts whose token states are in memory at a time."""
STATES_BELOW = 1
"""Token states are kept as they enter the encoder's last layer."""
MOST_SEGMENTS = 24
"""More segments than this are merged."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


def index_directory(root: Path, encoder: str) -> Path:
    """Where the index of one encoder lies: another encoder's index never mixes with it."""
    return root / encoder.rsplit("@", 1)[-1]


def update_index(root: Path, store: Store, embedder: Embedder, on_progress: OnProgress | None = None) -> list[str]:
    """Makes the index hold exactly what the store holds. The caller holds the desk's write lock.

    Args:
        root: the desk's index directory.
        store: the source of truth.
        embedder: what to encode with.
        on_progress: called with (what is done, texts done, texts in all).

    Returns:
        What had to be mended, as sentences; empty when nothing was wrong.
    """
    directory = index_directory(root, embedder.identity)
    directory.mkdir(parents=True, exist_ok=True)
    mended = []
    try:
        index = _Writer(directory, embedder, store)
    except IndexDamaged as error:
        mended.append(f"{error.message} It was rebuilt.")
        shutil.rmtree(directory)
        directory.mkdir(parents=True)
        index = _Writer(directory, embedder, store)
    index.update(store, on_progress or (lambda *_: None))
    return mended


def check_index(root: Path, store: Store, encoder: str) -> list[Check]:
    """Whether the index of this encoder is whole and in step with the store."""
    directory = index_directory(root, encoder)
    try:
        manifest = read_manifest(directory)
        if manifest is None:
            return [Check("index", False, "There is no index yet: run attendant doctor --repair.")]
        verify_files(directory, manifest)
        verify_state(manifest.writing, store)
        pairs = VectorIndex.load(directory / manifest.vectors["questions"], manifest.dimension)
        answers = VectorIndex.load(directory / manifest.vectors["answers"], manifest.dimension)
    except IndexDamaged as error:
        return [Check("index files", False, str(error))]
    checks = [Check("index files", True, f"{len(manifest.files)} files match their SHA-256")]
    for name, index, ids in (("pairs", pairs, store.pair_ids()), ("answers", answers, store.answer_ids())):
        missing, extra = compared(ids, index.ids)
        checks.append(
            Check(
                f"index of {name}",
                not len(missing) and not len(extra),
                f"{len(ids)} in the store; {len(missing)} not in the index, {len(extra)} only in the index",
            )
        )
    return checks


class _Writer(IndexFiles):
    """An index that can be added to."""

    def __init__(self, directory: Path, embedder: Embedder, store: Store) -> None:
        manifest = read_manifest(directory) or Manifest(
            encoder=embedder.identity,
            dimension=embedder.dimension,
            states_below=STATES_BELOW,
            pairs=0,
            answers=0,
            serial=0,
            segments={"questions": [], "answers": []},
        )
        if manifest.encoder != embedder.identity or manifest.states_below != STATES_BELOW:
            raise IndexDamaged("The index was built by another encoder.")
        super().__init__(directory, manifest, store)
        self.embedder = embedder

    def update(self, store: Store, on_progress: OnProgress) -> None:
        new_pairs, gone_pairs, new_answers, gone_answers = self.difference(store.pair_ids(), store.answer_ids())
        has_many = len(self.manifest.segments["questions"]) > MOST_SEGMENTS
        is_known = self.manifest.serial and bool(self.manifest.writing) == bool(self.writing)
        if is_known and not any(map(len, (new_pairs, gone_pairs, new_answers, gone_answers))):
            return
        self.remove(gone_pairs, gone_answers)
        if has_many:
            self.merge()
        done, total = 0, len(new_pairs) + len(new_answers)

        def report(slice_done: float) -> None:
            on_progress("embedding", done + int(slice_done), total)

        slices = [(self._encode_answers, part) for part in _slices(new_answers, self.manifest.answers)]
        slices += [(self._encode_pairs, part) for part in _slices(new_pairs, self.manifest.pairs)]
        if not slices:
            self.swap([])
        for encode, ids in slices:
            self.swap(encode(store, ids, report))
            done += len(ids)
            report(0)

    def _encode_answers(self, store: Store, ids: Ids, report: Callable[[float], None]) -> list[Path]:
        tokens = self.embedder.tokenize_answers([answer.text for answer in store.answers(ids.tolist())])
        return self._encode("answers", ids, tokens, report)[1]

    def _encode_pairs(self, store: Store, ids: Ids, report: Callable[[float], None]) -> list[Path]:
        pairs = list(store.pairs(ids=ids.tolist()))
        tokens = self.embedder.tokenize([pair.question for pair in pairs])
        vectors, files = self._encode("questions", ids, tokens, lambda done: report(done / 2))
        # A dialogue of one turn is its question.
        longer = [row for row, pair in enumerate(pairs) if len(pair.dialogue) > 1]
        for begin in range(0, len(longer), CHUNK):
            rows = longer[begin : begin + CHUNK]
            vectors[rows] = self.embedder.encode_dialogues([pairs[row].dialogue for row in rows])
            report(len(ids) * (1 + (begin + len(rows)) / len(longer)) / 2)
        self.views["dialogues"].add(ids, vectors)
        return files

    def _encode(
        self, view: str, ids: Ids, tokens: Sequence[Tokens], report: Callable[[float], None]
    ) -> tuple[npt.NDArray[np.float32], list[Path]]:
        """Adds the texts' vectors to a view and writes their token states; returns the vectors and the files."""
        vectors = np.zeros((len(ids), self.embedder.dimension), np.float32)

        def states() -> Iterator[Tensor]:
            for begin in range(0, len(tokens), CHUNK):
                chunk = tokens[begin : begin + CHUNK]
                vectors[begin : begin + len(chunk)], chunk_states = self._encode_once(chunk)
                yield from chunk_states
                report(begin + len(chunk))

        stem = f"{self.manifest.serial + 1:06d}-{view}"
        lengths = [len(text.ids) for text in tokens]
        files = write_segment(self.directory, stem, ids, lengths, states(), self.embedder.dimension)
        self.manifest.segments[view].append(stem)
        self.views[view].add(ids, vectors)
        return vectors, files

    def _encode_once(self, tokens: Sequence[Tokens]) -> tuple[npt.NDArray[np.float32], list[Tensor]]:
        """Vectors and states, equal texts encoded once: "yes" is asked a thousand times."""
        place: dict[tuple[int, ...], int] = {}
        unique: list[Tokens] = []
        for text in tokens:
            key = tuple(text.ids)
            if key not in place:
                place[key] = len(unique)
                unique.append(text)
        encoded = self.embedder.encode_tokens(unique, STATES_BELOW)
        rows = [place[tuple(text.ids)] for text in tokens]
        return encoded.vectors[rows], [encoded.states[row] for row in rows]


def _slices(ids: Ids, present: int) -> list[Ids]:
    """Splits new ids, so many others being there."""
    slices: list[Ids] = []
    begin = 0
    while begin < len(ids):
        slices.append(ids[begin : begin + max(SLICE, (present + begin) // SLICES)])
        begin += len(slices[-1])
    return slices
