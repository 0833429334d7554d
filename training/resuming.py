"""What a killed training of a reranker goes on with, besides the loop's checkpoint: negatives and best weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from training.distributed import is_first
from training.reranker import Reranker


class HardestFirst:
    """The order of each example's candidates that negatives are taken in, kept for a run that is resumed.

    Of every epoch: what a run had chosen after the epoch in which it was killed, that epoch has not seen.
    """

    def __init__(self, directory: Path | None, sizes: Sequence[int]) -> None:
        """Retrieval's order, and what a killed run had chosen for these examples.

        Args:
            directory: of the checkpoints.
            sizes: candidates of each example.
        """
        self._path = directory / "negatives.json" if directory else None
        self._nothing: list[list[int] | None] = [None] * len(sizes)
        self._chosen: dict[int, list[list[int]]] = {}
        self.orders = self._nothing
        if self._path is not None and self._path.is_file():
            with suppress(OSError, ValueError, TypeError, AttributeError):
                kept = json.loads(self._path.read_text(encoding="ascii"))
                for epoch, orders in kept.items():
                    if [sorted(order) for order in orders] == [list(range(size)) for size in sizes]:
                        self._chosen[int(epoch)] = orders

    def begin(self, epoch: int) -> None:
        """Takes the newest order that was chosen before an epoch."""
        before = [one for one in self._chosen if one < epoch]
        self.orders = [*self._chosen[max(before)]] if before else self._nothing

    def keep(self, epoch: int, orders: list[list[int]]) -> None:
        """Keeps what was chosen after an epoch."""
        self._chosen[epoch] = orders
        if self._path and is_first():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside = self._path.with_suffix(".tmp")
            beside.write_text(json.dumps(self._chosen), encoding="ascii")
            beside.replace(self._path)


class Best:
    """The weights of the best epoch so far, kept beside the checkpoints so that a resumed run still has them."""

    def __init__(self, directory: Path | None) -> None:
        self._path = directory / "best.checkpoint" if directory else None
        self.weights: dict[str, Tensor] | None = None
        self.mrr, self.epoch = -1.0, -1

    @classmethod
    def kept(cls, directory: Path | None) -> Self | None:
        """What a killed run left behind, if it is whole."""
        best = cls(directory)
        if best._path is None or not best._path.is_file():
            return None
        try:
            best.weights = load_file(best._path)
            with safe_open(best._path, "pt") as opened:
                said = opened.metadata()
            best.mrr, best.epoch = float(said["mrr"]), int(said["epoch"])
        except (OSError, KeyError, ValueError, SafetensorError):
            return None
        return best

    def offer(self, reranker: Reranker, mrr: float, epoch: int) -> None:
        """Keeps the weights if they are better than those before.

        Args:
            reranker: as it is after the epoch.
            mrr: held out.
            epoch: -1 before the first.
        """
        if mrr <= self.mrr:
            return
        self.mrr, self.epoch = mrr, epoch
        self.weights = {name: value.detach().cpu().clone() for name, value in reranker.state_dict().items()}
        if self._path and is_first():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside = self._path.with_suffix(".tmp")
            save_file(self.weights, beside, {"mrr": repr(mrr), "epoch": str(epoch)})
            beside.replace(self._path)
