"""What people use: the answering pipeline and the terminal around it."""
