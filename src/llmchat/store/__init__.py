"""The store: saved conversations in SQLite. The only package that uses sqlite3."""

from llmchat.store.conversations import Summary as Summary
from llmchat.store.conversations import first_line as first_line
from llmchat.store.export import ConversationExport as ConversationExport
from llmchat.store.journal import ConversationJournal as ConversationJournal
from llmchat.store.messages import Record as Record
from llmchat.store.messages import Saved as Saved
from llmchat.store.readonly import SQLITE_VERSION as SQLITE_VERSION
from llmchat.store.readonly import Inspection as Inspection
from llmchat.store.readonly import check_command as check_command
from llmchat.store.readonly import inspect as inspect
from llmchat.store.readonly import list_read_only as list_read_only
from llmchat.store.readonly import rebuild_command as rebuild_command
from llmchat.store.search import Found as Found
from llmchat.store.store import Store as Store
from llmchat.store.tree import Node as Node
