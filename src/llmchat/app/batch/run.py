"""Many questions for one backend, each in a conversation of its own; must not know where they come from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

from llmchat.app.preview import Preview
from llmchat.app.session import Session
from llmchat.core.chat import Chat
from llmchat.core.constraint import Constraint
from llmchat.core.conversation import Conversation
from llmchat.core.generation import Event, Finish, Notice, Settings, Token
from llmchat.core.journal import NullJournal, Reply
from llmchat.errors import ConfigError, DeniedError, LLMChatError


class Batch:
    """Asks through a session's backend. Nothing of it is kept in the history."""

    def __init__(
        self,
        session: Session,
        *,
        raw: bool,
        stream: bool,
        constraint: Constraint | None = None,
        tell: Callable[[Event], None] = lambda _: None,
    ) -> None:
        """`tell` gets what the person should know: a notice, or what is being waited for."""
        self._session = session
        self._constraint = constraint
        self._raw = raw
        self._stream = stream
        self._tell = tell
        self._told: set[Notice] = set()  # by all conversations together
        self._preparing = asyncio.Lock()
        self._prepared = False

    async def prepare(self) -> None:
        """Asks once what all questions need to know of the model. What it raises, all would meet."""
        async with self._preparing:
            if not self._prepared:
                backend = self._session.chat.backend
                async with aclosing(backend.prepare()) as events:
                    async for event in events:
                        self._tell(event)
                if self._constraint is not None:
                    await backend.check_constraint(self._constraint, raw=self._raw)
                await backend.limits()
                self._prepared = True

    async def ask(
        self, question: str, settings: Settings, *, system: str | None
    ) -> tuple[Reply, LLMChatError | None]:
        """The answer as far as it came, and what is wrong with it.

        What is None or left open is as the session has it. Raises what `stops_all`.
        """
        chat = self._chat(settings, system=system)
        turn = chat.ask(question, raw=self._raw, stream=self._stream, constraint=self._constraint)
        fault = None
        try:
            async with turn:
                async for event in turn:
                    if not isinstance(event, Token | Finish):
                        self._tell(event)
        except LLMChatError as error:
            if stops_all(error):
                raise
            fault = error
        assert turn.reply is not None, "leaving a turn makes its reply"
        return turn.reply, fault or turn.reply.fault

    async def preview(self, question: str, settings: Settings, *, system: str | None) -> Preview:
        """What this would send. Asks no remote server; one at a time."""
        standing, self._session.chat = self._session.chat, self._chat(settings, system=system)
        try:
            return await self._session.preview(
                question, raw=self._raw, ask_server=False, constraint=self._constraint
            )
        finally:
            self._session.chat = standing

    def _chat(self, settings: Settings, *, system: str | None) -> Chat:
        standing = self._session.chat
        chat = Chat(
            standing.backend,
            NullJournal(),
            conversation=Conversation(standing.conversation.system if system is None else system),
            settings=settings.over(standing.settings),
            defaults=standing.defaults,
            clock=standing.clock,
        )
        chat.told = self._told
        return chat


def stops_all(error: LLMChatError) -> bool:
    """Whether the other questions would meet this too: a wrong key or URL, a server that is not there.

    A server that closes the connection on one question may well answer the next.
    """
    from llmchat.backends.http.errors import ClosedEarly, Unreached

    if isinstance(error, Unreached):
        return not isinstance(error, ClosedEarly)
    return isinstance(error, ConfigError | DeniedError)
