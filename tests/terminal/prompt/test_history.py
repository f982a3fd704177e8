"""The lines that were typed, on disk and in the next shell."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock

from llmchat.terminal.prompt.history import PromptHistory


def lines(path: Path) -> list[str]:
    """What the next shell would offer, newest first."""
    return list(PromptHistory(path).load_history_strings())


def test_lines_are_kept_for_the_next_shell(tmp_path: Path) -> None:
    history = PromptHistory(tmp_path / "state" / "prompts")
    for line in ("first", "second\nwith two lines", "你好"):
        history.append_string(line)
    assert lines(tmp_path / "state" / "prompts") == ["你好", "second\nwith two lines", "first"]


def test_a_line_with_a_leading_space_or_of_nothing_is_not_kept(tmp_path: Path) -> None:
    history = PromptHistory(tmp_path / "prompts")
    for line in (" secret", "", "\n"):
        history.append_string(line)
    assert lines(tmp_path / "prompts") == []


def test_a_line_that_is_no_text_spoils_nothing(tmp_path: Path) -> None:
    history = PromptHistory(tmp_path / "prompts")
    history.append_string("half a character \udce4")
    history.append_string("after")
    assert lines(tmp_path / "prompts") == ["after", "half a character ?"]


def test_another_shell_that_is_writing_is_waited_for_only_a_moment(tmp_path: Path) -> None:
    history = PromptHistory(tmp_path / "prompts")
    with FileLock(tmp_path / "prompts.lock", mode=0o600):
        history.append_string("kept in memory")
    assert lines(tmp_path / "prompts") == []
    assert history.get_strings() == ["kept in memory"]


def test_it_is_private_even_under_umask_0(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        PromptHistory(tmp_path / "home" / "state" / "prompts").append_string("x")
    finally:
        os.umask(before)
    made = [tmp_path / "home", *(tmp_path / "home").rglob("*")]
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in made} == {
        "home": "0o700",
        "state": "0o700",
        "prompts": "0o600",
        "prompts.lock": "0o600",
    }


async def offered(history: PromptHistory) -> list[str]:
    return [line async for line in history.load()]


async def test_lines_of_another_shell_are_there_at_the_next_prompt(tmp_path: Path) -> None:
    one, other = PromptHistory(tmp_path / "prompts"), PromptHistory(tmp_path / "prompts")
    one.append_string("first")
    assert await offered(other) == ["first"]
    one.append_string("second")
    assert await offered(other) == ["second", "first"]
    assert await offered(one) == ["second", "first"]


async def test_a_history_file_that_is_gone_offers_what_was_known(tmp_path: Path) -> None:
    history = PromptHistory(tmp_path / "prompts")
    history.append_string("first")
    assert await offered(history) == ["first"]
    (tmp_path / "prompts").unlink()
    assert await offered(history) == ["first"]
