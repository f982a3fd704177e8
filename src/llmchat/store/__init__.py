"""Conversations on disk: owns their ids and times, and is the only home of sqlite3; shows nothing."""

from llmchat.store.conversations import Store, Summary
from llmchat.store.export import ConversationExport
from llmchat.store.glance import glance
from llmchat.store.journal import ConversationJournal, Saved
from llmchat.store.messages import Record
from llmchat.store.readonly import SQLITE_VERSION, Inspection, inspect
from llmchat.store.search import Found
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
    "glance",
    "inspect",
]
