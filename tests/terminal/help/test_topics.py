"""Topics say what the program does."""

from __future__ import annotations

import ast
from pathlib import Path

import llmchat
from llmchat.config.dotenv import KNOWN
from llmchat.config.folders import Folders
from llmchat.errors import ExitCode
from llmchat.terminal.help.page import to_text
from llmchat.terminal.help.topics import ENVIRONMENT, page
from llmchat.terminal.prompt.keys import KEYS, key_bindings

SURROUNDINGS = {
    *("PATH", "HOME", "SHELL", "TMUX", "STY", "XTERM_VERSION"),
    *("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "BASH_COMPLETION_USER_DIR", "ZDOTDIR"),
}
"""Variables that describe where llmchat runs, and that nobody sets for its sake."""


def read_variables() -> set[str]:
    """The names that the program asks its environment for, where they stand in the call."""
    names = set()
    for path in Path(llmchat.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "get"
            ):
                first = node.args[0] if node.args else None
                if ast.unparse(node.func.value).endswith("environ") and isinstance(first, ast.Constant):
                    names.add(str(first.value))
    return names


def test_every_variable_that_is_heeded_is_named() -> None:
    named = {name for names in ENVIRONMENT for name in names.split(", ")}
    heeded = {name for name in KNOWN | read_variables() if not name.startswith("LLMCHAT_")} | {"LLMCHAT_HOME"}
    assert {"PAGER", "LLMCHAT_HOME"} <= read_variables()
    assert heeded - SURROUNDINGS <= named


def test_every_key_that_is_bound_is_explained() -> None:
    bound = {" ".join(getattr(key, "value", key) for key in each.keys) for each in key_bindings().bindings}
    assert bound == {name for key in KEYS for name in key.bound}


def test_every_exit_code_has_its_words() -> None:
    assert all(code.when for code in ExitCode)


def test_the_files_are_those_of_this_person() -> None:
    text = to_text(page("files", Folders.find({"LLMCHAT_HOME": "/kept"})), 80)
    assert "/kept/data/conversations.sqlite3" in text
    assert "/kept/cache/weights" in text
