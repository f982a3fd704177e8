"""Reads the question of a run from arguments, files and stdin, and its --schema or --regex."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from llmchat.app.attachments import read_text_file
from llmchat.core.constraint import Constraint, JsonSchema, Regex
from llmchat.core.input_text import INPUT_CAP, check_text, decode
from llmchat.errors import InputError, UsageError
from llmchat.terminal.device.streams import Streams


class EmptyQuestion(InputError):  # noqa: N818 - names the question, not the fault
    """There is no question."""


def read_question(words: Sequence[str], files: Sequence[str], streams: Streams, *, exact: bool) -> str:
    """Files and piped text, then the words, with a blank line between them.

    Newlines at the end of a file or of piped text are removed, unless `exact`. Raises
    EmptyQuestion, InputError for what is no text, MissingError for a file, UsageError if nothing is given.
    """
    named = "-" in words or "-" in files
    if not (words or files or streams.piped) and streams.is_terminal(streams.stdin):
        raise UsageError("there is nothing to ask", hint='try: llmchat ask "What is the capital of France?"')
    parts = [read_file(name, streams) for name in files]
    if "-" in words or (streams.piped and not named):
        parts.append(read_file("-", streams))
    if not exact:
        parts = [part.rstrip("\r\n") for part in parts]
    parts.append(check_text(" ".join(word for word in words if word != "-"), "the prompt"))
    question = "\n\n".join(part for part in parts if part)
    if not question.strip():
        raise EmptyQuestion("the prompt is empty", hint="give it as an argument, or pipe it in")
    return question


def read_file(name: str, streams: Streams) -> str:
    """The text of a file; `-` is standard input. Raises as `read_text_file`."""
    if name == "-":
        return decode(streams.read_stdin(INPUT_CAP + 1), "standard input")
    return read_text_file(name)


def read_constraint(schema: str | None, regex: str | None, streams: Streams) -> Constraint | None:
    """The constraint on the answer: the JSON Schema in this file, or the pattern. `-` is standard input.

    Raises MissingError for a file, InputError for what is no JSON Schema, UsageError for what is no pattern.
    """
    if schema is not None:
        return JsonSchema.parse(read_file(schema, streams), "standard input" if schema == "-" else schema)
    return None if regex is None else Regex.parse(check_text(regex, "the pattern"))


def without_schema(schema: str | None, names: Collection[str], streams: Streams) -> Streams:
    """The streams to read the question from: without standard input if the schema is read from there.

    Raises UsageError if one of the names of its parts is `-` too.
    """
    if schema != "-":
        return streams
    if "-" in names:
        raise UsageError(
            "standard input can be read only once", hint="put the schema or the text into a file"
        )
    return replace(streams, stdin=None)
