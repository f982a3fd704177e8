"""Commands about the model: which one answers, its settings, prompt format and system message."""

from __future__ import annotations

from collections.abc import Iterator

from llmchat.config.settings import SETTINGS
from llmchat.core.prompt_format import FORMATS
from llmchat.errors import UsageError, did_you_mean
from llmchat.terminal.models import models_text
from llmchat.terminal.prompt.completion import Candidate, files
from llmchat.terminal.repl.actions import Action, Say
from llmchat.terminal.repl.registry import CommandContext, command

LIVE = {name: setting for name, setting in SETTINGS.items() if setting.live}


def _models(context: CommandContext, beginning: str) -> Iterator[Candidate]:
    yield from map(Candidate, context.session.model.names())
    yield from files(beginning, ending=".gguf")


def _setting(context: CommandContext, beginning: str) -> Iterator[Candidate]:
    name, space, _ = beginning.partition(" ")
    if space:
        yield Candidate(f"{name} default")
    else:
        yield from (Candidate(each, setting.help) for each, setting in LIVE.items())


@command("[NAME]", complete=_models)
async def model(context: CommandContext, argument: str) -> Action:
    """shows or changes the model; the conversation continues with the new one"""
    session = context.session
    if argument:
        await session.switch_model(argument)
        return Say(f"Model: {session.model.shown}")
    names = ", ".join(session.model.names())
    others = f"Others: {names}, a path to a .gguf file, hf:owner/repo/file.gguf"
    return Say(f"Model: {session.model.shown}\n{others}")


@command()
async def models(context: CommandContext, argument: str) -> Action:
    """lists the available models"""
    return Say(models_text(context.session.config, context.session.folders.weights))


@command("[NAME]", complete=lambda _context, _beginning: map(Candidate, FORMATS))
async def format_(context: CommandContext, argument: str) -> Action:
    """shows or changes the prompt format; for TGI"""
    session = context.session
    before = session.config.text("prompt_format")
    if argument:
        await session.set_format(argument)
        return Say(f"Prompt format: {before} -> {argument}")
    if session.model.formats_prompts:
        return Say(f"Prompt format: {before}. There are {', '.join(FORMATS)}.")
    return Say(f"{session.model.shown} applies its own chat template.")


@command("[NAME [VALUE|default]]", complete=_setting)
async def set_(context: CommandContext, argument: str) -> Action:
    """shows or changes sampling settings: /set temperature 0.2"""
    session = context.session
    if not argument:
        return Say("\n".join(f"{name:<20} {session.model.shown_value(name)}" for name in LIVE))
    name, _, text = argument.partition(" ")
    name = name.replace("-", "_")
    if name not in LIVE:
        hint = did_you_mean(name, LIVE) or f"there are {', '.join(LIVE)}"
        raise UsageError(f"there is no setting {name} to change here", hint=hint)
    before = session.model.shown_value(name)
    if not text:
        return Say(f"{name} is {before}. {LIVE[name].help} Takes {LIVE[name].takes()}.")
    session.model.set_value(name, text.strip())
    return Say(f"{name}: {before} -> {session.model.shown_value(name)}")


@command("[TEXT|none]")
async def system(context: CommandContext, argument: str) -> Action:
    """shows or changes the system message"""
    if argument:
        context.session.set_system("" if argument == "none" else argument)
    current = context.session.conversation.system
    return Say(f"System message: {current}" if current else "No system message.")
