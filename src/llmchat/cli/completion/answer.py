"""Answers the completion script of a shell when Tab is pressed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from typer.core import TyperGroup

from llmchat.cli.completion.bash import Word, split
from llmchat.cli.completion.offer import Offer, offer
from llmchat.cli.completion.place import Command, Place, locate
from llmchat.sanitize import sanitize_line
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.prompt.completion import Candidate, files

_TITLE = 60  # maximum length of a description in bash
_LISTING = {
    "9",
    "33",
    "63",
    "64",
}  # the values of COMP_TYPE with which bash lists candidates; with others it inserts one
_END = "."


def complete(root: TyperGroup, arguments: list[str]) -> None:
    """Answers the script of a shell: a line with instructions, then a line for each candidate.

    The arguments are the shell's name and the words as they were typed; bash sends its COMP_TYPE, its
    COMP_WORDBREAKS and the line up to the cursor. `files` or `files .suffix` tells it to add file names,
    `nospace` tells bash to add no space. In other shells a description follows a candidate after a tab.
    """
    try:
        streams = replace(Streams.standard(), stderr=None)
        streams.write("".join(f"{line}\n" for line in _answer(root, arguments[0], arguments[1:], streams)))
    except Exception:  # noqa: BLE001 - whoever presses Tab is typing: nothing may come in between
        return


def _answer(root: Command, shell: str, words: list[str], streams: Streams) -> Iterator[str]:
    typed = _typed(shell, words)
    if (place := locate(root, [word.text for word in typed])) is None:
        return
    found = offer(place, streams)
    if shell in ("zsh", "fish"):  # these shells add and match file names themselves
        yield "words" if found.files is None else f"files {found.files}".strip()
        yield from (f"{each.text}\t{sanitize_line(each.about)}" for each in found.candidates)
    elif found.files == "":
        yield "files"
    elif shell == "powershell":
        yield "words"
        yield from (f"{each.text}\t{sanitize_line(each.about)}" for each in _matching(place, found))
    else:
        yield from _for_bash(typed[-1], place, found, listing=words[0] in _LISTING)


def _typed(shell: str, words: list[str]) -> list[Word]:
    """The words after the program's name, up to the cursor."""
    if shell == "bash":
        _, breaks, line = words
        return split(line, breaks=breaks)[1:]
    if shell == "powershell":
        return [Word(word.strip("'\"")) for word in (*words[:-1], words[-1].removesuffix(_END))]
    return [split(word)[0] for word in words]


def _matching(place: Place, found: Offer) -> list[Candidate]:
    """The candidates that start as typed, and such paths with the right suffix."""
    paths = files(place.beginning, ending=found.files) if found.files else []
    plain = [each for each in paths if sanitize_line(each.text) == each.text]
    return [each for each in (*found.candidates, *plain) if each.text.startswith(place.beginning)]


def _for_bash(word: Word, place: Place, found: Offer, *, listing: bool) -> Iterator[str]:
    """The candidates, quoted for bash; in a list, ids with their descriptions."""
    before = word.text.removesuffix(place.beginning)
    finished = [(word.finish(before + each.text), each.about) for each in _matching(place, found)]
    offered = [(text, about) for text, about in finished if text is not None]
    single = len(offered) == 1
    yield "nospace" if single and offered[0][0].endswith("/") else "words"
    for text, about in offered:
        shown = sanitize_line(about)[:_TITLE] if found.opaque and listing and not single else ""
        yield f"{text}  ({shown})" if shown else text
