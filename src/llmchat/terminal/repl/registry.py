"""Registers functions as slash commands, and runs and completes command lines. Knows no command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from llmchat.app import Session
from llmchat.app.attachments import Attachment
from llmchat.app.compaction import Undo
from llmchat.errors import UsageError, did_you_mean
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.prompt.completion import Candidate, mentions
from llmchat.terminal.repl.actions import Action


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What commands can read. They change the REPL through the actions that they return."""

    session: Session
    streams: Streams
    files: tuple[Attachment, ...]  # go with the next question
    compactions: Sequence[Undo]  # of this run, oldest first


CommandFunction = Callable[[CommandContext, str], Awaitable[Action | list[Action] | None]]
"""A slash command: returns the actions for the loop, in order."""
CompleteArgument = Callable[[CommandContext, str], Iterable[Candidate]]
"""Completion of a command's argument, from its beginning."""


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command: name, arguments, function, and completion of its argument."""

    name: str
    usage: str
    help: str
    run: CommandFunction
    complete: CompleteArgument


COMMANDS: dict[str, Command] = {}
"""The commands by name, in the order of `/help`. Filled by importing the package, then constant."""


def command(
    usage: str = "", *, complete: CompleteArgument = lambda _context, _beginning: ()
) -> Callable[[CommandFunction], CommandFunction]:
    """Registers a function as the command of its name; its docstring is the help text."""

    def register(run: CommandFunction) -> CommandFunction:
        name = run.__name__.rstrip("_")
        COMMANDS[name] = Command(
            name, f"/{name} {usage}".rstrip(), (run.__doc__ or "").strip(), run, complete
        )
        return run

    return register


def is_command(line: str) -> bool:
    """True for one line that starts with a single slash. // is an escape; several lines are text."""
    return line.startswith("/") and not line.startswith("//") and "\n" not in line


async def run_command(context: CommandContext, line: str) -> Sequence[Action]:
    """Runs the command in a line that starts with a slash; returns the actions for the loop.

    Raises UsageError for a command that does not exist, and what the command raises.
    """
    name, _, argument = line.removeprefix("/").partition(" ")
    if name not in COMMANDS:
        near = did_you_mean(name, COMMANDS, before="/")
        hint = near or "/help lists the commands; //text sends /text"
        raise UsageError(f"there is no command /{name}", hint=hint)
    done = await COMMANDS[name].run(context, argument.strip())
    if done is None:
        return ()
    return done if isinstance(done, list) else [done]


def complete_line(context: CommandContext, line: str) -> Iterable[Candidate]:
    """The completions of a command line, or of a question with @path."""
    if not is_command(line):
        return mentions(line)
    name, space, argument = line.removeprefix("/").partition(" ")
    if not space:
        named = (each for each in COMMANDS.values() if each.name.startswith(name))
        return [Candidate(f"/{each.name}", each.help) for each in named]
    if name not in COMMANDS:
        return []
    found = COMMANDS[name].complete(context, argument)
    return [Candidate(f"/{name} {each.text}", each.about) for each in found if each.text.startswith(argument)]
