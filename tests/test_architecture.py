"""Each third-party library has one home, and help imports none of those that only a chat needs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Container, Iterator
from functools import cache
from pathlib import Path

import pytest

import llmchat
from measured import UNMEASURED

SOURCE = Path(llmchat.__file__).parent

HOMES: dict[str, tuple[str, ...]] = {
    "typer": tuple(
        f"cli/{name}.py"
        for name in (
            *("boundary", "commands", "help", "history", "options"),
            *("completion/answer", "completion/command", "completion/offer", "completion/place"),
        )
    ),
    "shellingham": ("cli/completion/install.py",),
    "prompt_toolkit": ("terminal/prompt/session.py", "terminal/prompt/history.py", "terminal/prompt/keys.py"),
    "filelock": ("locks.py",),
    "rich": (
        *(f"markdown/{name}.py" for name in ("inline", "layout", "leaves", "rows", "table", "theme")),
        "terminal/batch/progress.py",
        "terminal/device/pager.py",
        "terminal/doctor/capabilities.py",
        "terminal/reply/download.py",
        "terminal/reply/painter.py",
    ),
    "markdown_it": ("markdown/inline.py",),
    "pygments": ("markdown/highlight.py",),
    "sqlite3": tuple(
        f"store/{name}.py"
        for name in (
            "conversations",
            "database",
            "export",
            "journal",
            "messages",
            "readonly",
            "schema",
            "search",
            "tree",
        )
    ),
    "text_generation": ("backends/tgi/library.py",),
    "xllamacpp": ("backends/local/engine.py",),
    "dotenv": ("config/dotenv.py",),
    "platformdirs": ("config/folders.py",),
    "aiohttp": ("backends/http/client.py", "backends/http/transport.py"),
    "regex": ("core/constraint.py",),
    "jsonschema": ("core/constraint.py", "transcripts/interchange.py"),
    "referencing": ("core/constraint.py",),
    "pydantic": (),
    "requests": (),
    "huggingface_hub": (),
    "click": (),
}
"""The only files that may import each."""

HEAVY = {
    "aiohttp",
    "huggingface_hub",
    "jsonschema",
    "prompt_toolkit",
    "requests",
    "rich.markdown",
    "sqlite3",
    "text_generation",
    "xllamacpp",
}


@cache
def imports() -> frozenset[tuple[str, str]]:
    """Every module file, as its path below the package, with each library it imports anywhere."""
    return frozenset(_imports())


def _imports() -> Iterator[tuple[str, str]]:
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for name in names:
                yield path.relative_to(SOURCE).as_posix(), name.partition(".")[0]


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_only_at_home(library: str) -> None:
    users = {path for path, name in imports() if name == library}
    assert users - set(HOMES[library]) == set()


@pytest.mark.parametrize(
    ("words", "homes"),
    [
        (("difflib",), {"errors.py"}),
        (("expanduser",), {"paths.py"}),
        (("0o600", "0o700", "fchmod", ".chmod("), {"private.py", "locks.py"}),
        (("flock", "FileLock"), {"locks.py"}),
    ],
)
def test_a_rule_is_kept_in_one_file(words: tuple[str, ...], homes: set[str]) -> None:
    texts = {path.relative_to(SOURCE).as_posix(): path.read_text() for path in SOURCE.rglob("*.py")}
    assert {path for path, text in texts.items() if any(word in text for word in words)} <= homes


def test_no_two_files_import_each_other() -> None:
    """Neither directly nor by way of others, and wherever in the file the import stands."""
    modules = {_module(path): path for path in SOURCE.rglob("*.py")}
    below = {name: _imported(path, modules) - {name} for name, path in modules.items()}
    while leaves := {name for name, names in below.items() if not names & below.keys()}:
        below = {name: names for name, names in below.items() if name not in leaves}
    assert below == {}, "these import each other, or what does"


def _module(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


def _imported(path: Path, modules: Container[str]) -> set[str]:
    """The modules of llmchat that this file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in submodules if name in modules} or {node.module}
    return {name for name in found if name in modules}


def test_a_class_name_stands_for_one_thing() -> None:
    names = [
        node.name
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_no_folder_has_more_rooms_than_a_stranger_can_take_in() -> None:
    tables = {"checks"}  # one room for each thing of a kind
    rooms = Counter(path.parent for path in SOURCE.rglob("*.py") if path.name != "__init__.py")
    assert {
        str(folder): count for folder, count in rooms.items() if count > 13 and folder.name not in tables
    } == {}


def test_every_library_has_a_home() -> None:
    foreign = {name for _, name in imports()} - sys.stdlib_module_names - {"llmchat"}
    assert foreign <= HOMES.keys()


@pytest.mark.parametrize(
    ("arguments", "also"),
    [
        (["--help"], {"pydantic"}),
        (["--version"], {"pydantic"}),
        (["ask", "--help"], set()),  # typer itself reads the name of a command with pydantic
        (["history", "--help"], set()),
        (["doctor", "--help"], set()),
    ],
)
def test_help_imports_nothing_heavy(arguments: list[str], also: set[str]) -> None:
    imported = imported_by(arguments)
    assert "llmchat.cli.commands" in imported
    assert imported & (HEAVY | also) == set()


def test_toml_is_imported_only_where_there_is_a_file_of_it(tmp_path: Path) -> None:
    arguments = ["ask", "-m", "echo", "--no-save", "Hi"]
    assert "tomllib" not in imported_by(arguments, LLMCHAT_HOME=str(tmp_path))
    (tmp_path / "config.toml").touch(mode=0o600)
    assert "tomllib" in imported_by(arguments, LLMCHAT_CONFIG=str(tmp_path / "config.toml"))


def imported_by(arguments: list[str], **environ: str) -> set[str]:
    """The modules that a run imports."""
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "llmchat", *arguments],
        env={**os.environ, **UNMEASURED, "PYTHONPATH": str(SOURCE.parent), **environ},
        cwd=SOURCE,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in ran.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}
