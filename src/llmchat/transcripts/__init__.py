"""Saved conversations as Markdown, HTML and JSON, and from JSON. Pure."""
