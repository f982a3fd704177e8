"""The error tree, the exit codes, and the hint for a misspelled name; knows nothing else of llmchat.

    LLMChatError            70  anything llmchat can explain; never raised itself
    ├── UsageError           2  a flag, command or argument that makes no sense
    ├── InputError          65  empty, binary or oversized input; a request the server rejected
    │   └── ContextOverflow 65  a question that does not fit the model's context window
    ├── MissingError        66  a named file, conversation or model is not there
    ├── UnavailableError    69  server unreachable, TLS, 5xx, overloaded, still loading; engine failed
    ├── CreateError         73  a folder or file of ours cannot be created
    ├── StorageError        74  a read or write failed: disk full, database corrupt
    ├── TryLaterError       75  timeout, rate limit, database locked
    ├── BrokenReply         76  the answer broke off, was no LLM's answer, or not what was asked for
    ├── DeniedError         77  401, 403, unsafe file permissions
    └── ConfigError         78  bad URL, missing key, 404, redirect, untrusted .env

Codes follow sysexits.h where it has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process exits with."""

    OK = 0
    USAGE = 2
    INPUT = 65
    MISSING = 66
    UNAVAILABLE = 69
    BUG = 70
    CANNOT_CREATE = 73
    STORAGE = 74
    TRY_LATER = 75
    BROKEN_REPLY = 76
    DENIED = 77
    CONFIG = 78
    SIGHUP = 129
    SIGINT = 130
    SIGPIPE = 141
    SIGTERM = 143


WHEN: Mapping[ExitCode, str] = MappingProxyType(
    {
        ExitCode.OK: "answered; also if cut by length, with a note on stderr",
        ExitCode.USAGE: "a flag, command or argument that makes no sense",
        ExitCode.INPUT: "empty, binary or oversized input; no JSON Schema; a question that does not fit; "
        "a request the server rejected",
        ExitCode.MISSING: "a named file, conversation or model file is missing; a --config that is not there",
        ExitCode.UNAVAILABLE: "the server is unreachable, overloaded, failing or still loading",
        ExitCode.BUG: "a bug in llmchat; the message says where the log is",
        ExitCode.CANNOT_CREATE: "a file or folder of llmchat's cannot be created, or would be replaced",
        ExitCode.STORAGE: "cannot read or write: disk full, standard output closed, database damaged",
        ExitCode.TRY_LATER: "a timeout, a rate limit, a locked database: try again later",
        ExitCode.BROKEN_REPLY: "the answer broke off, was no model's, or not what --schema or --regex asks "
        "for; what came was printed and is kept",
        ExitCode.DENIED: "the key was refused; a file that others can change",
        ExitCode.CONFIG: "configuration: a mistake in config.toml or a variable, bad URL, missing key, 404, "
        "redirect, a .env that is not trusted",
        ExitCode.SIGHUP: "the terminal was closed (SIGHUP); the text so far is kept",
        ExitCode.SIGINT: "Ctrl-C (SIGINT); the text so far is kept",
        ExitCode.SIGPIPE: "the reader of the output left (SIGPIPE); the text so far is kept",
        ExitCode.SIGTERM: "ended by SIGTERM; the text so far is kept",
    }
)
"""When the process exits with what: for the help, the manual and the README."""


class LLMChatError(Exception):
    """Something llmchat can explain: what failed, and what to do about it.

    Both texts may quote foreign text; whoever shows them sanitizes them.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LLMChatError):
    exit_code = ExitCode.USAGE


class InputError(LLMChatError):
    exit_code = ExitCode.INPUT


class ContextOverflow(InputError):  # noqa: N818 - the field's own word
    """What the server says in tokens, as far as it does.

    `limit` is what it can take, prompt and reply together; `prompt_limit` bounds the prompt alone;
    `prompt_tokens` is what it counts in this one.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        limit: int | None = None,
        prompt_limit: int | None = None,
        prompt_tokens: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.limit = limit
        self.prompt_limit = prompt_limit
        self.prompt_tokens = prompt_tokens


class MissingError(LLMChatError):
    exit_code = ExitCode.MISSING


class UnavailableError(LLMChatError):
    exit_code = ExitCode.UNAVAILABLE


class CreateError(LLMChatError):
    exit_code = ExitCode.CANNOT_CREATE


class StorageError(LLMChatError):
    exit_code = ExitCode.STORAGE


class TryLaterError(LLMChatError):
    exit_code = ExitCode.TRY_LATER


class BrokenReply(LLMChatError):  # noqa: N818 - names the reply, not the code
    exit_code = ExitCode.BROKEN_REPLY


class DeniedError(LLMChatError):
    exit_code = ExitCode.DENIED


class ConfigError(LLMChatError):
    exit_code = ExitCode.CONFIG


class ErrorReport:
    """How an error that ends this run is shown. Filled in as options are parsed and the run begins."""

    def __init__(self) -> None:
        self.json = self.jsonl = self.debug = False
        self.show: Callable[[LLMChatError], None] | None = None  # where the front end has a way of its own
        self.secrets: Callable[[], Iterable[str]] = tuple  # what the run came to know and must not be shown


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one; None where none is near."""
    import difflib

    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)), None)


def did_you_mean(name: str, known: Iterable[str], *, before: str = "") -> str:
    """The hint with the nearest known name, `before` standing before it; empty where none is near."""
    near = nearest(name, known)
    return f"did you mean {before}{near} ?" if near else ""
