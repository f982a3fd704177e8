"""The command that attaches files to the next question."""

from __future__ import annotations

from collections.abc import Iterator

from llmchat.app.attachments import attach
from llmchat.core.backend import estimate_tokens
from llmchat.terminal.prompt.completion import Candidate
from llmchat.terminal.prompt.completion import files as complete_files
from llmchat.terminal.repl.actions import Action, Attach, Say
from llmchat.terminal.repl.context import CommandContext
from llmchat.terminal.repl.registry import command


def _files(context: CommandContext, beginning: str) -> Iterator[Candidate]:
    yield from complete_files(beginning)
    if context.files:
        yield Candidate("none", "detaches all files")


@command("[PATH|none]", complete=_files)
async def file(context: CommandContext, argument: str) -> list[Action]:
    """attaches a text file to the next question, like @path in a question"""
    files = context.files
    if argument == "none":
        files = ()
    elif argument:
        files = (*files, attach(argument))
    lines = [
        f"{each.name} is attached to the next question"
        f" ({len(each.text):,} characters, {estimate_tokens(each.text)})."
        for each in files
    ]
    return [Attach(files), Say("\n".join(lines) if lines else "No files are attached.")]
