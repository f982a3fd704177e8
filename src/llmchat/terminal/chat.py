"""`llmchat` without a command: the REPL at a terminal; with piped input, the same as `ask`."""

from __future__ import annotations

from llmchat.errors import ExitCode, UsageError
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.device.tty import without_echo
from llmchat.terminal.run import Run, configure, open_session


def chat(run: Run, streams: Streams) -> ExitCode:
    """Runs until the person leaves. Raises UsageError if there is neither a terminal nor piped input."""
    hint = 'for a single answer: llmchat ask "your question"'
    if not streams.is_terminal(streams.stdin):
        if run.batch is not None:
            from llmchat.terminal.ask import ask

            return ask((), run, streams)
        if not streams.piped:
            raise UsageError("there is no terminal to chat in, and nothing is piped in", hint=hint)
        from llmchat.terminal.ask import answer

        return answer(lambda: _read_piped(run, streams, hint), run, streams)
    if not streams.is_terminal(streams.stdout):
        raise UsageError("the output is not a terminal", hint=hint)
    single = ("json", "jsonl", "dry_run", "raw_prompt", "file", "schema", "regex", "batch")
    one_shot = [name for name in single if getattr(run, name) not in (None, False, ())]
    if one_shot:
        raise UsageError(f"--{one_shot[0].replace('_', '-')} is only for a single answer", hint=hint)
    run.check(streams)
    config = configure(run, streams)
    with without_echo(streams.stdin) as line:
        session = open_session(run, config, streams)

        from llmchat.terminal.device.interrupts import Interrupts
        from llmchat.terminal.repl.loop import Repl

        interrupts = Interrupts()
        return interrupts.run(Repl(session, streams, run=run, line=line, interrupts=interrupts).run())


def _read_piped(run: Run, streams: Streams, hint: str) -> str:
    from llmchat.terminal.question import EmptyQuestion, read_question, without_schema

    try:
        asked = without_schema(run.schema, run.file, streams)
        return read_question((), run.file, asked, exact=run.raw_prompt)
    except EmptyQuestion as error:
        raise UsageError("nothing is piped in", hint=hint) from error
