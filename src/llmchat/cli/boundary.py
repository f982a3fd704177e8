"""The error boundary: every error that leaves a command becomes at most two lines and an exit code."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import typer

from llmchat import signals
from llmchat.cli.commands import read_report, run
from llmchat.cli.options import standard_streams
from llmchat.config.folders import Folders
from llmchat.errors import ErrorReport, ExitCode, LLMChatError, StorageError, UsageError
from llmchat.private import open_private

_ENDED = (ExitCode.SIGHUP, ExitCode.SIGINT, ExitCode.SIGPIPE, ExitCode.SIGTERM)


def main() -> None:
    """The `llmchat` command."""
    code = _run(sys.argv[1:], ErrorReport())
    signals.ignore()
    _flush(sys.stdout, 1)
    _flush(sys.stderr, 2)
    if code in _ENDED:
        os._exit(code)  # do not wait for a thread that is still asking a name server
    sys.exit(code)


def _run(arguments: list[str], report: ErrorReport) -> int:
    try:
        signals.leave_in_order()
        return _run_and_show(arguments, report)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else ExitCode.OK
    except BrokenPipeError:
        _abandon(1)
        return ExitCode.SIGPIPE
    except OSError as error:
        _abandon(1)
        report.show = None  # the command may write to stdout
        hint = "free some space, or check where the output goes"
        return _show(StorageError(f"cannot read or write: {error.strerror or error}", hint=hint), report)
    except Exception:  # noqa: BLE001 - the boundary: a bug must not spill over the terminal
        return _log_bug(report)


def _run_and_show(arguments: list[str], report: ErrorReport) -> int:
    """Runs the command line, and shows the error that ended it. Raises what llmchat cannot explain."""
    try:
        if sys.stdout is None:
            raise StorageError("standard output is closed", hint="redirect it to a file or a pipe")
        code = run(arguments, report)
        if code not in _ENDED:  # else the reader of stdout may have left, which is no news then
            sys.stdout.flush()
        return code
    except typer.TyperException as error:
        read_report(error, arguments, report)
        return _show(
            UsageError(error.format_message(), hint="llmchat --help lists commands and options"), report
        )
    except LLMChatError as error:
        return _show(error, report)


def _show(error: LLMChatError, report: ErrorReport) -> int:
    """Shows the error that is being handled. The only place that decides an error's exit code."""
    from llmchat.terminal.reply.json import error_record
    from llmchat.terminal.reply.status import error_lines

    if report.debug:
        standard_streams().say(_trace(report))
    if report.show is not None:
        report.show(error)
        return error.exit_code
    if report.json or report.jsonl:
        with suppress(OSError, ValueError, AttributeError):  # stdout itself may be what fails
            print(json.dumps(({"type": "error"} if report.jsonl else {}) | error_record(error)), flush=True)
    standard_streams().say(error_lines(error))
    return error.exit_code


def _trace(report: ErrorReport) -> str:
    """The traceback of the error that is being handled, scrubbed of keys and sanitized."""
    import traceback

    from llmchat.config.keys import known_secrets
    from llmchat.sanitize import sanitize
    from llmchat.scrub import scrub

    secrets = [*report.secrets(), *known_secrets(os.environ, Path())]
    return sanitize(scrub(traceback.format_exc(), secrets))


def _log_bug(report: ErrorReport) -> int:
    trace = _trace(report)
    if report.debug:
        standard_streams().say(trace)
    log = Folders.find(os.environ).log
    entry = f"{datetime.now(UTC).isoformat()}\n{trace}\n"
    try:
        with open_private(log, "ab") as file:
            file.write(entry.encode(errors="backslashreplace"))
        where = f"details are in {log}"
    except OSError:
        where = "run it again with --debug to see where"
    standard_streams().say(f"llmchat: error: this is a bug in llmchat; {where}")
    return ExitCode.BUG


def _flush(stream: TextIO | None, descriptor: int) -> None:
    """Writes what is buffered; a failure to do so must not change the exit code."""
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        _abandon(descriptor)


def _abandon(descriptor: int) -> None:
    """Drops what is still buffered, which cannot be written: Python would report that again at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
