"""Weights of the base reranker, shipped with the project; `training/EXPERIMENTS.md` says how they were made."""
