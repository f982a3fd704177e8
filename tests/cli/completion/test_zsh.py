"""Tab in a real zsh: what it puts in, what it lists, and that no name is run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.shells import FILES, MODEL, Shell, furnish, shell
from command import Llmchat


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("zsh")


@pytest.fixture(scope="module")
def ids(home: Path) -> list[str]:
    return furnish(Llmchat(home))


@pytest.fixture(scope="module")
def zsh(home: Path, ids: list[str]) -> Iterator[Shell]:
    """Installed as a person does it, into a start file that knows no completion of its own."""
    llmchat = Llmchat(home, {"HOME": str(home)})
    (home / ".zshrc").write_text("PS1='READY '\nbindkey -e")
    assert llmchat("completion", "zsh", "--install").code == 0
    with shell(["zsh", "--no-globalrcs", "-i"], llmchat) as opened:
        yield opened


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("llmchat hist\tsho\t", ["llmchat", "history", "show"]),
        ("llmchat ask --conv\t", ["llmchat", "ask", "--conversation"]),
        ("llmchat --theme d\t", ["llmchat", "--theme", "dark"]),
        ("llmchat --theme=li\t", ["llmchat", "--theme=light"]),
        ("llmchat -qm sm\t", ["llmchat", "-qm", "smollm2"]),
        ("llmchat history export --format j\t", ["llmchat", "history", "export", "--format", "json"]),
        ("llmchat ask -f no\t", ["llmchat", "ask", "-f", "note.txt"]),
        ("llmchat ask --file=no\t", ["llmchat", "ask", "--file=note.txt"]),
        ("llmchat ask -m hf:\t", ["llmchat", "ask", "-m", MODEL]),
        ("llmchat ask -m 'hf\t", ["llmchat", "ask", "-m", MODEL]),
        ('llmchat ask -m "hf\t', ["llmchat", "ask", "-m", MODEL]),
        ("llmchat -m \\$\\(\t", ["llmchat", "-m", FILES[1]]),
        ('llmchat -m "a sp\t', ["llmchat", "-m", FILES[2]]),
        ("llmchat -m fol\tin\t", ["llmchat", "-m", FILES[3]]),
        ("llmchat -m ~/fol\tin\t", ["llmchat", "-m", "HOME/folder/inner.gguf"]),
        ("llmchat ask -- --th\t", ["llmchat", "ask", "--", "--th"]),
    ],
)
def test_tab_puts_in_what_was_begun(zsh: Shell, typed: str, words: list[str]) -> None:
    assert zsh.words(typed) == [word.replace("HOME", str(zsh.home)) for word in words]
    assert not zsh.harmed()


def test_ids_are_listed_with_their_titles_newest_first(zsh: Shell, ids: list[str]) -> None:
    zsh.list("llmchat history show \t", *(f"{key}  -- " for key in ids), "$(touch harmed) `touch harmed`")
    shown = zsh.terminal.text
    assert "a:b 'q' \"r\" \\x [bold] %F{red}" in shown
    assert shown.index("last ") < shown.index(ids[0]) < shown.index(ids[1]) < shown.index(ids[2])
    assert "\x1b[31mcolours" not in zsh.terminal.written.decode()
    assert not zsh.harmed()


def test_an_id_is_put_in_without_its_title(zsh: Shell, ids: list[str]) -> None:
    assert zsh.words(f"llmchat --conversation {ids[2][:6]}\t") == ["llmchat", "--conversation", ids[2]]


def test_models_and_files_are_listed_together(zsh: Shell) -> None:
    zsh.list("llmchat -m \t", "smollm2", "qwen", "echo", "canned", "folder/", r"\$\(touch\ harmed\).gguf")
    assert not zsh.harmed()
