"""What is learned: the cross-attention reranker, its training, calibration and evaluation."""
