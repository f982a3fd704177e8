"""The prompt-toolkit session: what is typed."""
