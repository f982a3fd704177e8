"""The View protocol, and how a turn is shown in a view. Knows no backend."""

from __future__ import annotations

from typing import Protocol

from llmchat.core.generation import Event, Finish, Notice, Progress, Thought, Token
from llmchat.core.journal import Reply
from llmchat.core.turn import Turn
from llmchat.errors import LLMChatError
from llmchat.terminal.device.tty import Showing
from llmchat.terminal.reply.status import StatusLine


class View(Showing, Protocol):
    """Shows one reply on stdout. Its `status` shows notes, errors and progress on stderr."""

    @property
    def status(self) -> StatusLine: ...

    def piece(self, text: str) -> None:
        """The next piece of the reply's text."""

    def end(self, reply: Reply) -> None:
        """The reply has ended, for whatever reason. Its error or `fault` follows, if any."""

    def error(self, error: LLMChatError) -> None:
        """Shows an error."""


async def show(turn: Turn, view: View) -> None:
    """Runs a turn and shows it in a view. The view's `end` is called before any error is raised.

    Raises what the turn raises, and the `fault` of its reply.
    """
    try:
        async with turn:
            async for event in turn:
                show_event(event, view)
    finally:
        if turn.reply is not None:
            view.end(turn.reply)
    if turn.reply is not None and turn.reply.fault is not None:
        raise turn.reply.fault


def show_event(event: Event, view: View) -> None:
    """Shows one event of a turn, or of connecting before it."""
    match event:
        case Token(text):
            view.piece(text)
        case Thought(text):
            view.status.thought(text)
        case Notice(text):
            view.status.note(text)
        case Progress():
            view.status.progress(event)
        case Finish():
            pass
