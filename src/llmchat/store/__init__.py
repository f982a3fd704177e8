"""The store: saved conversations in SQLite. The only package that uses sqlite3."""

from llmchat.store.conversations import Summary
from llmchat.store.export import ConversationExport
from llmchat.store.journal import ConversationJournal
from llmchat.store.messages import Record, Saved
from llmchat.store.readonly import (
    SQLITE_VERSION,
    Inspection,
    check_command,
    inspect,
    list_read_only,
    rebuild_command,
)
from llmchat.store.search import Found
from llmchat.store.store import Store
from llmchat.store.tree import Node

__all__ = [
    "SQLITE_VERSION",
    "ConversationExport",
    "ConversationJournal",
    "Found",
    "Inspection",
    "Node",
    "Record",
    "Saved",
    "Store",
    "Summary",
    "check_command",
    "inspect",
    "list_read_only",
    "rebuild_command",
]
