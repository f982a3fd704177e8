"""The checks of `llmchat doctor`: one function for each thing that a chat needs."""
