"""Late interaction (MaxSim) behind the ranking seam: a sentence-transformers `MultiVectorEncoder`, as a peer.

Khattab and Zaharia 2020, "ColBERT": every token of the dialogue looks for its best token of the answer, and the
similarities found are added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from conversations.errors import ModelError
from index.candidates import Candidate, ReadDialogue
from index.embedder import MAX_TOKENS
from index.encoder_loading import BUNDLED, default_device, default_precision, load_encoder
from training.rankers.base import Ranked, Ranker, in_order
from training.rankers.cross_encoder import dialogue_text

REMEMBERED = 8_192
"""Answers whose token vectors are kept: a few hundred megabytes, where they are short."""


class MaxSimRanker(Ranker):
    """Encodes the dialogue once and each answer once while it is remembered, one vector a token."""

    states_below = 0

    def __init__(self, path: str = "") -> None:
        """Loads a MultiVectorEncoder.

        Args:
            path: a directory or a name on the Hub; without one the tokens of the bundled encoder, untrained for this.

        Raises:
            ModelError: it cannot be loaded.
        """
        import torch
        from sentence_transformers import MultiVectorEncoder
        from sentence_transformers.sentence_transformer.modules import Normalize

        self.name = f"max-sim:{path}" if path else "max-sim"
        device = default_device()
        try:
            if path:
                self._model: Any = MultiVectorEncoder(path, device=device)
            else:
                tokens = load_encoder(BUNDLED, device)[0]
                unit = Normalize(module_input_name="token_embeddings", module_output_name="token_embeddings")
                self._model = MultiVectorEncoder(modules=[tokens, unit], device=device)
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            raise ModelError(f"The encoder {path} cannot be loaded: {reason}", "Check the path.") from error
        self._model.max_seq_length = MAX_TOKENS
        self._model.to(getattr(torch, default_precision(device)))
        self._answer = lru_cache(REMEMBERED)(self._encode_answer)

    def _encode_answer(self, text: str) -> Any:  # noqa: ANN401 - a tensor
        return self._model.encode_document([text], show_progress_bar=False)[0]

    def rank(self, context: ReadDialogue, candidates: Sequence[Candidate]) -> list[Ranked]:
        """All candidates, best first."""
        if not candidates:
            return []
        asked = self._model.encode_query([dialogue_text(context.turns)], show_progress_bar=False)[0].float()
        scores = [
            float((asked @ self._answer(candidate.text).float().T).amax(dim=1).mean()) for candidate in candidates
        ]
        return in_order(candidates, np.array(scores))
