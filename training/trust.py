"""What the parts of a reranker's score count on a desk: the signals of retrieval, and what it has learned.

The base model has learned elsewhere, and helps one desk more than another. On a desk without a model of its own these
few numbers are fitted to its past; the weights stay as they ship.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from index.candidates import SIGNALS
from training.rankers.base import Ranked, in_order
from training.reranker import Reranker

if TYPE_CHECKING:
    from conversations.store import Store
    from training.registry import Model

SETTING = "trust in "
"""With a model's fingerprint behind it."""
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Trust:
    """What the parts of a reranker's score count."""

    signals: tuple[float, ...]
    """Weight of each of `SIGNALS`; none is negative."""
    learned: float = 1.0
    """Factor on what its trained part adds."""

    def give_to(self, reranker: Reranker) -> None:
        """Makes a reranker score so, in place."""
        with torch.no_grad():
            reranker.signal_weights.copy_(torch.tensor(self.signals))
            for learned in (reranker.score_out.weight, reranker.score_out.bias, reranker.part_weights):
                learned.mul_(self.learned)

    def reorder(self, reranker: Reranker, ranked: Sequence[Ranked]) -> list[Ranked]:
        """A list as the reranker would have ranked it so.

        Args:
            reranker: that ranked it, as it was then.
            ranked: its list.
        """
        signals, learned = parts_of(reranker, ranked)
        scores = signals @ np.array(self.signals, np.float32) + self.learned * learned
        return in_order([entry.candidate for entry in ranked], scores)


def keep_trust(store: Store, model: str, trust: Trust) -> None:
    """Keeps what the parts of a model count on a desk.

    Args:
        store: of the desk.
        model: its fingerprint.
        trust: to serve with.
    """
    store.set_setting(SETTING + model, asdict(trust))


def trusted(store: Store, model: Model) -> Model:
    """The model with its parts counting what they are worth on a desk; as it is where that was never fitted."""
    kept = store.setting(SETTING + model.fingerprint)
    return model.trusted(Trust(tuple(kept["signals"]), kept["learned"])) if kept else model


def parts_of(reranker: Reranker, ranked: Sequence[Ranked]) -> tuple[Floats, Floats]:
    """The signals of a list, (candidates, signals), and what the reranker that ranked it added, (candidates,)."""
    signals = np.array([entry.candidate.signals for entry in ranked], np.float32).reshape(-1, len(SIGNALS))
    scores = np.array([entry.score for entry in ranked], np.float32)
    return signals, scores - signals @ reranker.signal_weights.detach().cpu().float().numpy()
