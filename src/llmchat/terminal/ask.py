"""`llmchat ask`: one prompt, one answer, for pipes and scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from llmchat.app import Session
from llmchat.core.constraint import Constraint
from llmchat.errors import ExitCode
from llmchat.sanitize import sanitize
from llmchat.terminal.device.interrupts import Interrupts
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.device.tty import TtyLine, without_echo
from llmchat.terminal.question import read_constraint, read_question, without_schema
from llmchat.terminal.reply.json import constraint_record
from llmchat.terminal.reply.view import View, show, show_event
from llmchat.terminal.run import Run, configure, make_view, open_session


def ask(words: Sequence[str], run: Run, streams: Streams) -> ExitCode:
    """Runs `llmchat ask`, or a batch with --batch. Returns the exit code."""
    if run.batch is not None:
        from llmchat.terminal.batch.command import batch

        return batch(words, run, streams)

    def read() -> str:
        asked = without_schema(run.schema, (*words, *run.file), streams)
        return read_question(words, run.file, asked, exact=run.raw_prompt)

    return answer(read, run, streams)


def answer(read: Callable[[], str], run: Run, streams: Streams) -> ExitCode:
    """Asks one question and prints the answer. Raises LLMChatError, which the view has shown."""
    run.check(streams)
    config = configure(run, streams)
    constraint = read_constraint(run.schema, run.regex, streams)
    question = read()
    session = open_session(run, config, streams)
    view = make_view(run, config, streams, conversation=lambda: session.conversation_id)
    run.report.show = view.error
    for notice in session.take_notices():
        view.status.note(notice)
    if run.dry_run:
        quiet = config.switch("quiet")
        return Interrupts().run(_dry_run(session, question, constraint, run, streams, quiet=quiet))
    with without_echo(streams.stdout) as line:
        return Interrupts(streams.stdout).run(_answer(session, question, constraint, run, view, line))


async def _answer(
    session: Session, question: str, constraint: Constraint | None, run: Run, view: View, line: TtyLine
) -> ExitCode:
    raw = run.raw_prompt
    turn = session.ask(question, raw=raw, stream=not run.no_stream, constraint=constraint)
    try:
        if (
            constraint is not None
        ):  # a constraint that the server does not support is an error before anything is saved
            await session.model.connect(constraint, raw=raw, tell=lambda event: show_event(event, view))
        with line.handling_signals(), line.showing(view):
            await show(turn, view)
    finally:
        await session.aclose()
    return ExitCode.OK


async def _dry_run(
    session: Session,
    question: str,
    constraint: Constraint | None,
    run: Run,
    streams: Streams,
    *,
    quiet: bool,
) -> ExitCode:
    """Prints exactly what would be sent to stdout (sanitized on a terminal), and its tokens to stderr."""
    try:
        preview = await session.preview(question, raw=run.raw_prompt, ask_server=False, constraint=constraint)
    finally:
        await session.aclose()
    name = session.model.info.backend
    if run.json or run.jsonl:
        count = {"tokens": preview.count.tokens, "exact": preview.count.exact}
        told = {"backend": name, "prompt": preview.text, **count, "constraint": constraint_record(constraint)}
        streams.write(json.dumps(told) + "\n")
        return ExitCode.OK
    on_screen = streams.is_terminal(streams.stdout)
    streams.write(f"{sanitize(preview.text)}\n" if on_screen else preview.text)
    if not quiet:
        if run.held_to:
            streams.note(f"the answer would have to match {run.held_to}")
        doubt = f" ({preview.doubt})" if preview.doubt else ""
        streams.note(f"{preview.count} for {name}{doubt}; nothing was sent")
    return ExitCode.OK
