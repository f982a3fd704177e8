"""The composition root every front end shares: opens configuration, store, backend and conversation."""

from llmchat.app.session import Session

__all__ = ["Session"]
