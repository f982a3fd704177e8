"""`llmchat help`: the topics as values, and their layout as text."""
