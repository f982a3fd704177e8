"""The slash commands: one decorated function each; help and completion derive from them."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from llmchat.app import Session
from llmchat.config.settings import SETTINGS
from llmchat.core.chat import Chat
from llmchat.core.turn import Turn
from llmchat.errors import UsageError
from llmchat.terminal.clipboard import copy as copy_text
from llmchat.terminal.code import code_block, code_blocks, expand, last_reply, write_code
from llmchat.terminal.history import list_text, show_conversation
from llmchat.terminal.streams import Streams

LISTED = 20
"""Conversations that /history shows and completes."""


@dataclass(slots=True)
class Desk:
    """What a command may look at and change: the session, and what the loop does next."""

    session: Session
    streams: Streams
    say: Callable[[str], None]  # sanitizes, prints a line or more
    show: Callable[[str], None]  # a reply, as it looks when it is streamed
    confirm: Callable[[str], Awaitable[bool]]  # asks the person a question
    clear: Callable[[], None]  # the screen
    leave: bool = False
    draft: str = ""  # put into the editor
    turn: Turn | None = None  # to be run next

    @property
    def chat(self) -> Chat:
        return self.session.chat


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command: its name, what it takes, what it does, and what may complete its argument."""

    name: str
    usage: str
    help: str
    run: Callable[[Desk, str], Awaitable[None]]
    complete: Callable[[Desk], Iterable[str]]


COMMANDS: dict[str, Command] = {}
"""The commands by name, in the order `/help` shows them. Filled by the functions below, then left alone."""

Run = Callable[[Desk, str], Awaitable[None]]


def command(
    usage: str = "", *, complete: Callable[[Desk], Iterable[str]] = lambda _: ()
) -> Callable[[Run], Run]:
    """Makes a function the command of its name; its docstring is the help."""

    def register(run: Run) -> Run:
        name = run.__name__.rstrip("_")
        COMMANDS[name] = Command(
            name, f"/{name} {usage}".rstrip(), (run.__doc__ or "").strip(), run, complete
        )
        return run

    return register


async def run_command(desk: Desk, line: str) -> None:
    """Runs the command in a line that begins with a slash. Raises UsageError for one there is not."""
    name, _, argument = line.removeprefix("/").partition(" ")
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
        hint = f"did you mean /{near[0]} ?" if near else "/help lists the commands; //text sends /text"
        raise UsageError(f"there is no command /{name}", hint=hint)
    await COMMANDS[name].run(desk, argument.strip())


def complete_line(desk: Desk, line: str) -> Iterable[str]:
    """The lines that this beginning of a command could become."""
    name, space, argument = line.removeprefix("/").partition(" ")
    if not space:
        return [f"/{known}" for known in COMMANDS if known.startswith(name)]
    if name not in COMMANDS:
        return []
    return [f"/{name} {word}" for word in COMMANDS[name].complete(desk) if word.startswith(argument)]


@command("[COMMAND]", complete=lambda _: COMMANDS)
async def help_(desk: Desk, argument: str) -> None:
    """what each command does, or one of them"""
    chosen = COMMANDS.get(argument.removeprefix("/"))
    if argument and chosen is None:
        raise UsageError(f"there is no command /{argument.removeprefix('/')}", hint="/help lists them")
    for each in [chosen] if chosen else COMMANDS.values():
        desk.say(f"{each.usage:<24} {each.help}")
    if not chosen:
        desk.say(
            "Enter sends, Esc-Enter or a trailing \\ makes a new line, Ctrl-C stops a reply, Ctrl-D leaves."
        )


@command()
async def exit_(desk: Desk, argument: str) -> None:
    """leaves (as Ctrl-D does)"""
    desk.leave = True


@command()
async def new(desk: Desk, argument: str) -> None:
    """begins a new conversation; the old one stays kept"""
    desk.session.new_conversation()
    desk.say("A new conversation.")


@command()
async def clear(desk: Desk, argument: str) -> None:
    """clears the screen; the conversation goes on"""
    desk.clear()


@command()
async def retry(desk: Desk, argument: str) -> None:
    """asks the last question again; the old answer stays kept"""
    desk.turn = desk.chat.retry()


@command()
async def undo(desk: Desk, argument: str) -> None:
    """takes the last question back into the editor"""
    desk.draft = desk.chat.undo()


@command("[TEXT|none]")
async def system(desk: Desk, argument: str) -> None:
    """shows or changes the system message"""
    if argument:
        desk.session.set_system("" if argument == "none" else argument)
    current = desk.chat.conversation.system
    desk.say(f"System message: {current}" if current else "No system message.")


@command(
    "[NAME [VALUE|default]]",
    complete=lambda _: [name for name, setting in SETTINGS.items() if setting.live],
)
async def set_(desk: Desk, argument: str) -> None:
    """shows or changes how replies are generated: /set temperature 0.2"""
    live = {name: setting for name, setting in SETTINGS.items() if setting.live}
    if not argument:
        for name in live:
            desk.say(f"{name:<20} {desk.session.shown_value(name)}")
        return
    name, _, text = argument.partition(" ")
    name = name.replace("-", "_")
    if name not in live:
        near = difflib.get_close_matches(name, live, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]} ?" if near else f"there are {', '.join(live)}"
        raise UsageError(f"there is no setting {name} to change here", hint=hint)
    before = desk.session.shown_value(name)
    if not text:
        desk.say(f"{name} is {before}. {live[name].help} Takes {live[name].takes()}.")
        return
    desk.session.set_value(name, text.strip())
    desk.say(f"{name}: {before} -> {desk.session.shown_value(name)}")


@command("[NAME]", complete=lambda desk: desk.session.model_names())
async def model(desk: Desk, argument: str) -> None:
    """shows or changes the model; the conversation goes on with the new one"""
    if argument:
        await desk.session.switch_model(argument)
    desk.say(f"Model: {desk.session.model_shown()}")
    if not argument:
        names = ", ".join(desk.session.model_names())
        desk.say(f"Others: {names}, a path to a .gguf file, hf:owner/repo/file.gguf")


@command("[TEXT]")
async def prompt(desk: Desk, argument: str) -> None:
    """shows exactly what TEXT would send; without TEXT, what the last question sends"""
    preview = await desk.session.preview(argument or None)
    desk.say(preview.text)
    desk.say(f"({preview.count})")


@command("[N]", complete=lambda desk: [str(at) for at, _ in enumerate(code_blocks(desk.chat), 1)])
async def copy(desk: Desk, argument: str) -> None:
    """copies the last reply to the clipboard, or its code block N"""
    text = code_block(desk.chat, argument).text if argument else last_reply(desk.chat)
    desk.say(f"Copied {len(text):,} characters, by {copy_text(text, desk.streams)}.")


@command("N FILE")
async def code(desk: Desk, argument: str) -> None:
    """writes code block N of the last reply into a file"""
    number, _, name = argument.partition(" ")
    if not name.strip():
        raise UsageError("/code takes a number and a file name", hint="for instance: /code 1 hello.py")
    block, path = code_block(desk.chat, number), expand(name.strip())
    written = write_code(block, path, overwrite=False)
    if not written and await desk.confirm(f"{path} exists. Overwrite it? [y/N]"):
        written = write_code(block, path, overwrite=True)
    desk.say(f"Wrote {path}." if written else "Nothing was written.")


@command("[ID|last]", complete=lambda desk: [each.id for each in desk.session.store.list(LISTED)])
async def history(desk: Desk, argument: str) -> None:
    """lists past conversations, or shows one"""
    store = desk.session.store
    if argument:
        show_conversation(store, store.resolve(argument), say=desk.say, show=desk.show)
    else:
        desk.say(list_text(store.list(LISTED)))
