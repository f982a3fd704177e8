"""The loop: a line becomes a command or a turn. An error is shown and never leaves it."""

from __future__ import annotations

import asyncio
import importlib
from contextlib import AbstractContextManager, nullcontext

from llmchat.app import Session
from llmchat.core.turn import Turn
from llmchat.errors import ExitCode, LLMChatError, StorageError
from llmchat.sanitize import sanitize, sanitize_line
from llmchat.terminal.device.interrupts import Interrupts
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.device.tty import TtyLine
from llmchat.terminal.prompt.history import PromptHistory
from llmchat.terminal.prompt.session import LABEL, Prompt
from llmchat.terminal.repl.commands import CommandContext, complete_line, is_command, run_command
from llmchat.terminal.reply.status import error_lines
from llmchat.terminal.reply.view import show
from llmchat.terminal.run import Run, find_screen, make_view


class Repl:
    """A conversation at a terminal."""

    def __init__(
        self, session: Session, streams: Streams, *, run: Run, line: TtyLine, interrupts: Interrupts
    ) -> None:
        self._session = session
        self._run = run
        self._line = line
        self._streams = streams
        self._interrupts = interrupts
        self._desk = CommandContext(
            session,
            streams,
            say=self._say,
            show=self._show,
            show_last_turn=self._show_where_it_was,
            confirm=self._confirm,
            clear=self._clear,
        )
        self._prompt = Prompt(
            self._open_history(),
            complete=lambda line: complete_line(self._desk, line),
            toolbar=self._toolbar,
            vi=session.config.switch("vi"),
            stop=line.stop_all,
        )

    async def run(self) -> ExitCode:
        """Asks, answers, and asks again, until the person leaves."""
        self._show_where_it_was()
        opening = asyncio.ensure_future(self._open_backend())
        try:
            with self._line.handling_signals():
                while not self._desk.leave:
                    await self._step()
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            await self._session.aclose()
        return ExitCode.OK

    async def _open_backend(self) -> None:
        """Gets the backend ready while the person reads the prompt; a fault shows when it is asked."""
        await self._prompt.shown.wait()
        await asyncio.to_thread(importlib.import_module, "llmchat.terminal.reply.live")
        try:
            await self._session.warm()
        except LLMChatError:
            return
        self._prompt.refresh()

    def _show_where_it_was(self) -> None:
        """The last turn of a conversation that is resumed, as it looked."""
        turns = self._session.chat.conversation.turns()
        if turns:
            question, *answers = turns[-1]
            self._say(f"> {question.text}")
            for answer in answers:
                self._show(answer.text)
            self._say("")

    async def _step(self) -> None:
        for notice in self._session.take_notices():
            self._streams.say(f"llmchat: {sanitize_line(notice)}")
        draft, self._desk.draft = self._desk.draft, ""
        try:
            with self._line.prompting(self._prompt):
                line = await self._prompt.read(draft, label="edit> " if self._desk.editing else LABEL)
        except EOFError:
            self._desk.leave = True
            return
        except KeyboardInterrupt:
            told = "The question stays as it was." if self._desk.editing else "Ctrl-D or /exit leaves."
            self._streams.say(told)
            self._desk.editing = False
            return
        if line.strip():
            await self._take(line)

    async def _take(self, line: str) -> None:
        try:
            if is_command(line):
                await self._command(line)
            else:
                turn = self._ask(line)
                await self._answer(turn)
        except LLMChatError as error:
            self._streams.say(error_lines(error))

    async def _command(self, line: str) -> None:
        self._desk.editing = False
        await self._interrupts.cancel_on_ctrl_c(run_command(self._desk, line))
        turn, self._desk.turn = self._desk.turn, None
        then, self._desk.then = self._desk.then, None
        if turn is None:
            return
        await self._answer(turn, aside=then is not None)
        if then is not None and turn.reply is not None:
            then(turn.reply)

    def _ask(self, line: str) -> Turn:
        """The turn that asks this. Where it cannot be asked, the line goes back into the editor."""
        files = list(self._desk.files)
        try:
            question = self._desk.compose(line)
            if self._desk.editing:
                self._session.chat.undo()
        except LLMChatError:
            self._desk.draft, self._desk.files = line, files
            raise
        self._desk.editing = False
        return self._session.chat.ask(question)

    async def _answer(self, turn: Turn, *, aside: bool = False) -> None:
        """Runs a turn and shows it; one that is `aside` is no part of the conversation."""
        view = make_view(
            self._run, self._session.config, self._streams, conversation=lambda: None, footer=True
        )
        try:
            with self._line.showing(view), self._pastes_marked():
                await self._interrupts.cancel_on_ctrl_c(show(turn, view))
        except LLMChatError as error:
            view.error(error)
        if turn.reply is not None and not aside:
            self._session.after(turn.reply)

    def _toolbar(self, columns: int) -> str:
        """Where we are, on one line: a long model name gives way to what follows it."""
        model, *parts = map(sanitize_line, self._session.status())
        if waiting := len(self._desk.files):
            parts.append(f"{waiting} file{'s' if waiting > 1 else ''} attached")
        rest = "".join(f" \N{MIDDLE DOT} {part}" for part in parts)
        room = max(12, columns - len(rest))
        shown = model if len(model) <= room else f"{model[: room - 1]}\N{HORIZONTAL ELLIPSIS}"
        return f"{shown}{rest}"[:columns]

    def _pastes_marked(self) -> AbstractContextManager[None]:
        screen = find_screen(self._session.config, self._streams)
        if screen is None or self._streams.stdout is None:
            return nullcontext()
        return self._line.bracketed_paste(self._streams.stdout)

    def _open_history(self) -> PromptHistory | None:
        try:
            return PromptHistory(self._session.folders.prompt_history)
        except OSError as error:
            self._streams.say(
                error_lines(StorageError(f"the prompt history cannot be kept: {error.strerror}"))
            )
            return None

    def _say(self, text: str) -> None:
        self._streams.write(f"{sanitize(text)}\n")

    def _show(self, reply: str) -> None:
        """A kept reply, as it looked when it came."""
        screen = find_screen(self._session.config, self._streams)
        if screen is None:
            self._say(reply)
        else:
            screen.show(reply)

    async def _confirm(self, question: str) -> bool:
        return await self._prompt.confirm(sanitize_line(question))

    def _clear(self) -> None:
        if find_screen(self._session.config, self._streams) is not None:  # no other is sent an escape code
            self._streams.write("\x1b[H\x1b[2J\x1b[3J")
