"""The question of a run: words, files and piped text made one. Asks nobody."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from llmchat.errors import InputError, MissingError, UsageError
from llmchat.terminal.device.streams import INPUT_CAP, Streams, check_text, decode


class EmptyQuestion(InputError):  # noqa: N818 - names the question, not the fault
    """Nothing was asked."""


def read_question(words: Sequence[str], files: Sequence[str], streams: Streams, *, exact: bool) -> str:
    """Files and piped text, then the words, with a blank line between them.

    Line ends at the end of a file or of piped text are left out, unless it is to be `exact`. Raises
    EmptyQuestion, InputError for what is no text, MissingError for a file, UsageError where nothing is given.
    """
    named = "-" in words or "-" in files
    if not (words or files or streams.piped) and streams.is_terminal(streams.stdin):
        raise UsageError("there is nothing to ask", hint='try: llmchat ask "What is the capital of France?"')
    parts = [read_file(name, streams) for name in files]
    if "-" in words or (streams.piped and not named):
        parts.append(streams.read_stdin())
    if not exact:
        parts = [part.rstrip("\r\n") for part in parts]
    parts.append(check_text(" ".join(word for word in words if word != "-"), "the prompt"))
    question = "\n\n".join(part for part in parts if part)
    if not question.strip():
        raise EmptyQuestion("the prompt is empty", hint="give it as words, or pipe it in")
    return question


def read_file(name: str, streams: Streams) -> str:
    """The text of a file; `-` is standard input. Raises MissingError, or InputError for what is no text."""
    if name == "-":
        return streams.read_stdin()
    try:
        path = Path(os.path.expanduser(name))  # noqa: PTH111 - leaves an unknown ~user as it is
        with path.open("rb") as file:
            return decode(file.read(INPUT_CAP + 1), name)
    except FileNotFoundError as error:
        raise MissingError(f"there is no file {name}", hint="check its name") from error
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise InputError(f"{name} cannot be read: {why}", hint="name a text file") from error
