"""Files are for their owner only, whatever the umask and however they were before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmchat.private import make_private_folder, open_private, replace_private


@pytest.fixture(params=[0o000, 0o022, 0o077], autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("how", ["ab", "a+b", "r+b", "wb", "xb"])
def test_a_file_is_created_in_every_mode_with_its_folder(tmp_path: Path, how: str) -> None:
    path = tmp_path / "a" / "b" / "file"
    with open_private(path, how) as file:  # type: ignore[arg-type] # one of its modes
        file.write(b"x")
    assert [mode(each) for each in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]


def test_an_older_file_that_others_could_read_is_restricted(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o644)
    with open_private(path, "ab") as file:
        file.write(b", new")
    assert (path.read_bytes(), mode(path)) == (b"old, new", 0o600)


def test_a_file_is_replaced_at_once_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o644)
    with path.open("rb") as reader:
        replace_private(path, b"new")
        assert (reader.read(), path.read_bytes(), mode(path)) == (b"old", b"new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_replaced_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "folder" / "in it").mkdir(parents=True)
    with pytest.raises(OSError):
        replace_private(tmp_path / "folder", b"new")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    make_private_folder(tmp_path / "open")
    assert mode(tmp_path / "open") == 0o755
