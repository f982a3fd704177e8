"""Files that go with a question, also those it names with @: read, and put before it. Sends nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from llmchat.errors import InputError, MissingError
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.prompt.completion import Candidate, files
from llmchat.terminal.question import read_file

_MENTION = re.compile(r'(?<!\S)@(@)?(?:"([^"\n]+)"|(\S+))')
_LIKE_A_PATH = re.compile(r"/|\w\.\w")
_UNFINISHED = re.compile(r'(?:^|\s)@("?)([^"@]*)$')


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text file as it was when it was attached, under the name it was given by. Foreign text."""

    name: str
    text: str


def attach(name: str, streams: Streams) -> Attachment:
    """Reads a text file, ~ being the home folder.

    Raises MissingError where there is none, InputError for what is no text, empty, too large or no file.
    """
    path = Path(os.path.expanduser(name))  # noqa: PTH111 - leaves an unknown ~user as it is
    if name == "-":
        raise MissingError("there is no file -", hint="name a file")
    if path.exists() and not path.is_file():  # a pipe or a device could keep us waiting
        raise InputError(f"{name} is not a file", hint="name a text file")
    text = read_file(name, streams).rstrip("\r\n")
    if not text.strip():
        raise InputError(f"{name} is empty", hint="name a file with text in it")
    return Attachment(name, text)


def with_files(question: str, attached: Sequence[Attachment]) -> str:
    """The question behind the files: each under its name, a blank line after it."""
    return "".join(f"{each.name}:\n{each.text}\n\n" for each in attached) + question


def read_mentions(line: str, streams: Streams) -> tuple[str, list[Attachment]]:
    """The question with its @@ made @, and the files it names with @path or @"path", each once.

    Only a line that was typed can name files: a pasted text of several lines must not pick files of
    the person's. A word that is neither a file nor like a path, as @someone, is a word. Raises as `attach`.
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
            found[name] = attach(name, streams)
        except (MissingError, InputError) as error:
            hint = f"{error.hint}; @@{name} sends it as a word"
            raise type(error)(error.message, hint=hint) from error
    return re.sub(r"(?<!\S)@@(?=\S)", "@", line), list(found.values())


def _name_in(word: str) -> str | None:
    """The file that a word names, less the punctuation behind it; None where it is just a word."""
    bare = word.rstrip(".,;:!?)")
    for name in (word, bare):
        if name and Path(os.path.expanduser(name)).is_file():  # noqa: PTH111 - as above
            return name
    return bare if _LIKE_A_PATH.search(bare) else None


def complete_mention(line: str) -> Iterator[Candidate]:
    """The lines that one ending in the beginning of an @path could become."""
    match = _UNFINISHED.search(line)
    if match is None:
        return
    quote, beginning = match.groups()
    if " " in beginning and not quote:
        return
    before = line[: match.start(1)]
    for each in files(beginning):
        spaced = quote or (" " in each.text)
        opening = '"' if spaced else ""
        closing = "" if each.text.endswith("/") else opening
        yield Candidate(f"{before}{opening}{each.text}{closing}")
