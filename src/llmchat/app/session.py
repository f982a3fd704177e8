"""One conversation with one backend, and what may be changed about both while it lasts. Shows nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from llmchat.app.download import Fetching, stoppable
from llmchat.app.persistence import Persistence
from llmchat.app.preview import Preview, make_preview
from llmchat.app.target import choose, model_names, open_backend, point_at, system_message
from llmchat.app.usage import ContextUsage
from llmchat.backends import BUILT_IN
from llmchat.config.folders import Folders
from llmchat.config.resolve import Config, Layer, defaults
from llmchat.config.setting import SettingValue
from llmchat.config.settings import SETTINGS
from llmchat.core.budget import Budget, make_budget
from llmchat.core.chat import Chat
from llmchat.core.constraint import Constraint
from llmchat.core.conversation import Conversation
from llmchat.core.journal import NullJournal, Reply
from llmchat.core.prompt_format import FORMATS
from llmchat.core.turn import Turn
from llmchat.errors import StorageError, TryLaterError, UsageError

if TYPE_CHECKING:
    from llmchat.store import ConversationExport, Store


class Session:
    """What a front end talks through."""

    def __init__(self, config: Config, folders: Folders, *, fetching: Fetching) -> None:
        """Opens the backend, fetching its weights if need be; connects to nothing. Raises as open_backend."""
        self.config = config
        self.folders = folders
        self._fetching = fetching
        target = choose(config)
        self.chat = Chat(
            open_backend(target, config, folders, fetching=fetching),
            NullJournal(),
            conversation=Conversation(),
            settings=config.chosen(),
            defaults=defaults(),
        )
        self._target = target
        self._usage = ContextUsage(self.chat)
        self._set: dict[str, SettingValue | None] = {}  # by /set
        self.chat.conversation = Conversation(self._system())
        self.kept = Persistence(self.chat, folders)
        self._note_withheld_key()

    @property
    def conversation(self) -> Conversation:
        """As it is sent from here on."""
        return self.chat.conversation

    @property
    def saves(self) -> bool:
        """Whether what is said is to be saved; a store that cannot be used may be in the way."""
        return self.kept.saves

    @property
    def replies(self) -> Sequence[Reply]:
        """Those of this conversation in this run."""
        return self.kept.replies

    @property
    def conversation_id(self) -> str | None:
        """None until something was saved."""
        return self.kept.conversation_id

    @property
    def store(self) -> Store:
        """The kept conversations, opened when first needed. Raises what Store.open raises."""
        return self.kept.store

    def ask(
        self, question: str, *, raw: bool = False, stream: bool = True, constraint: Constraint | None = None
    ) -> Turn:
        """The turn that asks this: journalled when it is entered, sent when it is iterated."""
        return self.chat.ask(question, raw=raw, stream=stream, constraint=constraint)

    def retry(self) -> Turn:
        """The turn that asks the newest question again. Raises InputError where there is none."""
        return self.chat.retry()

    def go_on(self) -> Turn:
        """The turn that goes on with a reply that was cut off. Raises InputError where there is none."""
        return self.chat.go_on()

    def undo(self) -> str:
        """Takes the newest question back, and returns it. Raises InputError where there is none."""
        return self.chat.undo()

    def draft(self, question: str | None) -> Conversation:
        """The conversation with this question; without one, up to the newest. Raises InputError."""
        return self.chat.draft(question)

    async def budget(self, question: str | None) -> Budget:
        """Where the tokens of the conversation go, with this question if there is one. Raises as planning."""
        return await make_budget(self.chat, self.conversation if question is None else self.draft(question))

    async def can_continue(self) -> bool:
        """Whether the model can go on with a reply that was cut off."""
        return await self.chat.backend.can_continue()

    def save(self) -> None:
        """Saves what was said so far and from here on. Raises what the store raises."""
        self.kept.save()

    def saved_id(self) -> str:
        """The id of this conversation. Raises UsageError where it is not saved, or not yet."""
        return self.kept.saved_id()

    def switch_branch(self, message: int) -> None:
        """Goes on with the branch that this message is on. Raises UsageError or MissingError."""
        self.kept.switch(message)

    def export(self) -> ConversationExport:
        """The conversation as it is saved; one that is not is a single branch of now."""
        from llmchat.store import ConversationExport, Record

        if self.conversation_id is not None:
            return self.store.export(self.conversation_id)
        now, said = time.time(), self.conversation
        records = tuple(
            Record(at, at - 1 or None, message, now, None) for at, message in enumerate(said.messages, 1)
        )
        return ConversationExport("not saved", None, said.system, now, now, len(records), records)

    def take_notices(self) -> list[str]:
        """What the person should be told since this was last asked, oldest first; foreign text."""
        return self.kept.take_notices()

    def keep(self) -> None:
        """Saves from here on, in a new conversation. What is wrong with the store becomes a notice."""
        self.kept.begin()

    def forget(self) -> None:
        """Keeps nothing of what is said from here on."""
        self.kept.forget()

    def resume(self, conversation: str, *, keep: bool = True) -> None:
        """Goes on with a kept conversation: `last`, an id or the beginning of one.

        A system message that the person set for this run replaces the kept one. Without `keep` nothing
        of what follows is saved. Raises MissingError, UsageError, or what the store raises.
        """
        self.kept.open(conversation, keep=keep)
        chosen, layer = self.config.text("system"), self.config.values["system"].layer
        standing = layer < Layer.ENVIRONMENT  # said in a file, once for all conversations
        if chosen is not None and not standing and chosen != self.chat.conversation.system:
            self.set_system(chosen)

    def open(self, conversation: str) -> None:
        """Leaves this conversation for a kept one, which has its own system message. Raises as `resume`."""
        self.kept.open(conversation, keep=self.kept.saves)

    def new_conversation(self) -> None:
        """Begins anew with the system message there is."""
        self.chat.conversation = Conversation(self.chat.conversation.system)
        self.kept.begin_anew()

    def set_system(self, text: str) -> None:
        """Another system message from here on; "" is none. What the store raises is about saving it only."""
        self.chat.conversation = replace(self.chat.conversation, system=text)
        self.config = self.config.changed("system", text)
        self.kept.set_system(text)

    def set_value(self, name: str, text: str) -> None:
        """Changes a sampling setting for this session; `default` leaves it open again.

        Raises UsageError where the setting does not take it.
        """
        setting = SETTINGS[name]
        try:
            value = (() if setting.many else None) if text == "default" else setting.parse(text)
        except ValueError as error:
            raise UsageError(f"{name} cannot be {text}", hint=str(error)) from None
        self._apply({**self._set, name: value})

    def shown_value(self, name: str) -> str:
        """What a sampling setting is now, and whether that is somebody's default."""
        value = getattr(self.chat.effective_settings(), name)
        if value in (None, ()):
            return "the server's default"
        shown = " ".join(map(repr, value)) if isinstance(value, tuple) else f"{value:g}"
        chosen = getattr(self.chat.settings, name) not in (None, ())
        return shown if chosen else f"{shown} (default)"

    async def switch_model(self, name: str) -> None:
        """Goes on with another model, or with all that a profile says; the history stays.

        Raises as open_backend, having changed nothing.
        """
        config, target = point_at(name, self.config)
        with stoppable(self._fetching) as fetching:
            backend = await asyncio.to_thread(open_backend, target, config, self.folders, fetching=fetching)
        standing = self._system()
        old, self.chat.backend = self.chat.backend, backend
        self.config, self._target, self._usage.limits = config, target, None
        said = config.file.profiles.get(name, {})
        self._apply({name: value for name, value in self._set.items() if name not in said})
        self._note_withheld_key()
        if self.chat.conversation.system == standing:  # else somebody chose it, if in another run
            self._stand_in(self._system())
        await old.aclose()
        await self.warm()

    def _apply(self, changed: dict[str, SettingValue | None]) -> None:
        """Generates with the settings of the configuration and these, which the person changed since."""
        self.chat.settings = replace(self.config.chosen(), **changed)  # type: ignore[arg-type] # parsed as declared
        self._set = changed

    def _note_withheld_key(self) -> None:
        if self._target.url and (withheld := self.config.withheld_key(self._target.url)):
            self.kept.notice(withheld)

    async def set_format(self, name: str) -> None:
        """Another format of prompts that are one text. Raises UsageError for a model that has its own."""
        if name not in FORMATS:
            raise UsageError(f"there is no prompt format {name}", hint=f"there are {', '.join(FORMATS)}")
        if not self.formats_prompts:
            raise UsageError(
                f"{self.model_shown()} formats its prompts itself", hint="a prompt format is for TGI"
            )
        config = self.config.changed("prompt_format", name)
        backend = open_backend(self._target, config, self.folders, fetching=self._fetching)
        old, self.chat.backend, self.config = self.chat.backend, backend, config
        await old.aclose()
        await self.warm()

    @property
    def formats_prompts(self) -> bool:
        """Whether prompts are one text that is put together here."""
        return self.chat.backend.prompt_format is not None or self._target.model in BUILT_IN

    def model_names(self) -> list[str]:
        """What `-m` takes here by name."""
        return model_names(self.config, self.folders)

    def model_shown(self) -> str:
        """The model's name, with its server's if it has one."""
        name = self.chat.backend.model or self._target.model or self.chat.backend.name
        return f"{name} at {self._target.url}" if self._target.url else name

    async def preview(
        self,
        question: str | None,
        *,
        raw: bool = False,
        ask_server: bool = True,
        constraint: Constraint | None = None,
    ) -> Preview:
        """What this question would send; without one, what the newest question sends.

        Without `ask_server` a remote server is asked nothing at all. Raises as `make_preview`.
        """
        asks = ask_server or self._target.url is None
        return await make_preview(self.chat, question, raw=raw, asks=asks, constraint=constraint)

    async def warm(self) -> None:
        """Imports and starts what the first question needs, and learns the model's limits."""
        async with aclosing(self.chat.backend.prepare()) as events:
            async for _ in events:
                pass
        self._usage.limits = await self.chat.backend.limits()

    def after(self, reply: Reply) -> None:
        """Takes note of what the conversation now uses of the context window."""
        self.kept.replies.append(reply)
        self._usage.after(reply.provenance.usage)

    def status(self) -> list[str]:
        """The model, the conversation, and tokens used of the context window once known; foreign text."""
        parts = [self.model_shown(), self.conversation_id or ("new" if self.kept.saves else "not saved")]
        if used := str(self._usage):
            parts.append(used)
        return parts

    async def aclose(self) -> None:
        """Frees the backend and the store. May be called twice."""
        try:
            await self.chat.backend.aclose()
        finally:
            self.kept.close()

    def _system(self) -> str:
        return system_message(self.config, self.chat.backend, url=self._target.url)

    def _stand_in(self, system: str) -> None:
        """The system message that a model brings with it."""
        self.chat.conversation = replace(self.chat.conversation, system=system)
        with suppress(StorageError, TryLaterError):  # kept, and written with the next message
            self.kept.set_system(system)
