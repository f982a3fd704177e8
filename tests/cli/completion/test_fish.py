"""Tab in a real fish: what it puts in, what it lists, and that no name is run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.shells import FILES, MODEL, Shell, furnish, shell
from command import Llmchat


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fish")


@pytest.fixture(scope="module")
def ids(home: Path) -> list[str]:
    return furnish(Llmchat(home))


@pytest.fixture(scope="module")
def fish(home: Path, ids: list[str]) -> Iterator[Shell]:
    """Installed as a person does it: fish looks into the folder by itself."""
    llmchat = Llmchat(home, {"HOME": str(home)})
    assert llmchat("completion", "fish", "--install").code == 0
    (home / ".config" / "fish" / "config.fish").write_text(
        "function fish_prompt; echo -n 'READY '; end\nset fish_greeting\nset fish_autosuggestion_enabled 0\n"
    )
    with shell(["fish", "--interactive"], llmchat, columns=52) as opened:
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
        ("llmchat -m \\$\\(\t", ["llmchat", "-m", FILES[1]]),
        ("llmchat -m fol\tin\t", ["llmchat", "-m", FILES[3]]),
        ("llmchat ask -- --th\t", ["llmchat", "ask", "--", "--th"]),
    ],
)
def test_tab_puts_in_what_was_begun(fish: Shell, typed: str, words: list[str]) -> None:
    assert fish.words(typed) == [word.replace("HOME", str(fish.home)) for word in words]
    assert not fish.harmed()


def test_ids_are_listed_with_their_titles_newest_first(fish: Shell, ids: list[str]) -> None:
    fish.list("llmchat history show \t", *ids, "$(touch harmed) `touch harmed`")
    shown = fish.terminal.text
    assert shown.index("last ") < shown.index(ids[0]) < shown.index(ids[1]) < shown.index(ids[2])
    assert "\x1b[31mcolours" not in fish.terminal.written.decode()
    assert not fish.harmed()


def test_an_id_is_put_in_without_its_title(fish: Shell, ids: list[str]) -> None:
    assert fish.words(f"llmchat --conversation {ids[2][:6]}\t") == ["llmchat", "--conversation", ids[2]]


def test_models_and_files_are_listed_together(fish: Shell) -> None:
    fish.list("llmchat -m \t", "smollm2", "qwen", "echo", "canned", "folder/", "$(touch harmed).gguf")
    assert not fish.harmed()
