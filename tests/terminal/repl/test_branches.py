"""Stories of going back and branching off: nothing that was said is destroyed."""

from __future__ import annotations

import re

from opened import Open
from pseudo_terminal import CTRL_C, ENTER


def test_an_edited_question_branches_off_and_the_old_branch_can_be_gone_back_to(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("about cats" + ENTER)
    terminal.wait_for("\nabout cats\n2 tokens")
    terminal.type("/edit" + ENTER)
    terminal.wait_for("edit> about cats", scrollback=False)
    terminal.type(" and dogs" + ENTER)
    terminal.wait_for("\nabout cats and dogs\n4 tokens")
    terminal.type("/tree" + ENTER)
    terminal.wait_for("Assistant: about cats and dogs\n")
    rows = dict(re.findall(r"^([* ] +\d+) +(.*)$", terminal.text, re.MULTILINE))
    assert list(rows.values()) == [
        "You: about cats",
        "Assistant: about cats",
        "You: about cats and dogs",
        "Assistant: about cats and dogs",
    ]
    assert [key[0] for key in rows] == [" ", " ", "*", "*"]
    old_answer = list(rows)[1].strip()
    terminal.type(f"/switch {old_answer}" + ENTER)
    terminal.wait_for("> about cats\nabout cats\n")
    terminal.type("/prompt more" + ENTER)
    terminal.wait_for("\nUser: about cats\nAssistant: about cats\nUser: more\nAssistant:\n")
    terminal.type("/switch 99" + ENTER)
    terminal.wait_for("has no message 99")


def test_an_edit_that_is_given_up_leaves_everything_as_it_was(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("/edit" + ENTER)
    terminal.wait_for("there is no question to edit")
    terminal.type("first" + ENTER)
    terminal.wait_for("1 tokens")
    terminal.type("/edit" + ENTER)
    terminal.wait_for("edit> first", scrollback=False)
    terminal.type(CTRL_C)
    terminal.wait_until(lambda: "edit> first" not in terminal.screen, "a clear line")
    terminal.type(CTRL_C)
    terminal.wait_for("The question is unchanged.")
    terminal.type("/prompt second" + ENTER)
    terminal.wait_for("\nUser: first\nAssistant: first\nUser: second\nAssistant:\n")


def test_a_talk_that_is_not_saved_has_no_tree_until_it_is(start: Open) -> None:
    terminal = start("-m", "echo", "--no-save")
    terminal.wait_for("not saved")
    terminal.type("hello" + ENTER)
    terminal.wait_for("1 tokens")
    terminal.type("/tree" + ENTER)
    terminal.wait_for("hint: /save starts saving it")
    terminal.type("/save" + ENTER)
    terminal.wait_for("Saved as ")
    terminal.type("/tree" + ENTER)
    terminal.wait_for("Assistant: hello\n")


def test_a_reply_that_was_cut_goes_on_and_is_shown_whole(start: Open) -> None:
    terminal = start("-m", "echo", "-n", "2")
    terminal.wait_for("new")
    terminal.type("one two three four" + ENTER)
    terminal.wait_for("\none two\n")
    terminal.wait_for("cut by --max-tokens")
    terminal.type("/continue" + ENTER)
    terminal.wait_for("\none two three four\n")
    terminal.type("/continue" + ENTER)
    terminal.wait_for("the last reply was not cut off")
    terminal.type("/tree" + ENTER)
    terminal.wait_for("Assistant: one two (length)\n")
    terminal.wait_for("Assistant: one two three four\n")


def test_a_model_that_cannot_go_on_says_so(start: Open) -> None:
    terminal = start("-m", "canned", "-n", "1")
    terminal.wait_for("new")
    terminal.type("hello" + ENTER)
    terminal.wait_for("cut by --max-tokens")
    terminal.type("/continue" + ENTER)
    terminal.wait_for("canned cannot continue a reply")
