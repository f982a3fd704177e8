"""Parses a line of a batch: a prompt, optionally with its own settings."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeGuard

from llmchat.config.setting import Setting
from llmchat.config.settings import SETTINGS
from llmchat.core.generation import Settings
from llmchat.core.input_text import check_text, decode
from llmchat.errors import InputError, UsageError
from llmchat.terminal.batch.lines import BatchLine
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.question import read_file

Id = str | int | float

_SAMPLING = tuple(name for name, setting in SETTINGS.items() if setting.live)
_NAME = "the line"
_KNOWN = ("prompt", "id", "system", *_SAMPLING)


@dataclass(frozen=True, slots=True)
class BatchPrompt:
    """A parsed line. Values that are None come from the run."""

    text: str
    settings: Settings = Settings()
    system: str | None = None
    id: Id | None = None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be asked, and the error."""

    error: InputError
    id: Id | None = None


@dataclass(frozen=True, slots=True)
class BatchFrame:
    """Text before and after every prompt, separated by blank lines."""

    before: str = ""
    after: str = ""

    def around(self, prompt: str) -> str:
        return "\n\n".join(part for part in (self.before, prompt, self.after) if part)


def read_frame(words: Sequence[str], files: Sequence[str], streams: Streams, *, exact: bool) -> BatchFrame:
    """The frame made of the files and words of the command line, as `read_question` takes them.

    Raises UsageError for `-` among the words, and what reading a file raises.
    """
    if "-" in words:
        raise UsageError(
            "- cannot be used as an argument with --batch",
            hint="--batch - reads the prompts from standard input",
        )
    texts = [read_file(name, streams) for name in files]
    if not exact:
        texts = [text.rstrip("\r\n") for text in texts]
    before = "\n\n".join(text for text in texts if text)
    return BatchFrame(before, check_text(" ".join(words), "the prompt"))


def read_prompt(line: BatchLine) -> BatchPrompt | BadLine:
    """A JSON object with a prompt, a JSON text, or the line as it is."""
    try:
        text = decode(line.content, _NAME)
        if not text.lstrip().startswith("{"):
            return BatchPrompt(_not_empty(_unquoted(text)))
        fields = _object(text)
    except InputError as error:
        return BadLine(error)
    given = fields.get("id")
    known = given if _is_id(given) else None
    try:
        if given is not None and known is None:
            raise _bad("id", "it must be a text or a number")
        return _read_object(fields, known)
    except InputError as error:
        return BadLine(error, known)


def _read_object(fields: Mapping[str, object], known: Id | None) -> BatchPrompt:
    for field in fields:
        if field not in _KNOWN:
            raise InputError(
                f"{_NAME} has an unknown field {field}", hint=f"the fields are {', '.join(_KNOWN)}"
            )
    prompt, system = fields.get("prompt"), fields.get("system")
    if not isinstance(prompt, str):
        if "prompt" in fields:
            raise _bad("prompt", "it must be a text")
        raise InputError(f"{_NAME} has no prompt", hint='a line is {"prompt": "..."}, or plain text')
    if system is not None and not isinstance(system, str):
        raise _bad("system", "it must be a text")
    values = {each: _value(SETTINGS[each], fields[each]) for each in _SAMPLING if each in fields}
    return BatchPrompt(
        _not_empty(check_text(prompt, "the prompt")),
        Settings(**values),  # type: ignore[arg-type] # each was checked against its declaration
        None if system is None else check_text(system, "the system message"),
        known,
    )


def _value(setting: Setting, value: object) -> object:
    """A sampling setting, converted for Settings. Raises InputError."""
    if setting.many:
        texts = (value,) if isinstance(value, str) else value
        if texts is None:
            return ()
        if not isinstance(texts, list | tuple) or not all(isinstance(each, str) and each for each in texts):
            raise _bad(setting.name, "it must be a text or a list of texts, none of them empty")
        return tuple(check_text(each, "the stop text") for each in texts)
    if value is None:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not (whole or (setting.kind is float and isinstance(value, float))):
        raise _bad(setting.name, f"it must be a {'whole ' if setting.kind is int else ''}number")
    assert isinstance(value, int | float), "all sampling settings but `stop` are numbers"
    try:
        return setting.check(value)
    except ValueError as error:
        raise _bad(setting.name, str(error)) from None


def _object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        where = f" (column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise InputError(
            f"{_NAME} starts like a JSON object but is not valid JSON{where}",
            hint='write a prompt that starts with { as {"prompt": "{ ..."}',
        ) from error
    assert isinstance(found, dict), "what begins with { is an object"
    return found


def _unquoted(text: str) -> str:
    """The text of a line that is a JSON string; else the line as it is."""
    if not text.lstrip().startswith('"'):
        return text
    try:
        found = json.loads(text)
    except ValueError:
        return text
    assert isinstance(found, str), 'what begins with " is a text'
    return check_text(found, "the prompt")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _is_id(value: object) -> TypeGuard[Id]:
    return type(value) in (str, int) or (type(value) is float and math.isfinite(value))


def _not_empty(prompt: str) -> str:
    if not prompt.strip():
        raise InputError("the prompt is empty", hint="remove the line")
    return prompt


def _bad(field: str, why: str) -> InputError:
    return InputError(f"{field} of {_NAME} is not usable", hint=why)
