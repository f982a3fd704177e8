"""Completion without a shell: what is offered where, that a Tab leaves no trace, and how it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperGroup, TyperOption
from typer.main import get_command

from cli.shells import MODEL, TITLES, furnish
from command import Llmchat
from llmchat.cli.commands import app
from llmchat.cli.completion.bash import split
from llmchat.cli.completion.command import SCRIPTS
from llmchat.cli.completion.offer import FILES, FORMATS, SOURCES
from llmchat.cli.completion.place import Command, locate
from llmchat.config.settings import SETTINGS
from llmchat.transcripts.formats import Format
from measured import UNMEASURED

FREE = {
    *("prompt", "words", "url", "system", "temperature", "top_p", "top_k", "max_tokens", "stop", "seed"),
    *("repetition_penalty", "limit", "regex", "concurrency"),
}
"""The parameters whose values nobody can guess."""


def root() -> TyperGroup:
    found = get_command(app)
    assert isinstance(found, TyperGroup)
    return found


def commands(command: Command) -> list[Command]:
    below = command.commands.values() if isinstance(command, TyperGroup) else ()
    return [command, *(each for sub in below for each in commands(sub))]


def complete(llmchat: Llmchat, *words: str) -> list[str]:
    """The texts of what a shell is offered behind these words."""
    ran = llmchat("__complete", "zsh", *words)
    assert (ran.code, ran.err) == (0, "")
    return [line.partition("\t")[0] for line in ran.out.decode().splitlines()]


# What is offered


def test_every_value_is_completed_or_known_to_be_free() -> None:
    """A new option has to say how it is completed: in cli/offer.py, by choices in its setting, or here."""
    known = FREE | {names[-1] for names in SOURCES} | FILES.keys()
    known |= {name for name, setting in SETTINGS.items() if setting.choices}
    for command in commands(root()):
        for parameter in command.params:
            if not (isinstance(parameter, TyperOption) and parameter.is_flag):
                assert parameter.name in known


def test_the_formats_are_those_of_an_export() -> None:
    assert set(FORMATS) == set(Format)


@pytest.mark.parametrize(
    ("words", "parameter"),
    [
        (["-m", ""], "model"),
        (["-qm", ""], "model"),
        (["-mecho", ""], None),
        (["-mm", ""], None),  # the m behind -m is its value
        (["--model=x"], "model"),
        (["--model", "x", "ask", "-f", ""], "file"),
        (["ask", "--", "-m", ""], "prompt"),
        (["ask", "-m", "--", ""], "prompt"),  # as a value, -- ends nothing
        (["ask", "a", "-"], None),
        (["history", "rm", "one", "two", ""], "conversations"),
        (["history", "show", "one", ""], None),
        (["--quiet=x"], None),
        (["--nothing", ""], None),
    ],
)
def test_the_value_that_is_typed_is_known(words: list[str], parameter: str | None) -> None:
    place = locate(root(), words)
    assert (place and place.parameter and place.parameter.name) == parameter


def test_behind_a_command_there_is_not_nothing_to_say_is_nothing(llmchat: Llmchat) -> None:
    assert complete(llmchat, "nothing", "") == []


def test_an_option_that_was_given_is_not_offered_again(llmchat: Llmchat) -> None:
    offered = complete(llmchat, "ask", "-q", "--stop", "x", "-f", "y", "--")
    assert "--quiet" not in offered
    assert {"--stop", "--file", "--model"} <= set(offered)


def test_an_id_that_was_given_is_not_offered_again(llmchat: Llmchat) -> None:
    ids = furnish(llmchat)
    assert complete(llmchat, "history", "rm", ids[1], "") == ["words", "last", ids[0], ids[2]]


def test_names_are_lines_without_controls(llmchat: Llmchat) -> None:
    furnish(llmchat)
    (llmchat.home / "kept" / "cache" / "weights" / "new\nline\x1b.gguf").write_bytes(b"GGUF")
    assert complete(llmchat, "-m", "") == ["files .gguf", "smollm2", "qwen", MODEL, "echo", "canned"]
    shown = llmchat("__complete", "fish", "--conversation", "").out.decode()
    assert TITLES[0] in shown
    assert "\x1b" not in shown
    assert shown.count("\n") == 5


# Silence


@pytest.mark.parametrize("shell", [*SCRIPTS, "nothing"])
@pytest.mark.parametrize(
    "words", [[], [""], ["-m", ""], ["--conversation", ""], ["help", ""], ["9", ":", "llmchat -m "]]
)
def test_a_tab_on_a_fresh_machine_creates_nothing(llmchat: Llmchat, shell: str, words: list[str]) -> None:
    ran = llmchat.with_environ(HOME=str(llmchat.home))("__complete", shell, *words)
    assert (ran.code, ran.err) == (0, "")
    assert list(llmchat.home.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" * 99])
def test_a_database_that_cannot_be_read_is_none(llmchat: Llmchat, content: bytes) -> None:
    path = llmchat.home / "kept" / "data" / "conversations.sqlite3"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert complete(llmchat, "--conversation", "") == ["words"]
    assert (list(path.parent.iterdir()), path.read_bytes()) == ([path], content)


def test_settings_that_are_wrong_disturb_no_tab(llmchat: Llmchat) -> None:
    (llmchat.home / ".env").write_text("LLMCHAT_API=nonsense\n")
    assert complete(llmchat, "-m", "") == ["files .gguf"]
    assert complete(llmchat, "--api", "") == ["words", "auto", "tgi", "openai"]


@pytest.mark.parametrize(
    ("words", "also"),
    [(["-m", ""], {"sqlite3"}), (["history", ""], {"sqlite3"}), (["--conversation", ""], set())],
)
def test_a_tab_imports_only_what_it_needs(llmchat: Llmchat, words: list[str], also: set[str]) -> None:
    furnish(llmchat)
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "llmchat", "__complete", "zsh", *words],
        env={**os.environ, **UNMEASURED, "LLMCHAT_HOME": str(llmchat.home / "kept")},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert "llmchat.cli.completion.offer" in imported
    assert ran.stdout.count("\n") > 4
    heavy = {"aiohttp", "prompt_toolkit", "pydantic", "requests", "rich", "text_generation", "xllamacpp"}
    assert imported & (heavy | also) == set()


# What bash is given


@pytest.mark.parametrize("quote", ["", '"', "'"])
@pytest.mark.parametrize(
    "whole",
    [
        "plain",
        "a b",
        "$(exit)`exit`",
        "a\\b",
        'a"b',
        "a'b",
        "a!b",
        "*?[x]{a,b}",
        "~root",
        "#x",
        "a;b|c&d<e>",
        "-é:=@^%",
    ],
)
def test_a_word_is_quoted_so_that_bash_reads_it_back(whole: str, quote: str) -> None:
    finished = split(quote)[-1].finish(whole)
    if finished is None:
        assert "'" in whole or "!" in whole  # that cannot stand between such quotes
        return
    line = f"printf %s {quote}{finished}{quote}"
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert ran.stdout == whole


@pytest.mark.parametrize(
    ("line", "words", "fixed"),
    [
        ("llmchat ask ", ["llmchat", "ask", ""], 0),
        (r"a\ b 'c d' \"e\"", ["a b", "c d", '"e"'], 0),
        ("x hf:ow", ["x", "hf:ow"], 3),
        ("x --file=a", ["x", "--file=a"], 7),
        (r"x a\:b", ["x", "a:b"], 0),
        ("x ab'c d", ["x", "abc d"], 2),
        ('x "a\\$b\\c', ["x", "a$b\\c"], 0),
        ("x '' \\", ["x", "", ""], 0),
    ],
)
def test_a_line_is_split_as_bash_does(line: str, words: list[str], fixed: int) -> None:
    found = split(line, breaks=" \t\n\"'@><=;|&(:")
    assert ([word.text for word in found], found[-1].fixed) == (words, fixed)


def test_behind_a_quote_that_was_closed_nothing_is_put_in() -> None:
    assert split("x 'a'b")[-1].finish("abc") is None


def test_powershell_gets_the_names_that_begin_so(llmchat: Llmchat) -> None:
    """There is no PowerShell here; this is what its script is given."""
    furnish(llmchat)
    ran = llmchat("__complete", "powershell", "-m", "hf.")
    assert ran.out.decode() == f"words\n{MODEL}\t\n"
    assert llmchat("__complete", "powershell", "ask", "-f", ".").out == b"files\n"


# Installing


@pytest.mark.parametrize(
    ("shell", "script", "start"),
    [
        ("zsh", ".local/share/zsh/site-functions/_llmchat", ".zshrc"),
        ("fish", ".config/fish/completions/llmchat.fish", None),
    ],
)
def test_installing_twice_is_installing_once(
    llmchat: Llmchat, shell: str, script: str, start: str | None
) -> None:
    here = llmchat.with_environ(HOME=str(llmchat.home))
    if start:
        (llmchat.home / start).write_bytes(b"alias x=\xff")  # no UTF-8, and no newline at its end
    first, second = (here("completion", shell, "--install") for _ in range(2))
    assert (first.code, first.err, second.code) == (0, "", 0)
    assert (llmchat.home / script).read_bytes() == here("completion", shell).out
    assert f"wrote {llmchat.home / script}" in first.out.decode()
    assert f"rm {llmchat.home / script}" in first.out.decode()
    if start:
        lines = (llmchat.home / start).read_bytes().splitlines()
        assert lines == [b"alias x=\xff", f". {llmchat.home / script} # llmchat completion".encode()]
        assert b"the line is already in" in second.out


@pytest.mark.parametrize("package", [True, False])
def test_bash_gets_a_line_only_where_nothing_loads_the_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: bool
) -> None:
    from llmchat.cli.completion import install

    loader = tmp_path / "loader"
    if package:
        loader.touch()
    monkeypatch.setattr(install, "_BASH_COMPLETION", (str(loader),))
    said = install.install_script("bash", "script", {"HOME": str(tmp_path), "XDG_DATA_HOME": "relative"})
    script = tmp_path / ".local/share/bash-completion/completions/llmchat"
    assert script.read_text() == "script"
    assert (tmp_path / ".bashrc").exists() is not package
    assert (".bashrc" in said) is not package


def test_powershell_is_asked_where_its_profile_is(llmchat: Llmchat) -> None:
    programs = llmchat.home / "bin"
    programs.mkdir()
    here = llmchat.with_environ(PATH=f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")
    missing = here("completion", "powershell", "--install")
    assert (missing.code, missing.error) == (2, "PowerShell is not in the PATH")
    (programs / "pwsh").write_text(f'#!/bin/sh\necho "{llmchat.home}/it\'s/profile.ps1"\n')
    (programs / "pwsh").chmod(0o755)
    assert here("completion", "powershell", "--install").code == 0
    script = llmchat.home / "it's" / "llmchat.ps1"
    assert script.read_bytes() == here("completion", "powershell").out
    line = f". '{llmchat.home}/it''s/llmchat.ps1' # llmchat completion\n"
    assert (llmchat.home / "it's" / "profile.ps1").read_text() == line


def test_without_a_name_it_is_the_shell_that_asks(llmchat: Llmchat) -> None:
    ran = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -m llmchat completion; :'],
        env={**os.environ, "SHELL": "/bin/other"},
        capture_output=True,
        check=True,
    )
    assert ran.stdout == llmchat("completion", "bash").out


def test_an_unknown_shell_is_a_usage_error(llmchat: Llmchat) -> None:
    ran = llmchat("completion", "tcsh")
    assert (ran.code, ran.error) == (2, "there is no completion for tcsh")


def test_a_start_file_that_cannot_be_written_is_said_in_two_lines(llmchat: Llmchat) -> None:
    (llmchat.home / ".zshrc").mkdir()
    ran = llmchat.with_environ(HOME=str(llmchat.home))("completion", "zsh", "--install")
    assert (ran.code, ran.error) == (73, f"cannot write {llmchat.home / '.zshrc'}: Is a directory")
