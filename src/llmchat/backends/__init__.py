"""Backends: servers by their API, the engine on this machine, and the built-in echo and canned."""

from collections.abc import Mapping
from types import MappingProxyType

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {"echo": "answers with the question", "canned": "answers with one of three replies"}
)
"""The built-in backends without a model, and what they do."""
