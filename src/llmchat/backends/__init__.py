"""What answers: servers by their API, an engine on this machine, and two models that are none."""

from collections.abc import Mapping
from types import MappingProxyType

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {"echo": "answers with the question", "canned": "answers with one of three replies"}
)
"""The models that are none, and what they do."""
