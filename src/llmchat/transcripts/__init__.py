"""Conversations as Markdown, HTML and JSON, and back: pure."""
