"""A full sentence-transformers CrossEncoder behind the ranking seam: the peer to measure against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conversations.errors import ModelError
from conversations.model import Turn
from conversations.on_disk import read_object
from index.candidates import Candidate, ReadDialogue
from index.embedder import MAX_TOKENS
from index.encoder_loading import default_device, default_precision
from training.rankers.base import Ranked, Ranker, in_order

PAIR_TOKENS = 2 * MAX_TOKENS
"""Most tokens of dialogue and candidate together; a model that was trained on fewer reads fewer."""


def dialogue_text(turns: Sequence[Turn]) -> str:
    """A dialogue (oldest turn first) as one text, laid out as the encoder reads it: newest turn first.

    What is cut at the limit is then the oldest.

    >>> dialogue_text((Turn("customer", "My lamp is broken."), Turn("agent", "Which one?")))
    'Which one? My lamp is broken.'
    """
    return " ".join(turn.text for turn in reversed(turns))


def is_cross_encoder(directory: Path) -> bool:
    """Whether sentence-transformers has saved a CrossEncoder there."""
    return read_object(directory / "config_sentence_transformers.json").get("model_type") == "CrossEncoder"


class CrossEncoderRanker(Ranker):
    """Reads dialogue and candidate together, one full forward pass per candidate."""

    states_below = 0

    def __init__(self, path: str, precision: str | None = None) -> None:
        """Loads a CrossEncoder.

        Args:
            path: a directory or a name on the Hub.
            precision: by default what the device is fastest with.

        Raises:
            ModelError: it cannot be loaded.
        """
        import torch
        from sentence_transformers import CrossEncoder

        self.name = f"cross-encoder:{path}"
        device = default_device()
        try:
            self._model: Any = CrossEncoder(path, device=device, num_labels=1)
            limit = self._model.max_seq_length or PAIR_TOKENS
            self._model.max_seq_length = min(limit, PAIR_TOKENS)
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise ModelError(f"The cross-encoder {path} cannot be loaded: {reason}", "Check the path.") from error
        self._model.model.to(getattr(torch, precision or default_precision(device)))
        # The logit itself: behind a sigmoid the surest scores tie, and ties count against a ranker.
        self._as_it_is = torch.nn.Identity()

    def rank(self, context: ReadDialogue, candidates: Sequence[Candidate]) -> list[Ranked]:
        """All candidates, best first."""
        dialogue = dialogue_text(context.turns)
        texts = [" ".join(filter(None, (candidate.question, candidate.text))) for candidate in candidates]
        if not texts:
            return []
        pairs = [(dialogue, text) for text in texts]
        scores = self._model.predict(pairs, batch_size=64, show_progress_bar=False, activation_fn=self._as_it_is)
        return in_order(candidates, scores)
