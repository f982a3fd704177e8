"""What is kept is the user's alone, whoever made it how."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmchat.config.folders import Folders
from llmchat.config.privacy import keep_private
from llmchat.errors import DeniedError


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Everything there can be, as a careless umask leaves it."""
    folders = Folders.find({"LLMCHAT_HOME": str(tmp_path / "home")})
    files = [folders.database, folders.prompt_history, folders.servers, folders.state / "llmchat.log"]
    files += [
        Path(f"{folders.database}-wal"),
        folders.config / "config.toml",
        folders.weights / "hf" / "a.gguf",
    ]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    for path in [tmp_path / "home", *(tmp_path / "home").rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    return folders


def modes(folder: Path) -> set[tuple[bool, int]]:
    paths = [folder, *folder.rglob("*")]
    return {(path.is_dir(), path.lstat().st_mode & 0o777) for path in paths if not path.is_symlink()}


def test_all_that_was_wider_is_narrowed_and_said_in_one_line(folders: Folders) -> None:
    said = keep_private(folders)
    kept = (folders.config, folders.data, folders.state, folders.cache)
    assert set.union(*map(modes, kept)) == {(True, 0o700), (False, 0o600)}
    assert said is not None
    assert said.startswith(f"{folders.config} was open to other users (mode 0777)")
    assert said.endswith("; so are 12 more")
    assert keep_private(folders) is None


def test_what_is_narrower_than_usual_is_left_so(folders: Folders) -> None:
    keep_private(folders)
    folders.database.chmod(0o400)
    assert keep_private(folders) is None
    assert folders.database.stat().st_mode & 0o777 == 0o400


def test_the_folder_that_holds_all_four_may_hold_something_else_and_is_left_alone(folders: Folders) -> None:
    home = folders.config.parent
    (home / "else").touch(mode=0o644)
    keep_private(folders)
    assert home.stat().st_mode & 0o777 == 0o777
    assert (home / "else").stat().st_mode & 0o777 != 0o600


def test_what_a_symbolic_link_leads_to_is_left_alone(folders: Folders, tmp_path: Path) -> None:
    shared = tmp_path / "shared.gguf"
    shared.touch()
    shared.chmod(0o644)
    (folders.weights / "shared.gguf").symlink_to(shared)
    keep_private(folders)
    assert shared.stat().st_mode & 0o777 == 0o644


def test_a_folder_that_all_users_share_is_refused_and_stays_as_it_is(
    folders: Folders, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    folders.database.unlink()
    Path(f"{folders.database}-wal").unlink()
    folders.data.rmdir()
    folders.data.symlink_to(shared)
    with pytest.raises(DeniedError, match="a folder that all users share"):
        keep_private(folders)
    assert shared.stat().st_mode & 0o7777 == 0o1777


def test_where_nothing_is_kept_nothing_is_made(tmp_path: Path) -> None:
    assert keep_private(Folders.find({"LLMCHAT_HOME": str(tmp_path / "home")})) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["data", "state/prompts"])
def test_what_belongs_to_somebody_else_is_refused(folders: Folders, place: str) -> None:
    theirs = folders.config.parent / place
    if os.geteuid() == 0:
        os.chown(theirs, 12345, -1)
    else:  # who cannot give a file away uses a folder that everybody may write to
        folders = Folders(folders.config, Path("/tmp"), folders.state, folders.cache)
    with pytest.raises(DeniedError, match="belongs to somebody else") as caught:
        keep_private(folders)
    assert "LLMCHAT_HOME" in (caught.value.hint or "")
