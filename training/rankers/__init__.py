"""Rankers: cosine, BM25, fused retrieval, the cross-attention reranker and a full cross-encoder, behind one seam."""

from training.rankers.base import Ranked, Ranker
from training.rankers.signals import bm25_ranker, cosine_ranker, retrieval_ranker

__all__ = ["Ranked", "Ranker", "bm25_ranker", "cosine_ranker", "retrieval_ranker"]
