"""Conversations on disk: owns their ids and times, and is the only home of sqlite3; shows nothing."""

from llmchat.store.conversations import Record, Store, Summary
from llmchat.store.journal import ConversationJournal

__all__ = ["ConversationJournal", "Record", "Store", "Summary"]
