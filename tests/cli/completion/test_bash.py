"""Tab in a real bash: what it puts in, what it lists, and that no name is run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.shells import FILES, MODEL, Shell, furnish, shell
from command import Llmchat


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bash")


@pytest.fixture(scope="module")
def ids(home: Path) -> list[str]:
    return furnish(Llmchat(home))


@pytest.fixture(scope="module")
def bash(home: Path, ids: list[str]) -> Iterator[Shell]:
    llmchat = Llmchat(home)
    (home / "script").write_bytes(llmchat("completion", "bash").out)
    (home / "start").write_text(". ~/script\nset -u\nPS1='READY '\n")
    with shell(["bash", "--noprofile", "--rcfile", "start", "-i"], llmchat) as opened:
        yield opened


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("llmchat hist\tsho\t", ["llmchat", "history", "show"]),
        ("llmchat ask --conv\t", ["llmchat", "ask", "--conversation"]),
        ("llmchat --theme d\t", ["llmchat", "--theme", "dark"]),
        ("llmchat --theme=li\t", ["llmchat", "--theme=light"]),
        ("llmchat -q --reasoning h\t", ["llmchat", "-q", "--reasoning", "hide"]),
        ("llmchat -qm sm\t", ["llmchat", "-qm", "smollm2"]),
        ("llmchat history export --format j\t", ["llmchat", "history", "export", "--format", "json"]),
        ("llmchat pull q\t", ["llmchat", "pull", "qwen"]),
        ("llmchat ask -f no\t", ["llmchat", "ask", "-f", "note.txt"]),
        ("llmchat ask --file=no\t", ["llmchat", "ask", "--file=note.txt"]),
        ("llmchat history export -o no\t", ["llmchat", "history", "export", "-o", "note.txt"]),
        ("llmchat ask -m hf:\t", ["llmchat", "ask", "-m", MODEL]),
        ("llmchat ask -m 'hf\t'", ["llmchat", "ask", "-m", "hf"]),  # a ' cannot stand between two
        ('llmchat ask -m "hf\t', ["llmchat", "ask", "-m", MODEL]),
        (r"llmchat -m \$\(\t".replace(r"\t", "\t"), ["llmchat", "-m", FILES[1]]),
        ("llmchat -m '$\t", ["llmchat", "-m", FILES[1]]),
        ('llmchat -m "a sp\t', ["llmchat", "-m", FILES[2]]),
        ("llmchat -m fol\tin\t", ["llmchat", "-m", FILES[3]]),
        ("llmchat -m ~/fol\tin\t", ["llmchat", "-m", "HOME/folder/inner.gguf"]),
        ("llmchat ask -- --th\t", ["llmchat", "ask", "--", "--th"]),
        ("llmchat nothing \tx", ["llmchat", "nothing", "x"]),
    ],
)
def test_tab_puts_in_what_was_begun(bash: Shell, typed: str, words: list[str]) -> None:
    assert bash.words(typed) == [word.replace("HOME", str(bash.home)) for word in words]
    assert not bash.harmed()


def test_ids_are_listed_with_their_titles_newest_first(bash: Shell, ids: list[str]) -> None:
    bash.list("llmchat history show \t\t", *(f"{key}  (" for key in ids), "$(touch harmed) `touch harmed`)")
    shown = bash.terminal.text
    assert shown.index("last  (the latest one)") < shown.index(ids[0]) < shown.index(ids[1])
    assert shown.index(ids[1]) < shown.index(ids[2])
    assert not bash.harmed()


def test_an_id_is_put_in_without_its_title(bash: Shell, ids: list[str]) -> None:
    assert bash.words(f"llmchat --conversation {ids[2][:6]}\t") == ["llmchat", "--conversation", ids[2]]


def test_a_menu_puts_in_ids_only(bash: Shell, ids: list[str]) -> None:
    bash.terminal.type("bind '\"\\C-t\": menu-complete'\r")
    words = bash.words("llmchat history rm \x14\x14")
    assert words[:3] == ["llmchat", "history", "rm"]
    assert words[3:] in [[key] for key in ("last", *ids)]
    assert not bash.harmed()


def test_models_and_files_are_listed_together(bash: Shell) -> None:
    bash.list("llmchat -m \t\t", "smollm2", "qwen", "echo", "canned", "folder/", r"\$\(touch\ harmed\).gguf")
    assert not bash.harmed()


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("NAME=x llmchat -m sm\t", "NAME=x llmchat -m smollm2"),
        ("true | llmchat --theme d\t", "true | llmchat --theme dark"),
        ("llmchat ask </dev/null --theme d\t", "llmchat ask </dev/null --theme dark"),
        ("~/bin/llmchat -m qw\t", "~/bin/llmchat -m qwen"),
        ("~/nowhere/llmchat -m qw\tx", "~/nowhere/llmchat -m qwx"),
    ],
)
def test_wherever_llmchat_stands_in_a_line_and_wherever_it_is(bash: Shell, typed: str, line: str) -> None:
    bash.terminal.type(f"{typed}\x01# \r")
    bash.terminal.wait_for(f"READY # {line}\n")
    assert "No such file" not in bash.terminal.text
