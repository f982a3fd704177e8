"""`llmchat doctor` at a terminal."""
