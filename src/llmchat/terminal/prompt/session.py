"""The prompt-toolkit session that reads a message. Knows no command and no backend."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable

from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session, run_in_terminal
from prompt_toolkit.application.current import set_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent, merge_key_bindings
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import is_dumb_terminal

from llmchat.errors import LLMChatError
from llmchat.sanitize import sanitize_line
from llmchat.terminal.prompt.completion import Candidate
from llmchat.terminal.prompt.keys import key_bindings

Complete = Callable[[str], Iterable[Candidate]]
"""The completions of the line typed so far, as whole lines."""

LABEL = "> "


class LineCompleter(Completer):
    """Completes a message of one line by a word after its last space."""

    def __init__(self, complete: Complete) -> None:
        self._complete = complete

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        line = document.text_before_cursor
        if "\n" in document.text:
            return
        try:
            found = list(self._complete(line))
        except LLMChatError:  # for example a locked database: typing goes on
            return
        for each in found:
            start = os.path.commonprefix([each.text, line]).rfind(" ") + 1  # noqa: RUF071 - by characters
            yield Completion(
                each.text[start:],
                start_position=start - len(line),
                display=sanitize_line(each.text[start:]),
                display_meta=sanitize_line(each.about),
            )


class Prompt:
    """Asks for one message after another.

    Enter sends; Esc-Enter, Ctrl-J and a trailing backslash make a newline; Ctrl-X Ctrl-E opens the editor.
    `read` raises EOFError for Ctrl-D and KeyboardInterrupt for Ctrl-C on an empty line.
    """

    def __init__(
        self,
        history: History | None,
        *,
        complete: Complete,
        toolbar: Callable[[int], str],
        vi: bool,
        stop: Callable[[], None],
    ) -> None:
        """`stop` is what Ctrl-Z does, with the prompt hidden."""
        self.shown = asyncio.Event()
        """Set when the first prompt is on the screen."""
        self._toolbar = toolbar
        self._label = LABEL
        self._stop = stop
        with create_app_session(output=_output()):
            self._session = self._open(history, complete=complete, vi=vi)
        self._session.app.after_render += lambda _: self.shown.set()

    def _open(self, history: History | None, *, complete: Complete, vi: bool) -> PromptSession[str]:
        return PromptSession(
            lambda: FormattedText([("bold", self._label)]),
            multiline=True,
            prompt_continuation=lambda width, _line, _wraps: " " * width,
            history=history,
            completer=LineCompleter(complete),
            complete_while_typing=False,
            enable_open_in_editor=True,
            tempfile_suffix=".md",
            editing_mode=EditingMode.VI if vi else EditingMode.EMACS,
            key_bindings=merge_key_bindings([key_bindings(), self._stop_key()]),
            bottom_toolbar=self._show_toolbar,
            style=Style.from_dict({"bottom-toolbar": "noreverse fg:ansibrightblack"}),
            reserve_space_for_menu=4,
        )

    async def read(self, draft: str = "", *, label: str = LABEL) -> str:
        """Reads the next message, with `draft` already in the editor."""
        self._label = label
        return await self._session.prompt_async(
            default=draft, handle_sigint=False
        )  # llmchat handles signals itself

    async def confirm(self, question: str) -> bool:
        """Asks a yes/no question. Anything but yes, also Ctrl-C and Ctrl-D, is no."""
        session: PromptSession[str] = PromptSession(key_bindings=self._stop_key())
        try:
            answer = await session.prompt_async(f"{question} ", handle_sigint=False)
        except (EOFError, KeyboardInterrupt):
            return False
        return answer.strip().lower() in ("y", "yes")

    def refresh(self) -> None:
        """Redraws the toolbar, if the prompt is shown."""
        if self._session.app.is_running:
            self._session.app.invalidate()

    def hide_during(self, call: Callable[[], None]) -> None:
        """Hides the prompt, calls this, and shows the prompt again."""
        with set_app(self._session.app):
            run_in_terminal(call)

    def reset_terminal(self) -> None:
        """Ends bracketed paste, because the program ends at once. Unbuffered, as a buffer may be in use."""
        if not is_dumb_terminal():
            os.write(self._session.app.output.fileno(), b"\x1b[?2004l")

    def _stop_key(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("c-z")
        def _(_: KeyPressEvent) -> None:
            run_in_terminal(self._stop)

        return keys

    def _show_toolbar(self) -> FormattedText:
        width = self._session.app.output.get_size().columns
        return FormattedText([("", self._toolbar(max(0, width - 1)))])


class _DumbOutput(Vt100_Output):
    """Prints no escape sequence: prompt-toolkit starts with one that a dumb terminal would show."""

    def show_cursor(self) -> None:
        pass


def _output() -> Output:
    return _DumbOutput.from_pty(sys.stdout) if is_dumb_terminal() else create_output()
