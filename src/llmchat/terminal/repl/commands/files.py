"""The command that attaches files to the next question."""

from __future__ import annotations

from collections.abc import Iterator

from llmchat.app.attachments import attach
from llmchat.core.generation import estimate_tokens
from llmchat.terminal.prompt.completion import Candidate
from llmchat.terminal.prompt.completion import files as complete_files
from llmchat.terminal.repl.context import CommandContext
from llmchat.terminal.repl.registry import command


def _files(desk: CommandContext, beginning: str) -> Iterator[Candidate]:
    yield from complete_files(beginning)
    if desk.files:
        yield Candidate("none", "attaches nothing after all")


@command("[PATH|none]", complete=_files)
async def file(desk: CommandContext, argument: str) -> None:
    """attaches a text file to the next question, as @path in a question does"""
    if argument == "none":
        desk.files.clear()
    elif argument:
        desk.files.append(attach(argument))
    for each in desk.files:
        size = f"{len(each.text):,} characters, {estimate_tokens(each.text)}"
        desk.say(f"{each.name} goes with the next question ({size}).")
    if not desk.files:
        desk.say("No files go with the next question.")
