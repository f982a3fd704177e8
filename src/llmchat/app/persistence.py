"""Where a chat is kept: a conversation of the store, or nowhere. Its notices wait to be taken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from llmchat.config.folders import Folders
from llmchat.core.chat import Chat
from llmchat.core.conversation import Conversation
from llmchat.core.journal import NullJournal, Reply
from llmchat.errors import LLMChatError, UsageError

if TYPE_CHECKING:
    from llmchat.store import ConversationJournal, Saved, Store


class Persistence:
    """Gives a chat its journal, and goes with it from one kept conversation to another.

    Nothing is kept at first. What a method raises of the store it raises before anything has changed.
    """

    def __init__(self, chat: Chat, folders: Folders) -> None:
        self.saves = False
        """Whether what is said is to be kept; a store that cannot be used may be in the way."""
        self.replies: list[Reply] = []
        """Those of this conversation in this run."""
        self._chat = chat
        self._folders = folders
        self._notices: list[str] = []
        self._store: Store | None = None
        self._journal: ConversationJournal | None = None

    @property
    def conversation_id(self) -> str | None:
        """None until something was saved."""
        return self._journal.conversation_id if self._journal else None

    @property
    def store(self) -> Store:
        """The kept conversations, opened when first needed. Raises what Store.open raises."""
        if self._store is None:
            from llmchat.store import Store

            self._store = Store.open(self._folders.database)
            self._notices += [notice.text for notice in self._store.notices]
        return self._store

    def notice(self, text: str) -> None:
        """Something to tell the person as soon as anybody asks."""
        self._notices.append(text)

    def take_notices(self) -> list[str]:
        """What the person should be told since this was last asked, oldest first; foreign text."""
        notices, self._notices = self._notices, []
        if self._journal is not None:
            notices += [notice.text for notice in self._journal.take_notices()]
        return notices

    def begin(self) -> None:
        """Saves from here on, in a new conversation. What is wrong with the store becomes a notice."""
        self.saves = True
        try:
            self._use(self._new_journal())
        except LLMChatError as error:
            self._use(None)
            self._notices.append(f"this conversation is not saved: {error.message}")

    def begin_anew(self) -> None:
        """The same for a new conversation, if the old one was to be saved."""
        self.replies.clear()
        if self.saves:
            self.begin()

    def forget(self) -> None:
        """Keeps nothing of what is said from here on."""
        self.saves = False
        self._use(None)

    def open(self, conversation: str, *, keep: bool) -> None:
        """Goes on with a kept conversation: `last`, an id or the beginning of one; see `Session.resume`."""
        found = self.store.resolve(conversation)
        if self._journal is not None:
            self._journal.flush()
        self._load(found, keep=keep)

    def switch(self, message: int) -> None:
        """Goes on with the branch of this conversation that this message is on.

        Raises UsageError where nothing is saved, MissingError where there is no such message.
        """
        conversation = self.saved_id()
        assert self._journal is not None, "what has an id has a journal"
        self._journal.flush()
        self.store.switch(conversation, message)
        self._load(conversation, keep=True)

    def saved_id(self) -> str:
        """The id of this conversation. Raises UsageError where it is not saved, or not yet."""
        if self.conversation_id is None:
            hint = "ask something first" if self._journal else "/save begins to save it"
            raise UsageError("this conversation is not saved", hint=hint)
        return self.conversation_id

    def save(self) -> None:
        """Saves what was said so far and from here on, unless it is already. Raises what the store raises."""
        if self._journal is not None:
            self._journal.flush()
            return
        from llmchat.store import Saved

        journal = self._new_journal()
        if self._chat.conversation.messages:
            journal.start_branch(Saved(message) for message in self._chat.conversation.messages)
        self.saves = True
        self._use(journal)

    def start_branch(self, conversation: Conversation, saved: Sequence[Saved]) -> None:
        """Goes on with these messages instead; what was said so far stays kept on a branch of its own."""
        if self._journal is not None:
            self._journal.start_branch(saved)
        self._chat.conversation = conversation

    def set_system(self, text: str) -> None:
        """Saves another system message, with the first question where there is none yet."""
        if self._journal is not None:
            self._journal.set_system(text)

    def close(self) -> None:
        """May be called twice."""
        if self._store is not None:
            self._store.close()

    def _load(self, conversation: str, *, keep: bool) -> None:
        if keep:
            resumed, journal = self.store.resume(conversation, call_later=_call_later)
            self.saves = True
            self._use(journal)
        else:
            resumed = self.store.load(conversation)
            self._use(None)
        self._chat.conversation = resumed
        self.replies.clear()

    def _new_journal(self) -> ConversationJournal:
        return self.store.journal(system=self._chat.conversation.system, call_later=_call_later)

    def _use(self, journal: ConversationJournal | None) -> None:
        self._journal = journal
        self._chat.journal = journal or NullJournal()


def check_kept(conversation: str, folders: Folders) -> None:
    """Raises what `Store.open` does, and MissingError or UsageError where there is no such conversation."""
    from llmchat.store import Store

    with Store.open(folders.database) as store:
        store.resolve(conversation)


def _call_later(delay: float, call: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(delay, call)
