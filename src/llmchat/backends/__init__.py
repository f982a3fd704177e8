"""The backends: each takes options in and gives Tokens and one Finish out. None is imported here."""

BUILT_IN = ("echo", "canned")
"""The backends that need neither a model nor a server."""
