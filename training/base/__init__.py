"""Weights of the base reranker, shipped with the project; `make base` reproduces them."""
