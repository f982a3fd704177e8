"""A chat session: owns the conversation, its model and where it is saved. Shows nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from llmchat.app.download import Fetching
from llmchat.app.model import ModelChoice
from llmchat.app.persistence import Persistence
from llmchat.app.preview import Preview, make_preview
from llmchat.app.usage import ContextUsage
from llmchat.config.folders import Folders
from llmchat.config.resolve import Config, Layer
from llmchat.core.backend import Connection, connected
from llmchat.core.budget import Budget, make_budget
from llmchat.core.constraint import Constraint
from llmchat.core.conversation import Conversation, Message, Role, Status
from llmchat.core.generation import NoticesSaid, Settings
from llmchat.core.journal import Reply
from llmchat.core.plan import Draft
from llmchat.core.turn import Turn, TurnContext
from llmchat.errors import InputError, StorageError, TryLaterError

if TYPE_CHECKING:
    from llmchat.store import ConversationExport, Saved, Store


class Session:
    """The interface of the application for front ends. Only the session assigns the conversation."""

    def __init__(
        self, config: Config, folders: Folders, *, fetching: Fetching, connection: Connection | None = None
    ) -> None:
        """Downloads weights that are not on disk; connects to nothing. Raises as `open_connection`.

        A given `connection` is used instead of the configured target's.
        """
        self.folders = folders
        self.replies: list[Reply] = []
        """The replies of this conversation in this run."""
        self.model = ModelChoice(config, folders, fetching=fetching, connection=connection)
        self._conversation = Conversation(self.model.system)
        self._persistence = Persistence(folders)
        self._usage = ContextUsage()
        self._note_withheld_key()

    # The conversation

    @property
    def conversation(self) -> Conversation:
        return self._conversation

    def ask(
        self, question: str, *, raw: bool = False, stream: bool = True, constraint: Constraint | None = None
    ) -> Turn:
        """A turn with this question: saved when the turn is entered, sent when it is iterated."""
        return Turn(self._context(), question, raw=raw, stream=stream, constraint=constraint)

    def retry(self) -> Turn:
        """A turn that asks the newest question again; the old answer stays saved on a branch.

        Raises InputError if there is no question yet.
        """
        if not any(message.role is Role.USER for message in self._conversation.messages):
            raise InputError("there is no question to send again", hint="type one")
        while self._conversation.messages[-1].role is not Role.USER:
            self._step_back()
        return Turn(self._context(), None)

    def go_on(self) -> Turn:
        """A turn that continues the newest answer, which was cut off.

        Its answer has the whole text from the beginning; the unfinished answer stays saved on a branch.
        Tokens and times count only what was added.
        Raises InputError if there is no such answer.
        """
        newest = self._conversation.messages[-1] if self._conversation.messages else None
        if newest is None or newest.role is not Role.ASSISTANT or not newest.text:
            raise InputError("there is no reply to continue", hint="/retry asks the last question again")
        if newest.status is Status.COMPLETE:
            raise InputError("the last reply was not cut off", hint="ask for more in your own words")
        self._step_back()
        return Turn(self._context(), None, before=newest.text)

    def undo(self) -> str:
        """Removes the newest turn and returns its question. Raises InputError if there is none."""
        asked = [message.text for message in self._conversation.messages if message.role is Role.USER]
        if not asked:
            raise InputError("there is nothing to undo", hint="type a question first")
        while self._step_back().role is not Role.USER:
            pass
        return asked[-1]

    def new_conversation(self) -> None:
        """Starts a new conversation with the current system message."""
        self._go_to(Conversation(self._conversation.system))
        if self._persistence.saves:
            self.keep()

    def set_system(self, text: str) -> None:
        """Changes the system message; "" is none. Errors of the store are about saving it only."""
        self._conversation = replace(self._conversation, system=text)
        self.model.config = self.model.config.changed("system", text)
        self._persistence.set_system(text)

    def side_context(
        self, conversation: Conversation, chosen: Settings, *, notices: NoticesSaid | None = None
    ) -> TurnContext:
        """The context for a turn with the same model that is not part of this conversation, and not saved."""
        said = notices or self.model.notices
        return TurnContext(self.model.connection, conversation, chosen, self.model.defaults, notices=said)

    def _context(self) -> TurnContext:
        return TurnContext(
            self.model.connection,
            self._conversation,
            self.model.settings,
            self.model.defaults,
            self._persistence.journal,
            self.model.notices,
            self._add,
        )

    def _add(self, reply: Reply) -> None:
        """Adds the messages of a finished turn to the conversation."""
        for message in reply.messages:
            self._conversation = self._conversation.add(message)
        self.replies.append(reply)
        self._usage.after(reply.provenance.usage, self._conversation)

    def _step_back(self) -> Message:
        newest = self._conversation.messages[-1]
        self._persistence.journal.back()
        self._conversation = self._conversation.without_newest()
        return newest

    def _go_to(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.replies.clear()

    # Saving

    @property
    def conversation_id(self) -> str | None:
        """The id of the saved conversation; None until something was saved."""
        return self._persistence.conversation_id

    @property
    def saves(self) -> bool:
        """True if messages are to be saved."""
        return self._persistence.saves

    @property
    def store(self) -> Store:
        """The store, opened when first needed. Raises what Store.open raises."""
        return self._persistence.store

    def keep(self) -> None:
        """Starts saving, in a new conversation. An error of the store becomes a notice."""
        self._persistence.begin(self._conversation.system)

    def forget(self) -> None:
        """Stops saving."""
        self._persistence.forget()

    def resume(self, conversation: str, *, keep: bool = True) -> None:
        """Continues a saved conversation: `last`, an id or the beginning of one.

        A system message that was set for this run replaces the saved one. Without `keep`, nothing that
        follows is saved. Raises MissingError, UsageError, or the store's errors.
        """
        self._go_to(self._persistence.open(conversation, keep=keep))
        chosen, layer = self.config.text("system"), self.config.values["system"].layer
        standing = layer < Layer.ENVIRONMENT  # set in a file, for all conversations
        if chosen is not None and not standing and chosen != self._conversation.system:
            self.set_system(chosen)

    def open(self, conversation: str) -> None:
        """Switches to a saved conversation, with its own system message. Raises as `resume`."""
        self._go_to(self._persistence.open(conversation, keep=self.saves))

    def save(self) -> None:
        """Saves the conversation and what follows, unless that is done already. Raises the store's errors."""
        self._persistence.save(self._conversation)

    def saved_id(self) -> str:
        """The id of this conversation. Raises UsageError if it is not saved yet, or not at all."""
        return self._persistence.saved_id()

    def switch_branch(self, message: int) -> None:
        """Switches to the branch of this conversation that contains this message.

        Raises UsageError if the conversation is not saved, MissingError if there is no such message.
        """
        self._go_to(self._persistence.switch(message))

    def start_branch(self, conversation: Conversation, saved: Sequence[Saved]) -> None:
        """Continues with this on a new branch; the old one stays saved. Without `saved`, writes nothing."""
        if saved:
            self._persistence.start_branch(saved)
        self._conversation = conversation

    def export(self) -> ConversationExport:
        """The saved conversation with all branches; if it is not saved, the current branch."""
        if self.conversation_id is not None:
            return self.store.export(self.conversation_id)
        from llmchat.store import ConversationExport, Record

        now, said = time.time(), self._conversation
        records = tuple(
            Record(at, at - 1 or None, message, now, None) for at, message in enumerate(said.messages, 1)
        )
        return ConversationExport("not saved", None, said.system, now, now, len(records), records)

    def take_notices(self) -> list[str]:
        """The notices since the last call, oldest first; foreign text."""
        return self._persistence.take_notices()

    # The model

    @property
    def config(self) -> Config:
        return self.model.config

    async def switch_model(self, name: str) -> None:
        """Switches to another model, or to a profile with all its settings; the conversation stays.

        Raises as `open_connection`, before anything has changed.
        """
        standing = self.model.system
        await self.model.switch(name)
        self._note_withheld_key()
        if self._conversation.system == standing:  # else the person chose it, maybe in another run
            self._conversation = replace(self._conversation, system=self.model.system)
            with suppress(StorageError, TryLaterError):  # saved with the next message
                self._persistence.set_system(self.model.system)
        await self.model.warm()

    async def set_format(self, name: str) -> None:
        """Changes the prompt format. Raises UsageError if the model applies its own chat template."""
        await self.model.set_format(name)
        await self.model.warm()

    async def preview(
        self,
        question: str | None,
        *,
        of: Conversation | None = None,
        settings: Settings | None = None,
        raw: bool = False,
        ask_server: bool = True,
        constraint: Constraint | None = None,
    ) -> Preview:
        """What this question would send; without one, what the newest question would send.

        `of` replaces the conversation, `settings` the person's settings.

        Without `ask_server`, nothing is sent to a remote server. Raises as `make_preview`, and
        InputError if there is no question.
        """
        conversation = (of or self._conversation).up_to_question(question)
        chosen, defaults = settings or self.model.settings, self.model.defaults
        draft = Draft(conversation, chosen, defaults, raw=raw, constraint=constraint)
        return await make_preview(self.model.connection, draft, asks=ask_server or not self.model.is_remote)

    async def budget(self, question: str | None) -> Budget:
        """The token budget of this conversation; with a question, as if it were asked.

        Raises InputError if this conversation is empty.
        """
        conversation = self._conversation.up_to_question(question) if question else self._conversation
        if not conversation.messages:
            raise InputError(
                "this conversation is empty", hint="/tokens TEXT shows what a question would use"
            )
        draft = Draft(conversation, self.model.settings, self.model.defaults)
        return await make_budget(draft, await connected(self.model.connection))

    # The whole

    def status(self) -> list[str]:
        """For the toolbar: model, conversation, used part of the context window if known; foreign text."""
        parts = [self.model.shown, self.conversation_id or ("new" if self.saves else "not saved")]
        if used := self._usage.shown(self._conversation, self.model.limits):
            parts.append(used)
        return parts

    async def aclose(self) -> None:
        """Closes the connection and the store. May be called twice."""
        try:
            await self.model.connection.aclose()
        finally:
            self._persistence.close()

    def _note_withheld_key(self) -> None:
        if withheld := self.model.withheld_key:
            self._persistence.notice(withheld)
