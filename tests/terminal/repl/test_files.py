"""Stories of files that go with a question."""

from __future__ import annotations

from pathlib import Path

from opened import Open
from pseudo_terminal import ENTER, TAB


def test_a_file_goes_before_the_question_that_names_it(start: Open, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("milk\neggs\n")
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("What is in @no" + TAB)
    terminal.wait_for("What is in @notes.txt", scrollback=False)
    terminal.type(" ?" + ENTER)
    terminal.wait_for("\nnotes.txt:\nmilk\neggs\n\nWhat is in @notes.txt ?\n")
    terminal.type("/undo" + ENTER)
    terminal.wait_for("> What is in @notes.txt ?", scrollback=False)


def test_files_can_wait_for_the_next_question(start: Open, tmp_path: Path) -> None:
    (tmp_path / "my notes.txt").write_text("milk\n")
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("/file my" + TAB)
    terminal.wait_for("/file my notes.txt", scrollback=False)
    terminal.type(ENTER)
    terminal.wait_for("my notes.txt is attached to the next question (4 characters, about 2 tokens).")
    terminal.wait_for("1 file attached", scrollback=False)
    terminal.type("/prompt x" + ENTER + "What to buy?" + ENTER)
    terminal.wait_for("\nmy notes.txt:\nmilk\n\nWhat to buy?\n")
    terminal.type("Again?" + ENTER)
    terminal.wait_for("\nAgain?\n1 tokens")
    terminal.type("/file" + ENTER)
    terminal.wait_for("No files are attached.")


def test_a_file_that_cannot_go_is_an_error_and_what_was_typed_stays(start: Open, tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(b"\x89PNG\0\0")
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("Describe @image.png please" + ENTER)
    terminal.wait_for("image.png is binary, not text")
    terminal.wait_for("> Describe @image.png please", scrollback=False)
    terminal.type("\x15Read @missing.txt" + ENTER)
    terminal.wait_for("there is no file missing.txt")
    terminal.wait_for("> Read @missing.txt", scrollback=False)
    terminal.type("\x15Ask @@a.b or @someone" + ENTER)
    terminal.wait_for("\nAsk @a.b or @someone\n4 tokens")
    terminal.type("/file missing.txt" + ENTER)
    terminal.wait_for("hint: check its name\n")


def test_a_pasted_text_of_several_lines_picks_no_file(start: Open, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("the key")
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("\x1b[200~look:\n@secret.txt\x1b[201~" + ENTER)
    terminal.wait_for("\nlook:\n@secret.txt\n2 tokens")
    assert "the key" not in terminal.text
