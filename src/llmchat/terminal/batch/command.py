"""Runs a batch: reads lines, asks the model, prints answers, until all are done or it is stopped."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import asdict, fields, replace

from llmchat.app import Session
from llmchat.app.batch.journal import BatchJournal
from llmchat.app.batch.parallel import in_parallel
from llmchat.app.batch.run import Batch
from llmchat.app.target import choose
from llmchat.core.constraint import Constraint
from llmchat.errors import CreateError, ExitCode, LLMChatError, UsageError
from llmchat.terminal.batch.answers import BatchAnswers
from llmchat.terminal.batch.lines import BatchLine, identity, open_source, read_lines, size_of
from llmchat.terminal.batch.output import Output, Printed
from llmchat.terminal.batch.progress import BatchProgress
from llmchat.terminal.batch.prompts import BatchFrame, read_frame
from llmchat.terminal.device.interrupts import Interrupts
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.question import read_constraint, without_schema
from llmchat.terminal.reply.json import constraint_record
from llmchat.terminal.reply.status import error_lines
from llmchat.terminal.run import Run, configure, open_session

MOST_AT_ONCE = 1024
REMOTE_AT_ONCE = 8
"""Concurrent requests by default: a server batches them, a model on this machine does not."""
_HOW = frozenset(
    (
        *("flags", "continue_", "conversation", "no_save", "no_stream", "raw", "json", "jsonl", "dry_run"),
        *("report", "debug", "batch", "concurrency", "unordered", "schema", "regex"),
    )
)
"""The fields of `Run` that do not change what is asked: the fingerprint leaves them out."""


def batch(words: Sequence[str], run: Run, streams: Streams) -> ExitCode:
    """Asks every line of `run.batch`. Raises the error of the first line without an answer."""
    run.report.show = lambda error: streams.say(error_lines(error))  # only answers go to stdout
    run.check(streams)
    name = _check(run)
    config = configure(run, streams)
    constraint = read_constraint(run.schema, run.regex, streams)
    asked = without_schema(run.schema, (name, *run.file), streams)
    frame = read_frame(words, run.file, asked, exact=run.raw_prompt)
    with open_source(name, streams) as source:
        session = open_session(replace(run, no_save=True), config, streams)
        lines = _Lines(session, run, streams, frame, constraint, name=name, source=source)
        return Interrupts().run(lines.answer())


def _check(run: Run) -> str:
    """The name of the input. Raises UsageError for options that cannot be used with a batch."""
    assert run.batch is not None, "the caller checks for --batch"
    if os.name != "posix":
        raise UsageError("--batch does not work on Windows", hint="ask each line with llmchat ask")
    told = {"-c": run.continue_, "--conversation": run.conversation, "--jsonl": run.jsonl, "--raw": run.raw}
    for flag, given in told.items():
        if given:
            raise UsageError(f"--batch and {flag} cannot be used together", hint=f"leave out {flag}")
    if run.batch == "-" and "-" in run.file:
        raise UsageError("standard input cannot be both the prompts and a file", hint="name one of them")
    if run.concurrency is not None and not 1 <= run.concurrency <= MOST_AT_ONCE:
        shown = f"--concurrency {run.concurrency} is out of range"
        raise UsageError(shown, hint=f"it takes 1 to {MOST_AT_ONCE}")
    return run.batch


class _Lines:
    """One run: lines on their way from the input to the output."""

    def __init__(
        self,
        session: Session,
        run: Run,
        streams: Streams,
        frame: BatchFrame,
        constraint: Constraint | None,
        *,
        name: str,
        source: int,
    ) -> None:
        assert streams.stdout is not None, "the program does not start without it"
        self._session = session
        self._run = run
        self._frame = frame
        self._constraint = constraint
        self._name = name
        self._source = source
        self._stdout = streams.stdout
        self._tally = BatchProgress(streams, quiet=session.config.switch("quiet"))
        self._output = Output(streams.stdout.fileno(), ordered=not run.unordered)
        asking = Batch(
            session,
            raw=run.raw_prompt,
            stream=not run.no_stream,
            constraint=constraint,
            tell=self._tally.tell,
        )
        self._answers = BatchAnswers(asking, frame, self._tally, preview=run.dry_run)
        self._printed: Printed | None = None

    async def answer(self) -> ExitCode:
        """Answers all lines. Raises the first error that stops the batch, else one that counts failures."""
        clock = time.monotonic
        started_at = clock()
        try:
            with self._tally.shown(size_of(self._source)):
                async with aclosing(self._read()) as lines:
                    await in_parallel(lines, self._answer, at_once=self._at_once())
            self._finish()
        except (asyncio.CancelledError, LLMChatError) as end:
            await self._output.leave()
            if self._tally.done or isinstance(end, asyncio.CancelledError):
                self._say_stopped(clock() - started_at)
            raise
        finally:
            if self._answers.journal is not None:
                self._answers.journal.close()
            await self._session.aclose()
        if not self._run.dry_run:
            self._tally.say(self._tally.summary(clock() - started_at))
        if self._tally.failed:
            raise self._tally.failure(also=self._again("retries only these"))
        return ExitCode.OK

    def _at_once(self) -> int:
        if self._run.dry_run:
            return 1
        at_once = self._run.concurrency or (REMOTE_AT_ONCE if self._session.model.is_remote else 1)
        _allow_open_files(at_once + 64)
        return at_once

    async def _read(self) -> AsyncGenerator[BatchLine, None]:
        """The lines, read only as fast as answers can be printed. The first one opens the journal."""
        async with aclosing(read_lines(self._source)) as lines:
            async for line in lines:
                if line.position == 0 and not (self._run.no_save or self._run.dry_run):
                    await self._open_journal(line)
                await self._output.room(line.position)
                yield line

    async def _open_journal(self, first: BatchLine) -> None:
        folder = self._session.folders.state / "batches"
        try:
            journal = BatchJournal.open(folder / f"{self._fingerprint(first)}.jsonl")
        except CreateError as error:
            self._tally.say(f"this batch cannot be resumed later: {error.message}")
            return
        self._answers.journal = journal
        if len(journal):
            self._printed = Printed(self._stdout)
            if self._printed.unfinished:
                await self._output.break_line()

    def _fingerprint(self, first: BatchLine) -> str:
        """A hash of the model, the settings, the text around every prompt, and the input's identity.

        The lines themselves are not in it: an answer is kept with its line's own key.
        """
        session, run = self._session, self._run
        asked = (
            asdict(choose(session.config)),
            [session.config.text(name) for name in ("api", "prompt_format")],
            asdict(session.model.effective_settings()),
            session.conversation.system,
            asdict(self._frame),
            constraint_record(self._constraint),
            {each.name: repr(getattr(run, each.name)) for each in fields(run) if each.name not in _HOW},
            identity(self._name, self._source, first),
        )
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]

    async def _answer(self, line: BatchLine) -> None:
        answer = self._answers.kept(line)
        if answer is None:
            answer = await self._answers.ask(line)
        elif self._printed is not None and answer in self._printed:
            answer = b""
        await self._output.add(line.position, answer)
        self._tally.advance(line.size)

    def _finish(self) -> None:
        """Every line was tried: removes the journal, unless some must be asked again."""
        if self._answers.journal is not None and not self._tally.failed:
            with suppress(OSError):  # only a regular file can be synced
                os.fsync(self._stdout.fileno())  # a power failure must not take both
            self._answers.journal.remove()

    def _say_stopped(self, seconds: float) -> None:
        again = self._again("resumes from there")
        self._tally.say(f"stopped: {self._tally.summary(seconds)}{f'; {again}' if again else ''}")

    def _again(self, what: str) -> str | None:
        return f"the same command {what}" if self._answers.journal is not None else None


def _allow_open_files(count: int) -> None:
    """Raises the limit of open files as far as the system allows."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
