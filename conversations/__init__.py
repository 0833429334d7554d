"""What was said: logs, the store that holds them, privacy, and question-answer pairs."""
