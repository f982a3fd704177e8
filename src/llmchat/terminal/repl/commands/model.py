"""Commands about what answers, and how it is asked."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from llmchat.config.settings import SETTINGS
from llmchat.core.prompt_format import FORMATS
from llmchat.errors import UsageError
from llmchat.terminal.models import models_text
from llmchat.terminal.prompt.completion import Candidate, files, words
from llmchat.terminal.repl.context import CommandContext
from llmchat.terminal.repl.registry import command

LIVE = {name: setting for name, setting in SETTINGS.items() if setting.live}


def _models(desk: CommandContext, beginning: str) -> Iterator[Candidate]:
    yield from words(desk.session.model_names(), beginning)
    yield from files(beginning, ending=".gguf")


def _setting(desk: CommandContext, beginning: str) -> Iterator[Candidate]:
    name, space, _ = beginning.partition(" ")
    if space:
        yield Candidate(f"{name} default")
    else:
        yield from (Candidate(each, setting.help) for each, setting in LIVE.items())


@command("[NAME]", complete=_models)
async def model(desk: CommandContext, argument: str) -> None:
    """shows or changes the model; the conversation goes on with the new one"""
    if argument:
        await desk.session.switch_model(argument)
    desk.say(f"Model: {desk.session.model_shown()}")
    if not argument:
        names = ", ".join(desk.session.model_names())
        desk.say(f"Others: {names}, a path to a .gguf file, hf:owner/repo/file.gguf")


@command()
async def models(desk: CommandContext, argument: str) -> None:
    """lists what can be chatted with"""
    desk.say(models_text(desk.session.config, desk.session.folders.weights))


@command("[NAME]", complete=lambda _, beginning: words(FORMATS, beginning))
async def format_(desk: CommandContext, argument: str) -> None:
    """shows or changes how messages become one text, for TGI"""
    session = desk.session
    before = session.config.text("prompt_format")
    if argument:
        await session.set_format(argument)
        desk.say(f"Prompt format: {before} -> {argument}")
    elif session.formats_prompts:
        desk.say(f"Prompt format: {before}. There are {', '.join(FORMATS)}.")
    else:
        desk.say(f"{session.model_shown()} formats its prompts itself.")


@command("[NAME [VALUE|default]]", complete=_setting)
async def set_(desk: CommandContext, argument: str) -> None:
    """shows or changes how replies are generated: /set temperature 0.2"""
    if not argument:
        for name in LIVE:
            desk.say(f"{name:<20} {desk.session.shown_value(name)}")
        return
    name, _, text = argument.partition(" ")
    name = name.replace("-", "_")
    if name not in LIVE:
        near = difflib.get_close_matches(name, LIVE, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]} ?" if near else f"there are {', '.join(LIVE)}"
        raise UsageError(f"there is no setting {name} to change here", hint=hint)
    before = desk.session.shown_value(name)
    if not text:
        desk.say(f"{name} is {before}. {LIVE[name].help} Takes {LIVE[name].takes()}.")
        return
    desk.session.set_value(name, text.strip())
    desk.say(f"{name}: {before} -> {desk.session.shown_value(name)}")


@command("[TEXT|none]")
async def system(desk: CommandContext, argument: str) -> None:
    """shows or changes the system message"""
    if argument:
        desk.session.set_system("" if argument == "none" else argument)
    current = desk.chat.conversation.system
    desk.say(f"System message: {current}" if current else "No system message.")
