"""Attached text files, also those named with @path in a question. Their text is put before the question."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from llmchat.core.input_text import INPUT_CAP, decode
from llmchat.errors import InputError, MissingError
from llmchat.paths import expand_home

_MENTION = re.compile(r'(?<!\S)@(@)?(?:"([^"\n]+)"|(\S+))')
_LIKE_A_PATH = re.compile(r"/|\w\.\w")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text file's name, as it was given, and its text when it was attached. Foreign text."""

    name: str
    text: str


def attach(name: str) -> Attachment:
    """Reads a text file, ~ being the home folder.

    Raises as `read_text_file`, and InputError for one that is empty or not a regular file.
    """
    path = expand_home(name)
    if name == "-":
        raise MissingError("there is no file -", hint="name a file")
    if path.exists() and not path.is_file():  # reading a pipe or a device could block
        raise InputError(f"{name} is not a file", hint="name a text file")
    text = read_text_file(name).rstrip("\r\n")
    if not text.strip():
        raise InputError(f"{name} is empty", hint="name a file with text in it")
    return Attachment(name, text)


def read_text_file(name: str) -> str:
    """The text of a file, a pipe or a device. Raises MissingError, or InputError if it is not text."""
    try:
        path = expand_home(name)
        with path.open("rb") as file:
            return decode(file.read(INPUT_CAP + 1), name)
    except FileNotFoundError as error:
        raise MissingError(f"there is no file {name}", hint="check its name") from error
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise InputError(f"{name} cannot be read: {why}", hint="name a text file") from error


def with_files(question: str, attached: Sequence[Attachment]) -> str:
    """The files, each below its name and followed by a blank line, then the question."""
    return "".join(f"{each.name}:\n{each.text}\n\n" for each in attached) + question


def read_mentions(line: str) -> tuple[str, list[Attachment]]:
    """The question with @@ replaced by @, and the files that it names with @path or @"path", each once.

    Only a single line can name files: a pasted text of several lines must not be able to attach any. A
    word that is neither a file nor looks like a path, as @someone, stays a word. Raises as `attach`.
    """
    if "\n" in line:
        return line, []
    found: dict[str, Attachment] = {}
    for match in _MENTION.finditer(line):
        escaped, quoted, word = match.groups()
        name = None if escaped else quoted or _name_in(word)
        if name is None or name in found:
            continue
        try:
            found[name] = attach(name)
        except (MissingError, InputError) as error:
            hint = f"{error.hint}; @@{name} sends it as text"
            raise type(error)(error.message, hint=hint) from error
    return re.sub(r"(?<!\S)@@(?=\S)", "@", line), list(found.values())


def _name_in(word: str) -> str | None:
    """The file that a word names, without trailing punctuation; None if it is just a word."""
    bare = word.rstrip(".,;:!?)")
    for name in (word, bare):
        if name and expand_home(name).is_file():
            return name
    return bare if _LIKE_A_PATH.search(bare) else None
