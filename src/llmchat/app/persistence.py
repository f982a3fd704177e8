"""Saves a chat in the store, or nowhere with --no-save, and collects notices about that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from llmchat.config.folders import Folders
from llmchat.core.conversation import Conversation
from llmchat.core.journal import Journal, NullJournal
from llmchat.errors import LLMChatError, UsageError

if TYPE_CHECKING:
    from llmchat.store import ConversationJournal, Saved, Store


class Persistence:
    """The journal of a chat. Methods that switch to another saved conversation return it.

    Nothing is saved at first. A method that fails raises the store's error before anything has changed.
    """

    def __init__(self, folders: Folders) -> None:
        self.saves = False
        """True if messages are to be saved, even if the store cannot be used."""
        self._folders = folders
        self._notices: list[str] = []
        self._store: Store | None = None
        self._journal: ConversationJournal | None = None

    @property
    def journal(self) -> Journal:
        return self._journal or NullJournal()

    @property
    def conversation_id(self) -> str | None:
        """The id of the saved conversation; None until something was saved."""
        return self._journal.conversation_id if self._journal else None

    @property
    def store(self) -> Store:
        """The store, opened when first needed. Raises what Store.open raises."""
        if self._store is None:
            from llmchat.store import Store

            self._store = Store.open(self._folders.database)
            self._notices += [notice.text for notice in self._store.notices]
        return self._store

    def notice(self, text: str) -> None:
        """Adds a notice."""
        self._notices.append(text)

    def take_notices(self) -> list[str]:
        """The notices since the last call, oldest first; foreign text."""
        notices, self._notices = self._notices, []
        if self._journal is not None:
            notices += [notice.text for notice in self._journal.take_notices()]
        return notices

    def begin(self, system: str) -> None:
        """Starts saving, in a new conversation. An error of the store becomes a notice."""
        self.saves = True
        self._journal = None
        try:
            self._journal = self._new_journal(system)
        except LLMChatError as error:
            self._notices.append(f"this conversation is not saved: {error.message}")

    def forget(self) -> None:
        """Stops saving."""
        self.saves = False
        self._journal = None

    def open(self, conversation: str, *, keep: bool) -> Conversation:
        """Continues a saved conversation: `last`, an id or the beginning of one; see `Session.resume`."""
        found = self.store.resolve(conversation)
        if self._journal is not None:
            self._journal.flush()
        return self._load(found, keep=keep)

    def switch(self, message: int) -> Conversation:
        """Switches to the branch of this conversation that contains this message.

        Raises UsageError if the conversation is not saved, MissingError if there is no such message.
        """
        conversation = self.saved_id()
        assert self._journal is not None, "what has an id has a journal"
        self._journal.flush()
        self.store.switch(conversation, message)
        return self._load(conversation, keep=True)

    def saved_id(self) -> str:
        """The id of this conversation. Raises UsageError if it is not saved yet, or not at all."""
        if self.conversation_id is None:
            hint = "ask something first" if self._journal else "/save starts saving it"
            raise UsageError("this conversation is not saved", hint=hint)
        return self.conversation_id

    def save(self, conversation: Conversation) -> None:
        """Saves this conversation and what follows, unless it is saved already. Raises store errors."""
        if self._journal is not None:
            self._journal.flush()
            return
        from llmchat.store import Saved

        journal = self._new_journal(conversation.system)
        if conversation.messages:
            journal.start_branch(Saved(message) for message in conversation.messages)
        self.saves = True
        self._journal = journal

    def start_branch(self, saved: Sequence[Saved]) -> None:
        """Continues with these messages on a new branch; the old branch stays saved."""
        if self._journal is not None:
            self._journal.start_branch(saved)

    def set_system(self, text: str) -> None:
        """Saves another system message; together with the first question if there is none yet."""
        if self._journal is not None:
            self._journal.set_system(text)

    def close(self) -> None:
        """May be called twice."""
        if self._store is not None:
            self._store.close()

    def _load(self, conversation: str, *, keep: bool) -> Conversation:
        if not keep:
            loaded = self.store.load(conversation)
            self._journal = None
            return loaded
        resumed, self._journal = self.store.resume(conversation, call_later=_call_later)
        self.saves = True
        return resumed

    def _new_journal(self, system: str) -> ConversationJournal:
        return self.store.journal(system=system, call_later=_call_later)


def check_kept(conversation: str, folders: Folders) -> None:
    """Raises what `Store.open` raises, and MissingError or UsageError if there is no such conversation."""
    from llmchat.store import Store

    with Store.open(folders.database) as store:
        store.resolve(conversation)


def _call_later(delay: float, call: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(delay, call)
