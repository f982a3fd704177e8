"""Asks the questions of a batch, each in a conversation of its own. Reads no input, prints nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llmchat.app.preview import Preview
from llmchat.app.session import Session
from llmchat.core.constraint import Constraint
from llmchat.core.conversation import Conversation
from llmchat.core.generation import Event, Finish, NoticesSaid, Settings, Token
from llmchat.core.journal import Reply
from llmchat.core.turn import Turn
from llmchat.errors import ConfigError, DeniedError, LLMChatError


class Batch:
    """Asks the model of a session. Nothing is saved in the history."""

    def __init__(
        self,
        session: Session,
        *,
        raw: bool,
        stream: bool,
        constraint: Constraint | None = None,
        tell: Callable[[Event], None] = lambda _: None,
    ) -> None:
        """`tell` gets notices, and what is being waited for."""
        self._session = session
        self._constraint = constraint
        self._raw = raw
        self._stream = stream
        self._tell = tell
        self._notices = NoticesSaid()  # over all conversations
        self._connecting = asyncio.Lock()
        self._is_connected = False

    async def connect(self) -> None:
        """Connects before the first question. Its errors would hit every question."""
        async with self._connecting:
            if not self._is_connected:
                await self._session.model.connect(self._constraint, raw=self._raw, tell=self._tell)
                self._is_connected = True

    async def ask(
        self, question: str, settings: Settings, *, system: str | None
    ) -> tuple[Reply, LLMChatError | None]:
        """The answer, as far as it came, and its error, if any.

        Values that are None come from the session. Raises the errors of which `stops_all` is true.
        """
        chosen = settings.over(self._session.model.settings)
        context = self._session.side_context(self._conversation(system), chosen, notices=self._notices)
        turn = Turn(context, question, raw=self._raw, stream=self._stream, constraint=self._constraint)
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
        """What this question would send. Asks no remote server."""
        return await self._session.preview(
            question,
            of=self._conversation(system),
            settings=settings.over(self._session.model.settings),
            raw=self._raw,
            ask_server=False,
            constraint=self._constraint,
        )

    def _conversation(self, system: str | None) -> Conversation:
        return Conversation(self._session.conversation.system if system is None else system)


def stops_all(error: LLMChatError) -> bool:
    """True if the error would hit every other question, too: a wrong key or URL, an unreachable server.

    A server that closes the connection on one question may well answer the next.
    """
    from llmchat.backends.http.errors import ClosedEarly, Unreached

    if isinstance(error, Unreached):
        return not isinstance(error, ClosedEarly)
    return isinstance(error, ConfigError | DeniedError)
