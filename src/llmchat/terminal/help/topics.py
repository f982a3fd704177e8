"""The topics of `llmchat help`, each made from what the program itself goes by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from llmchat.config.folders import Folders
from llmchat.config.settings import SETTINGS
from llmchat.core.conversation import Message, Role
from llmchat.core.prompt_format import FORMATS
from llmchat.errors import WHEN
from llmchat.terminal.help.page import Block, HelpHeading, HelpPage, HelpRows, HelpText, Lines
from llmchat.terminal.prompt.keys import KEYS

ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "LLMCHAT_...": "Every setting has a variable: llmchat help settings. They may stand in .env, too.",
        "LLMCHAT_CONFIG": "The config.toml to use, as --config names one.",
        "LLMCHAT_HOME": "One folder for everything that llmchat keeps: llmchat help files.",
        "HF_API_FALCOM_BASE": "The URL of a TGI endpoint, where LLMCHAT_URL is not set.",
        "HF_API_KEY, HF_TOKEN": "A key for HF_API_FALCOM_BASE and for huggingface.co; sent nowhere else.",
        "OPENAI_API_KEY": "A key for OPENAI_BASE_URL, or without that for OpenAI; sent nowhere else.",
        "OPENAI_BASE_URL": "The server that OPENAI_API_KEY belongs to.",
        "NO_COLOR": "Where it is set, replies have no colours.",
        "TERM": "Where it is dumb or not set, there is only plain text.",
        "COLORTERM": "truecolor says that the terminal has all colours; llmchat doctor tells.",
        "COLORFGBG": "The colours of the terminal; the theme auto goes by its background.",
        "PAGER": "What shows text that is longer than the window; empty for nothing. Default: less.",
        "LESS": "The options of less. Default: FRX.",
        "VISUAL, EDITOR": "What Ctrl-X Ctrl-E opens at the prompt.",
        "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_CACHE_HOME": "Where the folders of llmchat are.",
        "XDG_RUNTIME_DIR": "Where the socket of the embedded engine is.",
    }
)
"""The variables that are heeded, beside those of the settings."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What there is to read, and how it is made."""

    about: str
    build: Callable[[Folders], tuple[Block, ...]]


def page(name: str, folders: Folders) -> HelpPage:
    """All about a topic."""
    topic = TOPICS[name]
    return HelpPage(name, topic.about, topic.build(folders))


def _settings(_folders: Folders) -> tuple[Block, ...]:
    text = (
        "A flag wins over a variable, a variable over config.toml, config.toml over .env in the current "
        "folder, .env over the default; a profile that -m names counts as a flag. llmchat config show says "
        "what each is and where it came from. No flag takes a key."
    )
    return HelpText(text), HelpRows(tuple((name, _about(name)) for name in SETTINGS))


def _about(name: str) -> str:
    setting = SETTINGS[name]
    said = [setting.help]
    if setting.choices or setting.range or setting.kind is not str:
        said.append(f"Takes {setting.takes()}.")
    if setting.default not in (None, False):
        said.append(f"Default: {setting.default}.")
    ways = [*setting.flags, setting.variable, *setting.aliases, *([f"/set {setting.name}"] * setting.live)]
    known = ", ".join(filter(None, ways)) or "config.toml only"
    return " ".join([*said, f"[{known}]"])


def _commands(_folders: Folders) -> tuple[Block, ...]:
    from llmchat.terminal.repl.commands import COMMANDS

    return HelpText("At the prompt of a chat:"), HelpRows(
        tuple((each.usage, each.help) for each in COMMANDS.values())
    )


def _keys(_folders: Folders) -> tuple[Block, ...]:
    vi = "--vi gives the keys of vi instead; Enter, Ctrl-C and Ctrl-D stay."
    return (
        HelpText("At the prompt of a chat:"),
        HelpRows(tuple((each.shown, each.does) for each in KEYS)),
        HelpText(vi),
    )


def _exit_codes(_folders: Folders) -> tuple[Block, ...]:
    return (HelpRows(tuple((str(int(code)), when) for code, when in WHEN.items())),)


def _environment(_folders: Folders) -> tuple[Block, ...]:
    return (HelpRows(tuple(ENVIRONMENT.items())),)


def _files(folders: Folders) -> tuple[Block, ...]:
    rows = (
        (str(folders.config / "config.toml"), "Settings and profiles; llmchat config init begins one."),
        (str(folders.database), "The conversations, in a database of SQLite."),
        (str(folders.prompt_history), "What was typed at the prompt."),
        (str(folders.state / "llmchat.log"), "Where a bug of llmchat is written down."),
        (str(folders.weights), "The weights of models. May be deleted: they are fetched again."),
        (str(folders.servers), "What servers were found to speak. May be deleted."),
        (str(folders.state / "batches"), "The answers of batches that are not finished."),
        (".env", "Variables of the current folder, if nobody else can write to it."),
    )
    text = (
        "Folders and files are for you alone. LLMCHAT_HOME puts all of them under one folder, in config, "
        "data, state and cache."
    )
    return HelpText(text), HelpRows(rows)


def _prompt_formats(_folders: Folders) -> tuple[Block, ...]:
    said = [
        Message(Role.SYSTEM, "Be brief."),
        Message(Role.USER, "Hi"),
        Message(Role.ASSISTANT, "Hello."),
        Message(Role.USER, "Bye"),
    ]
    text = (
        "A server that takes one text, as TGI does, gets the messages in one of these. --prompt-format "
        "chooses it; it should be the one that the model was trained with. Other servers and the embedded "
        "engine format messages themselves. llmchat ask --dry-run shows what would be sent."
    )
    blocks: list[Block] = [HelpText(text)]
    for name, each in FORMATS.items():
        blocks += [HelpHeading(name), Lines(each.render(said).rstrip("\n"))]
    return tuple(blocks)


def _servers(_folders: Folders) -> tuple[Block, ...]:
    rows = (
        ("TGI", "llmchat --url http://localhost:8080"),
        ("vLLM, SGLang", "llmchat --url http://localhost:8000/v1"),
        ("llama-server", "llmchat --url http://localhost:8080/v1"),
        ("Ollama", "llmchat --url http://localhost:11434/v1 -m NAME"),
        ("a hosted service", "LLMCHAT_API_KEY=... llmchat --url https://HOST/v1 -m NAME"),
    )
    text = (
        "What a server speaks is found out by asking it; --api tgi or --api openai says so instead. -m is "
        "needed where a server has several models. A key goes into LLMCHAT_API_KEY, never into a command."
    )
    return HelpRows(rows), HelpText(text)


TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        "settings": Topic("every setting: its flag, its variable, its default", _settings),
        "commands": Topic("the commands at the prompt of a chat", _commands),
        "keys": Topic("the keys at the prompt of a chat", _keys),
        "servers": Topic("how to reach TGI, vLLM, llama-server, Ollama and others", _servers),
        "prompt-formats": Topic("how messages become one text, for TGI", _prompt_formats),
        "environment": Topic("the variables that are heeded", _environment),
        "files": Topic("where things are kept", _files),
        "exit-codes": Topic("what llmchat ends with, and when", _exit_codes),
    }
)
"""The topics by name, in the order they are listed."""
