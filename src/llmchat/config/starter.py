"""The commented config.toml that `config init` creates. Never replaces a file."""

from __future__ import annotations

import textwrap
from pathlib import Path

from llmchat.config.setting import Setting, to_toml
from llmchat.config.settings import SETTINGS
from llmchat.errors import CreateError
from llmchat.private import open_private

_WIDTH = 100
_HEAD = """\
# The settings of llmchat. Remove the # in front of what you want to set; text is in "quotes".
# Options and environment variables win over this file, and it wins over a .env.
# llmchat config show prints the effective values, and where they came from.
"""
_PROFILES = """
# A profile is a set of settings with a name: llmchat -m work, or profile = "work" above.
# It may have every setting but `profile`. Settings that it leaves out keep their other values; only
# if it has a url and no model, the server chooses the model. Its key is sent only to its url.

# [profiles.work]
# url = "https://llm.example.com/v1"
# model = "llama-3.3-70b"
# key_command = "pass show work/llm"
# temperature = 0.2
"""


def starter() -> str:
    """The text of the file, with every setting."""
    return _HEAD + "".join(map(_described, SETTINGS.values())) + _PROFILES


def _described(setting: Setting) -> str:
    takes = "true | false" if setting.kind is bool else setting.takes()
    about = setting.help if takes == "text" else f"{setting.help} Takes {takes}."
    lines = textwrap.wrap(about, _WIDTH, initial_indent="# ", subsequent_indent="# ")
    value = setting.example if setting.default is None else setting.default
    assert value is not None, f"{setting.name} has neither a default nor an example"
    return "\n".join(("", *lines, f"# {setting.name} = {to_toml(value)}", ""))


def write_starter(path: Path) -> None:
    """Creates it, readable by its owner only. Raises CreateError if it exists or cannot be created."""
    try:
        file = open_private(path, "xb")
    except OSError as error:
        if path.exists():
            raise CreateError(f"{path} already exists", hint="llmchat config edit opens it") from error
        raise _cannot(path, error) from error
    try:
        with file:
            file.write(starter().encode())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise _cannot(path, error) from error


def _cannot(path: Path, error: OSError) -> CreateError:
    return CreateError(f"cannot create {path}: {error.strerror or error}", hint="name another file: --config")
