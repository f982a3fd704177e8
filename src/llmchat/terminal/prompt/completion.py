"""Completion at the prompt: words of a list, file names, file names after @. Knows no command."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from llmchat.paths import expand_home

MOST = 200
"""The most files to offer."""
_UNFINISHED_MENTION = re.compile(r'(?:^|\s)@("?)([^"@]*)$')


@dataclass(frozen=True, slots=True)
class Candidate:
    """A completion, and a few words about it. Foreign text."""

    text: str
    about: str = ""


def files(beginning: str, *, ending: str = "") -> list[Candidate]:
    """The files and folders whose paths start with this beginning, folders with a slash at the end.

    Hidden ones only if the dot was typed; with `ending` only files with this suffix. Folders that cannot
    be read are skipped.
    """
    folder, _, name = beginning.rpartition("/")
    within = f"{folder}/" if "/" in beginning else ""
    try:
        entries = sorted(os.scandir(expand_home(within)), key=lambda entry: entry.name)
    except OSError:
        return []
    found = []
    for entry in entries:
        if not entry.name.startswith(name) or (entry.name.startswith(".") and not name.startswith(".")):
            continue
        if _is_folder(entry):
            found.append(Candidate(f"{within}{entry.name}/"))
        elif entry.name.endswith(ending):
            found.append(Candidate(f"{within}{entry.name}"))
    return found[:MOST]


def mentions(line: str) -> Iterator[Candidate]:
    """The completions of a line that ends in the beginning of an @path."""
    match = _UNFINISHED_MENTION.search(line)
    if match is None:
        return
    quote, beginning = match.groups()
    if " " in beginning and not quote:
        return
    before = line[: match.start(1)]
    for each in files(beginning):
        opening = '"' if quote or " " in each.text else ""
        closing = "" if each.text.endswith("/") else opening
        yield Candidate(f"{before}{opening}{each.text}{closing}")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
