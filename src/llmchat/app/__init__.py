"""What every front end shares: the session, its model and store, attachments, batches."""

from llmchat.app.session import Session

__all__ = ["Session"]
