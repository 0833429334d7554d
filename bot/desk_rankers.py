"""The rankers that a desk can be asked with."""

from __future__ import annotations

from conversations.errors import ModelError
from index.retriever import Retriever
from training.rankers import Ranker, bm25_ranker, cosine_ranker, retrieval_ranker
from training.rankers.cross_attention import CrossAttentionRanker
from training.registry import Model

PLAIN = {"retrieval": retrieval_ranker, "cosine": cosine_ranker, "bm25": bm25_ranker}
"""Those that need no model."""


def desk_ranker(name: str, model: Model | None, retriever: Retriever, device: str) -> Ranker:
    """A ranker by name.

    Args:
        name: "cross-attention" or one of `PLAIN`.
        model: the desk's, where a reranker fits its encoder.
        retriever: holds the token states.
        device: the ranker's.

    Raises:
        ModelError: unknown name, or no reranker fits the desk's encoder.
    """
    if name == "cross-attention":
        if model is None:
            raise ModelError("No reranker fits this desk's encoder.", "Train one: attendant train.")
        return CrossAttentionRanker(model.reranker, retriever.answer_states, retriever.question_states, device)
    if name not in PLAIN:
        raise ModelError(f"There is no ranker {name!r}.", f"Choose one of: cross-attention, {', '.join(PLAIN)}.")
    return PLAIN[name]()
