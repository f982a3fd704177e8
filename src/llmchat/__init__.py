"""Chat with any large language model from a shell."""

__version__ = "0.1.0"
