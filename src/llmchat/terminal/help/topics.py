"""The topics of `llmchat help`, generated from the tables that the program itself uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from llmchat.config.folders import Folders
from llmchat.config.settings import SETTINGS
from llmchat.core.conversation import Message, Role
from llmchat.core.prompt_format import FORMATS
from llmchat.errors import ExitCode
from llmchat.terminal.help.page import Block, HelpHeading, HelpPage, HelpRows, HelpText, Lines
from llmchat.terminal.prompt.keys import KEYS

ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "LLMCHAT_...": "Every setting has a variable: llmchat help settings. They work in .env, too.",
        "LLMCHAT_CONFIG": "The config.toml to use, like --config.",
        "LLMCHAT_HOME": "One folder for all files of llmchat: llmchat help files.",
        "HF_API_FALCOM_BASE": "The URL of a TGI endpoint, if LLMCHAT_URL is not set.",
        "HF_API_KEY, HF_TOKEN": "A key for HF_API_FALCOM_BASE and huggingface.co; sent nowhere else.",
        "OPENAI_API_KEY": "A key for OPENAI_BASE_URL, by default OpenAI; sent nowhere else.",
        "OPENAI_BASE_URL": "The server that OPENAI_API_KEY belongs to.",
        "NO_COLOR": "If set, no colours.",
        "TERM": "If dumb or not set, plain text only.",
        "COLORTERM": "truecolor means 16 million colours; shown by llmchat doctor.",
        "COLORFGBG": "The terminal's colours; --theme auto reads its background from here.",
        "PAGER": "The pager for text longer than the window; empty for none. Default: less.",
        "LESS": "The options of less. Default: FRX.",
        "VISUAL, EDITOR": "The editor for Ctrl-X Ctrl-E at the prompt and for llmchat config edit.",
        "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_CACHE_HOME": "The folders for llmchat's files.",
        "XDG_RUNTIME_DIR": "The folder for the socket of the embedded engine.",
    }
)
"""The environment variables that are read, besides those of the settings."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A help topic: one line about it, and the function that builds its page."""

    about: str
    build: Callable[[Folders], tuple[Block, ...]]


def page(name: str, folders: Folders) -> HelpPage:
    """The page of a topic."""
    topic = TOPICS[name]
    return HelpPage(name, topic.about, topic.build(folders))


def _settings(_folders: Folders) -> tuple[Block, ...]:
    text = (
        "An option wins over a variable, a variable over config.toml, config.toml over .env in the current "
        "folder, .env over the default. A profile named by -m counts as an option. llmchat config show "
        "prints each value and where it came from. No option takes a key."
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
    vi = "With --vi the keys are those of vi; Enter, Ctrl-C and Ctrl-D stay the same."
    return (
        HelpText("At the prompt of a chat:"),
        HelpRows(tuple((each.shown, each.does) for each in KEYS)),
        HelpText(vi),
    )


def _exit_codes(_folders: Folders) -> tuple[Block, ...]:
    return (HelpRows(tuple((str(int(code)), code.when) for code in ExitCode)),)


def _environment(_folders: Folders) -> tuple[Block, ...]:
    return (HelpRows(tuple(ENVIRONMENT.items())),)


def _files(folders: Folders) -> tuple[Block, ...]:
    rows = (
        (str(folders.config / "config.toml"), "Settings and profiles; llmchat config init creates it."),
        (str(folders.database), "The saved conversations, an SQLite database."),
        (str(folders.prompt_history), "The prompt history."),
        (str(folders.state / "llmchat.log"), "The log: tracebacks of bugs in llmchat."),
        (str(folders.weights), "Model weights. May be deleted: they are downloaded again."),
        (str(folders.servers), "The detected API of each server. May be deleted."),
        (str(folders.state / "batches"), "The answers of unfinished batches."),
        (".env", "Variables for the current folder; refused if other users can write to it."),
    )
    text = (
        "Files and folders are readable by you only. LLMCHAT_HOME puts all of them under one folder, in "
        "config, data, state and cache."
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
        "TGI takes its prompt as one text, so llmchat formats the messages with one of these templates. "
        "--prompt-format chooses it; use the one that the model was trained with. Other servers and the "
        "embedded engine apply the model's own chat template. llmchat ask --dry-run shows what would be sent."
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
        "The API of a server is detected; --api tgi or --api openai sets it. Use -m to choose one of several "
        "models. Put a key into LLMCHAT_API_KEY, never on the command line."
    )
    return HelpRows(rows), HelpText(text)


TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        "settings": Topic("every setting: option, variable, default", _settings),
        "commands": Topic("slash commands in a chat", _commands),
        "keys": Topic("keys at the prompt of a chat", _keys),
        "servers": Topic("how to connect to TGI, vLLM, llama-server, Ollama and others", _servers),
        "prompt-formats": Topic("prompt templates for TGI", _prompt_formats),
        "environment": Topic("environment variables", _environment),
        "files": Topic("where files are kept", _files),
        "exit-codes": Topic("exit codes and what they mean", _exit_codes),
    }
)
"""The topics by name, in the order they are listed."""
