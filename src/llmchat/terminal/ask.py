"""One prompt, one answer, for pipes and scripts."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence

from llmchat.app import Session
from llmchat.errors import ExitCode, LLMChatError
from llmchat.terminal.interrupts import Interrupts
from llmchat.terminal.question import read_question
from llmchat.terminal.run import Run, configure, open_session
from llmchat.terminal.sanitize import sanitize
from llmchat.terminal.streams import Streams
from llmchat.terminal.view import JsonView, PlainView, View, show


def ask(words: Sequence[str], run: Run, streams: Streams) -> ExitCode:
    """`llmchat ask`: the question is what `read_question` makes of the words."""
    return answer(lambda: read_question(words, run.file, streams, exact=run.raw_prompt), run, streams)


def answer(read: Callable[[], str], run: Run, streams: Streams) -> ExitCode:
    """Asks the question that is read, prints the answer, or an error in the form the run asked for."""
    try:
        run.check(streams)
        config = configure(run, streams)
        question = read()
        session = open_session(run, config, streams)
        quiet = config.switch("quiet")
        view = _view(run, streams, quiet=quiet, conversation=lambda: session.conversation_id)
        for notice in session.take_notices():
            view.note(notice)
        if run.dry_run:
            return Interrupts().run(lambda _: _dry_run(session, question, run, streams, quiet=quiet))
        return Interrupts().run(lambda _: _answer(session, question, run, view))
    except LLMChatError as error:
        if run.debug:
            streams.say(sanitize(traceback.format_exc()))
        _view(run, streams, quiet=False, conversation=lambda: None).error(error)
        return error.exit_code


def _view(run: Run, streams: Streams, *, quiet: bool, conversation: Callable[[], str | None]) -> View:
    if run.json or run.jsonl:
        return JsonView(streams, lines=run.jsonl, quiet=quiet, conversation=conversation)
    return PlainView(streams, raw=run.raw, quiet=quiet)


async def _answer(session: Session, question: str, run: Run, view: View) -> ExitCode:
    try:
        await show(session.chat.ask(question, raw=run.raw_prompt, stream=not run.no_stream), view)
    finally:
        await session.aclose()
    return ExitCode.OK


async def _dry_run(session: Session, question: str, run: Run, streams: Streams, *, quiet: bool) -> ExitCode:
    """Shows exactly what would be sent on stdout (sanitized on a terminal), its tokens on stderr."""
    try:
        preview = await session.preview(question, raw=run.raw_prompt, ask_server=False)
    finally:
        await session.aclose()
    on_screen = streams.is_terminal(streams.stdout)
    streams.write(f"{sanitize(preview.text)}\n" if on_screen else preview.text)
    if not quiet:
        streams.say(f"llmchat: {preview.count}; nothing was sent")
    return ExitCode.OK
