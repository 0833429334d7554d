"""What can be found: embeddings, vector and word search, fusion, and token states for the reranker."""
