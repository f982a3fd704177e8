"""The errors of llmchat, their exit codes, and the hint for a misspelled name. Imports nothing of llmchat.

    LLMChatError            70  base class of all errors that have a message; never raised itself
    ├── UsageError           2  a wrong option, command or argument
    ├── InputError          65  empty, binary or oversized input; a request the server rejected
    │   └── ContextOverflow 65  a question that does not fit the model's context window
    ├── MissingError        66  a named file, conversation or model is not there
    ├── UnavailableError    69  server unreachable, TLS, 5xx, overloaded, still loading; engine failed
    ├── CreateError         73  a folder or file of llmchat cannot be created
    ├── StorageError        74  a read or write failed: disk full, database corrupt
    ├── TryLaterError       75  timeout, rate limit, database locked
    ├── BrokenReply         76  the answer broke off, is no LLM's answer, or violates --schema or --regex
    ├── DeniedError         77  401, 403, unsafe file permissions
    └── ConfigError         78  bad URL, missing key, 404, redirect, untrusted .env

Codes follow sysexits.h where it has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import ClassVar, Self


class ExitCode(IntEnum):
    """The exit codes of the process.

    `when` is what each means: for `llmchat help exit-codes`, the manual page and docs/exit-codes.md.
    """

    when: str

    def __new__(cls, code: int, when: str = "") -> Self:
        member = int.__new__(cls, code)
        member._value_ = code
        member.when = when
        return member

    OK = 0, "success; a reply cut by --max-tokens is noted on stderr"
    USAGE = 2, "usage error: a wrong option, command or argument"
    INPUT = (
        65,
        "bad input: empty, binary or too large; not a JSON Schema; longer than the context "
        "window; rejected by the server",
    )
    MISSING = 66, "a named file, conversation or model file does not exist"
    UNAVAILABLE = 69, "the server is unreachable, overloaded, failing or still loading its model"
    BUG = 70, "a bug in llmchat; the message names the log file"
    CANNOT_CREATE = 73, "a file or folder cannot be created, or exists already"
    STORAGE = 74, "a read or write failed: disk full, standard output closed, database damaged"
    TRY_LATER = 75, "temporary failure: timeout, rate limit, locked database; try again later"
    BROKEN_REPLY = (
        76,
        "the answer broke off, is not from a language model, or does not match "
        "--schema or --regex; the text that came is printed and saved",
    )
    DENIED = 77, "the key was rejected, or a file has unsafe permissions"
    CONFIG = (
        78,
        "configuration error: config.toml, a variable, bad URL, missing key, 404, redirect, untrusted .env",
    )
    SIGHUP = 129, "the terminal was closed (SIGHUP); the text so far is saved"
    SIGINT = 130, "interrupted by Ctrl-C (SIGINT); the text so far is saved"
    SIGPIPE = 141, "the reader of stdout has gone (SIGPIPE); the text so far is saved"
    SIGTERM = 143, "ended by SIGTERM; the text so far is saved"


class LLMChatError(Exception):
    """An error with a message, what failed, and a hint, what to do about it.

    Both may quote foreign text: they are sanitized where they are shown.
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
    """A prompt that is longer than the context window, with the server's numbers of tokens where it gave any.

    `limit` is for prompt and reply together, `prompt_limit` for the prompt alone; `prompt_tokens` is the
    length of this prompt.
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
        self.show: Callable[[LLMChatError], None] | None = None  # set by a front end that shows errors itself
        self.secrets: Callable[[], Iterable[str]] = tuple  # keys that must not be shown


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one; None if none is similar."""
    import difflib

    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)), None)


def did_you_mean(name: str, known: Iterable[str], *, before: str = "") -> str:
    """A hint with the nearest known name, preceded by `before`; empty if none is similar."""
    near = nearest(name, known)
    return f"did you mean {before}{near} ?" if near else ""
