"""Where things are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmchat.config.folders import Folders
from llmchat.private import make_private


def test_llmchat_home_holds_all_four(tmp_path: Path) -> None:
    folders = Folders.find({"LLMCHAT_HOME": str(tmp_path / "home")})
    home = tmp_path / "home"
    assert folders == Folders(*(home / name for name in ("config", "data", "state", "cache")))
    assert folders.database == tmp_path / "home/data/conversations.sqlite3"
    assert folders.prompt_history == tmp_path / "home/state/prompts"
    assert folders.weights == tmp_path / "home/cache/weights"
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("environ", [{}, {"LLMCHAT_HOME": ""}])
def test_without_it_they_are_apart_and_ours(environ: dict[str, str]) -> None:
    folders = Folders.find(environ)
    places = {folders.config, folders.data, folders.cache}
    assert len(places) == 3
    assert all(place.is_absolute() and "llmchat" in place.parts for place in places)


def test_a_relative_home_and_one_of_nobody_are_below_here() -> None:
    for given in ("kept", "~nobody-of-this-name/kept"):
        assert Folders.find({"LLMCHAT_HOME": given}).data == Path(given).absolute() / "data"


def test_a_folder_is_private_with_all_that_had_to_be_made_above_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_private(tmp_path / "a" / "b")
        make_private(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "a", tmp_path / "a" / "b")] == [0o700, 0o700]
