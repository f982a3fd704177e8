"""Completion of what is typed: words of a list, files, and files after an @. Knows no command."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llmchat.paths import expand_home

MOST = 200
"""Files that are offered at once."""
_UNFINISHED_MENTION = re.compile(r'(?:^|\s)@("?)([^"@]*)$')


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a beginning could become, and a word or two about it. Foreign text."""

    text: str
    about: str = ""


def words(known: Iterable[str], beginning: str) -> Iterator[Candidate]:
    """Those that begin so."""
    return (Candidate(word) for word in known if word.startswith(beginning))


def files(beginning: str, *, ending: str = "") -> list[Candidate]:
    """The files and folders whose paths begin so, folders with a slash at the end.

    Hidden ones only where the dot was typed; with `ending` only files that end in it. What cannot be
    read is nothing to offer.
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
    """The lines that one ending in the beginning of an @path could become."""
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
