"""Stories of finding, opening, naming and keeping conversations."""

from __future__ import annotations

import json
import re
from pathlib import Path

from llmchat.store import Store
from opened import Open
from pseudo_terminal import CTRL_D, ENTER, TAB


def test_an_old_conversation_is_found_by_its_words_and_gone_on_with(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("the capital of France" + ENTER)
    terminal.wait_for("4 tokens")
    terminal.type("/title Geography" + ENTER)
    terminal.wait_for("Title: Geography")
    terminal.type("/new" + ENTER)
    terminal.wait_for("A new conversation.")
    terminal.type("something else" + ENTER)
    terminal.wait_for("2 tokens")
    terminal.type('/search capital "France' + ENTER)
    terminal.wait_for("Nothing found.")
    terminal.type("/search capital France" + ENTER)
    terminal.wait_for("  Geography\n    the capital of France\n")
    found = re.findall(r"^(\w{10})  .*  Geography$", terminal.text, re.MULTILINE)
    terminal.type(f"/open {found[0][:4]}" + TAB)
    terminal.wait_for(f"/open {found[0]}", scrollback=False)
    terminal.type(ENTER)
    terminal.wait_for("> the capital of France\nthe capital of France\n")
    terminal.wait_for(f"echo \N{MIDDLE DOT} {found[0]}", scrollback=False)
    terminal.type("/prompt and Italy" + ENTER)
    terminal.wait_for("Assistant: the capital of France\nUser: and Italy\nAssistant:\n")
    terminal.type("/open nonsense" + ENTER)
    terminal.wait_for("there is no conversation 'nonsense'")


def test_a_talk_that_was_not_to_be_saved_is_saved_whole_when_asked(start: Open, home: Path) -> None:
    terminal = start("-m", "echo", "--no-save")
    terminal.wait_for("not saved")
    terminal.type("keep this after all" + ENTER)
    terminal.wait_for("4 tokens")
    assert not (home / "data").exists()
    terminal.type("/save" + ENTER)
    terminal.wait_for("Saved as ")
    terminal.type("and this" + ENTER)
    terminal.wait_for("2 tokens")
    terminal.type("/save" + ENTER)
    terminal.wait_for(f"in {home}"[:20])
    terminal.type(CTRL_D)
    terminal.wait_exit()
    with Store.open(home / "data" / "conversations.sqlite3") as store:
        said = [message.text for message in store.load(store.resolve("last")).messages]
    assert said == ["keep this after all", "keep this after all", "and this", "and this"]


def test_a_conversation_is_exported_and_no_file_is_replaced_unasked(start: Open, tmp_path: Path) -> None:
    target = tmp_path / "talk.md"
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("/export" + ENTER)
    terminal.wait_for("there is nothing to export yet")
    terminal.type("some **bold** words" + ENTER)
    terminal.wait_for("3 tokens")
    terminal.type("/export talk.md" + ENTER)
    terminal.wait_for("Wrote talk.md.")
    assert target.read_text().count("some **bold** words") == 2
    target.write_text("mine")
    terminal.type("/export talk.md" + ENTER)
    terminal.wait_for("talk.md exists. Overwrite it? [y/N]")
    terminal.type("n" + ENTER)
    terminal.wait_for("Nothing was written.")
    assert target.read_text() == "mine"
    terminal.type("/export talk.json" + ENTER)
    terminal.wait_for("Wrote talk.json.")
    assert "some **bold** words" in json.dumps(json.loads((tmp_path / "talk.json").read_text()))
    terminal.type("/export nowhere/talk.md" + ENTER)
    terminal.wait_for("nowhere/talk.md cannot be written")


def test_clear_empties_the_screen_and_not_the_conversation(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("hello" + ENTER)
    terminal.wait_for("1 tokens")
    terminal.type("/clear" + ENTER)
    terminal.wait_until(lambda: "1 tokens" not in terminal.screen, "a clear screen")
    terminal.type("/history last" + ENTER)
    terminal.wait_for("echo):\nhello\n", scrollback=False)
