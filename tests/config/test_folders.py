"""Where things are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmchat.config.folders import Folders
from llmchat.errors import DeniedError
from llmchat.private import make_private_folder


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
        make_private_folder(tmp_path / "a" / "b")
        make_private_folder(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "a", tmp_path / "a" / "b")] == [0o700, 0o700]


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


def test_all_that_others_could_read_is_restricted_and_said_in_one_line(folders: Folders) -> None:
    said = folders.restrict_to_owner()
    kept = (folders.config, folders.data, folders.state, folders.cache)
    assert set.union(*map(modes, kept)) == {(True, 0o700), (False, 0o600)}
    assert said is not None
    assert said.startswith(f"{folders.config} was open to other users (mode 0777)")
    assert said.endswith("; so are 12 more")
    assert folders.restrict_to_owner() is None


def test_what_is_stricter_than_usual_is_left_so(folders: Folders) -> None:
    folders.restrict_to_owner()
    folders.database.chmod(0o400)
    assert folders.restrict_to_owner() is None
    assert folders.database.stat().st_mode & 0o777 == 0o400


def test_the_folder_that_holds_all_four_may_hold_something_else_and_is_left_alone(folders: Folders) -> None:
    home = folders.config.parent
    (home / "else").touch(mode=0o644)
    folders.restrict_to_owner()
    assert home.stat().st_mode & 0o777 == 0o777
    assert (home / "else").stat().st_mode & 0o777 != 0o600


def test_what_a_symbolic_link_leads_to_is_left_alone(folders: Folders, tmp_path: Path) -> None:
    shared = tmp_path / "shared.gguf"
    shared.touch()
    shared.chmod(0o644)
    (folders.weights / "shared.gguf").symlink_to(shared)
    folders.restrict_to_owner()
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
        folders.restrict_to_owner()
    assert shared.stat().st_mode & 0o7777 == 0o1777


def test_where_nothing_is_kept_nothing_is_made(tmp_path: Path) -> None:
    assert Folders.find({"LLMCHAT_HOME": str(tmp_path / "home")}).restrict_to_owner() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["data", "state/prompts"])
def test_what_belongs_to_somebody_else_is_refused(folders: Folders, place: str) -> None:
    theirs = folders.config.parent / place
    if os.geteuid() == 0:
        os.chown(theirs, 12345, -1)
    else:  # who cannot give a file away uses a folder that everybody may write to
        folders = Folders(folders.config, Path("/tmp"), folders.state, folders.cache)
    with pytest.raises(DeniedError, match="belongs to another user") as caught:
        folders.restrict_to_owner()
    assert "LLMCHAT_HOME" in (caught.value.hint or "")
