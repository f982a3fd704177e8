"""The backends: each takes options in and gives Tokens and one Finish out. None is imported here."""

from collections.abc import Mapping
from types import MappingProxyType

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {"echo": "answers with the question", "canned": "answers with one of three replies"}
)
"""The backends that need neither a model nor a server, and what they do."""
