"""The REPL loop: reads a line, runs it as a command or as a turn, and shows any error."""

from __future__ import annotations

import asyncio
import importlib

from llmchat.app import Session
from llmchat.app.compaction import Compaction, Undo
from llmchat.core.turn import Turn
from llmchat.errors import ExitCode, LLMChatError, StorageError
from llmchat.sanitize import sanitize_line
from llmchat.terminal.device.interrupts import Interrupts
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.device.tty import TtyLine
from llmchat.terminal.prompt.history import PromptHistory
from llmchat.terminal.prompt.session import LABEL, Prompt
from llmchat.terminal.repl.actions import Action, Ask, Attach, Compact, Do, Edit, Say, ShowReply, WriteFile
from llmchat.terminal.repl.commands import complete_line, is_command, run_command
from llmchat.terminal.repl.composer import Composer
from llmchat.terminal.repl.display import Display
from llmchat.terminal.repl.registry import CommandContext
from llmchat.terminal.reply.view import show
from llmchat.terminal.run import Run, make_view


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
        self._display = Display(session, streams)
        self._composer = Composer()
        self._compactions: list[Undo] = []
        self._leaving = False
        self._prompt = Prompt(
            self._open_history(),
            complete=lambda line: complete_line(self._context(), line),
            toolbar=lambda columns: self._display.toolbar(columns, files=len(self._composer.files)),
            vi=session.config.switch("vi"),
            stop=line.stop_all,
        )

    async def run(self) -> ExitCode:
        """Reads and runs lines until the person leaves."""
        self._display.last_turn()
        opening = asyncio.ensure_future(self._open_backend())
        try:
            with self._line.handling_signals():
                while not self._leaving:
                    await self._step()
        finally:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            await self._session.aclose()
        return ExitCode.OK

    async def _open_backend(self) -> None:
        """Connects while the person is still typing. An error is left to the first question."""
        await self._prompt.shown.wait()
        await asyncio.to_thread(importlib.import_module, "llmchat.terminal.reply.live")
        try:
            await self._session.model.warm()
        except LLMChatError:
            return
        self._prompt.refresh()

    def _open_history(self) -> PromptHistory | None:
        try:
            return PromptHistory(self._session.folders.prompt_history)
        except OSError as error:
            self._display.error(StorageError(f"the prompt history cannot be saved: {error.strerror}"))
            return None

    async def _step(self) -> None:
        for notice in self._session.take_notices():
            self._streams.note(notice)
        composer = self._composer
        try:
            with self._line.prompting(self._prompt):
                label = "edit> " if composer.replaces else LABEL
                line = await self._prompt.read(composer.take_draft(), label=label)
        except EOFError:
            self._leaving = True
            return
        except KeyboardInterrupt:
            kept = composer.replaces
            self._streams.say("The question is unchanged." if kept else "Ctrl-D or /exit leaves.")
            composer.replaces = False
            return
        if line.strip():
            await self._take(line)

    async def _take(self, line: str) -> None:
        """Runs a line, and shows its error: the only place in the REPL that does."""
        try:
            if is_command(line):
                self._composer.replaces = False
                command = run_command(self._context(), line)
                for action in await self._interrupts.cancel_on_ctrl_c(command) or ():
                    await self._carry_out(action)
            else:
                await self._show(self._ask(line))
        except LLMChatError as error:
            self._display.error(error)

    def _context(self) -> CommandContext:
        return CommandContext(self._session, self._streams, self._composer.files, self._compactions)

    def _ask(self, line: str) -> Turn:
        """The turn that asks this. If that fails, the line goes back into the editor."""
        try:
            question = self._composer.compose(line)
            if self._composer.replaces:
                self._session.undo()
        except LLMChatError:
            self._composer.draft = line
            raise
        self._composer.clear()
        return self._session.ask(question)

    async def _carry_out(self, action: Action) -> None:
        """Carries out what a command returned."""
        match action:
            case Say(text):
                self._display.say(text)
            case ShowReply(text):
                self._display.reply(text)
            case Ask(turn):
                await self._show(turn)
            case Compact(compaction):
                await self._compact(compaction)
            case Edit(question, replaces):
                self._composer.edit(question, replaces=replaces)
            case Attach(files):
                self._composer.files = files
            case WriteFile():
                await self._write(action)
            case Do.SHOW_LAST_TURN:
                self._display.last_turn()
            case Do.CLEAR_SCREEN:
                self._display.clear()
            case Do.LEAVE:
                self._leaving = True

    async def _compact(self, compaction: Compaction) -> None:
        turn = compaction.ask()
        await self._show(turn)
        if turn.reply is not None:
            self._compactions.append(compaction.apply(turn.reply))
            turns = "turn 1" if compaction.replaced == 1 else f"turns 1 to {compaction.replaced}"
            self._display.say(f"From now on this summary is sent instead of {turns}. /undo reverts that.")

    async def _show(self, turn: Turn) -> None:
        """Shows a turn while it runs. Ctrl-C stops it."""
        view = make_view(
            self._run, self._session.config, self._streams, conversation=lambda: None, footer=True
        )
        with self._line.showing(view), self._display.bracketed_paste(self._line):
            await self._interrupts.cancel_on_ctrl_c(show(turn, view))

    async def _write(self, file: WriteFile) -> None:
        written = file.write(overwrite=False)
        if not written and await self._prompt.confirm(
            sanitize_line(f"{file.path} exists. Overwrite it? [y/N]")
        ):
            written = file.write(overwrite=True)
        self._display.say(f"Wrote {file.path}." if written else "Nothing was written.")
