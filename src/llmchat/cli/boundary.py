"""The one boundary: whatever comes out of a command becomes two lines at most and an exit code."""

from __future__ import annotations

import itertools
import json
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO

import typer

from llmchat import signals
from llmchat.cli.commands import run
from llmchat.config.folders import Folders
from llmchat.errors import ExitCode, LLMChatError, StorageError, UsageError
from llmchat.private import open_private

_ENDED = (ExitCode.SIGHUP, ExitCode.SIGINT, ExitCode.SIGPIPE, ExitCode.SIGTERM)


def main() -> None:
    """The `llmchat` command."""
    code = _run(sys.argv[1:])
    signals.ignore()
    _flush(sys.stdout, 1)
    _flush(sys.stderr, 2)
    if code in _ENDED:
        os._exit(code)  # a thread that still asks a name server is not worth waiting for
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    try:
        signals.leave_in_order()
        if sys.stdout is None:
            raise StorageError("standard output is closed", hint="redirect it to a file or a pipe")
        code = run(arguments)
        if code not in _ENDED:  # else it may be that nobody reads any more, which is no news then
            sys.stdout.flush()
        return code
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else ExitCode.OK
    except BrokenPipeError:
        _abandon(1)
        return ExitCode.SIGPIPE
    except typer.TyperException as error:
        return _explain(
            UsageError(error.format_message(), hint="llmchat --help shows what there is"), arguments
        )
    except LLMChatError as error:
        return _explain(error, arguments)
    except OSError as error:
        _abandon(1)
        hint = "free some space, or check where the output goes"
        return _explain(
            StorageError(f"cannot read or write: {error.strerror or error}", hint=hint), arguments
        )
    except Exception:  # noqa: BLE001 - the boundary: a bug must not spill over the terminal
        return _log_bug(arguments)


def _explain(error: LLMChatError, arguments: list[str]) -> int:
    from llmchat.terminal.reply.json import error_record
    from llmchat.terminal.reply.status import error_lines

    _show_trace(arguments)
    options = list(itertools.takewhile(lambda word: word != "--", arguments))
    if "--jsonl" in options:
        _print({"type": "error"} | error_record(error))
    elif "--json" in options:
        _print(error_record(error))
    _say(error_lines(error))
    return error.exit_code


def _print(record: dict[str, object]) -> None:
    with suppress(OSError, ValueError, AttributeError):  # what is wrong may be stdout itself
        print(json.dumps(record), flush=True)


def _show_trace(arguments: list[str]) -> None:
    from llmchat.terminal.trace import trace_text

    if "--debug" in arguments:
        _say(trace_text(os.environ))


def _log_bug(arguments: list[str]) -> int:
    from llmchat.terminal.trace import trace_text

    _show_trace(arguments)
    log = Folders.find(os.environ).log
    entry = f"{datetime.now(UTC).isoformat()}\n{trace_text(os.environ)}\n"
    try:
        with open_private(log, "ab") as file:
            file.write(entry.encode(errors="backslashreplace"))
        where = f"details are in {log}"
    except OSError:
        where = "run it again with --debug to see where"
    _say(f"llmchat: error: this is a bug in llmchat; {where}")
    return ExitCode.BUG


def _say(text: str) -> None:
    from llmchat.terminal.device.streams import Streams

    Streams.standard().say(text)


def _flush(stream: TextIO | None, descriptor: int) -> None:
    """Gets rid of what is buffered; where it can go nowhere, it must not change the exit code."""
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        _abandon(descriptor)


def _abandon(descriptor: int) -> None:
    """What is still buffered can go nowhere; without this Python would say so once more as it leaves."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
