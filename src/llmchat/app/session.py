"""One chat: a conversation, which only this assigns, with one model at a time. Shows nothing."""

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
    """What a front end talks through."""

    def __init__(
        self, config: Config, folders: Folders, *, fetching: Fetching, connection: Connection | None = None
    ) -> None:
        """Fetches weights that are not on disk; connects to nothing. Raises as `open_connection`.

        A `connection` stands in for that of the configured target.
        """
        self.folders = folders
        self.replies: list[Reply] = []
        """Those of this conversation in this run."""
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
        """The turn that asks this: journalled when it is entered, sent when it is iterated."""
        return Turn(self._context(), question, raw=raw, stream=stream, constraint=constraint)

    def retry(self) -> Turn:
        """The turn that asks the newest question again; the old answer stays in the journal as a sibling.

        Raises InputError where there is no question yet.
        """
        if not any(message.role is Role.USER for message in self._conversation.messages):
            raise InputError("there is no question to send again", hint="type one")
        while self._conversation.messages[-1].role is not Role.USER:
            self._step_back()
        return Turn(self._context(), None)

    def go_on(self) -> Turn:
        """The turn that goes on with the newest answer, which was cut off.

        Its answer has the whole text from the beginning; the part stays in the journal as a sibling. Its
        figures, tokens and times, are those of what was added.
        Raises InputError where there is no such answer.
        """
        newest = self._conversation.messages[-1] if self._conversation.messages else None
        if newest is None or newest.role is not Role.ASSISTANT or not newest.text:
            raise InputError("there is no reply to go on with", hint="/retry asks the last question again")
        if newest.status is Status.COMPLETE:
            raise InputError("the last reply was not cut off", hint="ask for more in your own words")
        self._step_back()
        return Turn(self._context(), None, before=newest.text)

    def undo(self) -> str:
        """Takes the newest turn back and returns its question. Raises InputError where there is none."""
        asked = [message.text for message in self._conversation.messages if message.role is Role.USER]
        if not asked:
            raise InputError("there is nothing to undo", hint="type a question first")
        while self._step_back().role is not Role.USER:
            pass
        return asked[-1]

    def new_conversation(self) -> None:
        """Begins anew with the system message there is."""
        self._go_to(Conversation(self._conversation.system))
        if self._persistence.saves:
            self.keep()

    def set_system(self, text: str) -> None:
        """Another system message from here on; "" is none. What the store raises is about saving it only."""
        self._conversation = replace(self._conversation, system=text)
        self.model.config = self.model.config.changed("system", text)
        self._persistence.set_system(text)

    def side_context(
        self, conversation: Conversation, chosen: Settings, *, notices: NoticesSaid | None = None
    ) -> TurnContext:
        """For a turn of the same model that is no part of this conversation, and is not kept."""
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
        """A turn is over: what was said in it belongs to the conversation."""
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

    # Where it is kept

    @property
    def conversation_id(self) -> str | None:
        """None until something was saved."""
        return self._persistence.conversation_id

    @property
    def saves(self) -> bool:
        """Whether what is said is to be kept."""
        return self._persistence.saves

    @property
    def store(self) -> Store:
        """The kept conversations, opened when first needed. Raises what Store.open raises."""
        return self._persistence.store

    def keep(self) -> None:
        """Saves from here on, in a new conversation. What is wrong with the store becomes a notice."""
        self._persistence.begin(self._conversation.system)

    def forget(self) -> None:
        """Keeps nothing of what is said from here on."""
        self._persistence.forget()

    def resume(self, conversation: str, *, keep: bool = True) -> None:
        """Goes on with a kept conversation: `last`, an id or the beginning of one.

        A system message that the person set for this run replaces the kept one. Without `keep` nothing
        of what follows is saved. Raises MissingError, UsageError, or what the store raises.
        """
        self._go_to(self._persistence.open(conversation, keep=keep))
        chosen, layer = self.config.text("system"), self.config.values["system"].layer
        standing = layer < Layer.ENVIRONMENT  # said in a file, once for all conversations
        if chosen is not None and not standing and chosen != self._conversation.system:
            self.set_system(chosen)

    def open(self, conversation: str) -> None:
        """Leaves this conversation for a kept one, which has its own system message. Raises as `resume`."""
        self._go_to(self._persistence.open(conversation, keep=self.saves))

    def save(self) -> None:
        """Saves what was said so far and from here on, unless it is already. Raises what the store raises."""
        self._persistence.save(self._conversation)

    def saved_id(self) -> str:
        """The id of this conversation. Raises UsageError where it is not saved, or not yet."""
        return self._persistence.saved_id()

    def switch_branch(self, message: int) -> None:
        """Goes on with the branch of this conversation that this message is on.

        Raises UsageError where nothing is saved, MissingError where there is no such message.
        """
        self._go_to(self._persistence.switch(message))

    def start_branch(self, conversation: Conversation, saved: Sequence[Saved]) -> None:
        """Goes on with this instead; what was said so far stays kept. Without `saved` nothing is written."""
        if saved:
            self._persistence.start_branch(saved)
        self._conversation = conversation

    def export(self) -> ConversationExport:
        """The conversation as it is saved; one that is not is a single branch of now."""
        if self.conversation_id is not None:
            return self.store.export(self.conversation_id)
        from llmchat.store import ConversationExport, Record

        now, said = time.time(), self._conversation
        records = tuple(
            Record(at, at - 1 or None, message, now, None) for at, message in enumerate(said.messages, 1)
        )
        return ConversationExport("not saved", None, said.system, now, now, len(records), records)

    def take_notices(self) -> list[str]:
        """What the person should be told since this was last asked, oldest first; foreign text."""
        return self._persistence.take_notices()

    # The model

    @property
    def config(self) -> Config:
        return self.model.config

    async def switch_model(self, name: str) -> None:
        """Goes on with another model, or with all that a profile says; the history stays.

        Raises as `open_connection`, having changed nothing.
        """
        standing = self.model.system
        await self.model.switch(name)
        self._note_withheld_key()
        if self._conversation.system == standing:  # else somebody chose it, if in another run
            self._conversation = replace(self._conversation, system=self.model.system)
            with suppress(StorageError, TryLaterError):  # kept, and written with the next message
                self._persistence.set_system(self.model.system)
        await self.model.warm()

    async def set_format(self, name: str) -> None:
        """Another format of prompts that are one text. Raises UsageError for a model that has its own."""
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
        """What this question would send; without one, what the newest question sends.

        `of` stands in for the conversation, `settings` for what the person set.

        Without `ask_server` a remote server is asked nothing at all. Raises as `make_preview`, and
        InputError where there is no question.
        """
        conversation = (of or self._conversation).up_to_question(question)
        chosen, defaults = settings or self.model.settings, self.model.defaults
        draft = Draft(conversation, chosen, defaults, raw=raw, constraint=constraint)
        return await make_preview(self.model.connection, draft, asks=ask_server or not self.model.is_remote)

    async def budget(self, question: str | None) -> Budget:
        """Where the tokens of this conversation go; with a question, as if it were asked.

        Raises InputError where nothing was said yet.
        """
        conversation = self._conversation.up_to_question(question) if question else self._conversation
        if not conversation.messages:
            raise InputError("nothing was said yet", hint="/tokens TEXT shows what a question would use")
        draft = Draft(conversation, self.model.settings, self.model.defaults)
        return await make_budget(draft, await connected(self.model.connection))

    # The whole

    def status(self) -> list[str]:
        """The model, the conversation, and tokens used of the context window once known; foreign text."""
        parts = [self.model.shown, self.conversation_id or ("new" if self.saves else "not saved")]
        if used := self._usage.shown(self._conversation, self.model.limits):
            parts.append(used)
        return parts

    async def aclose(self) -> None:
        """Frees the model and the store. May be called twice."""
        try:
            await self.model.connection.aclose()
        finally:
            self._persistence.close()

    def _note_withheld_key(self) -> None:
        if withheld := self.model.withheld_key:
            self._persistence.notice(withheld)
