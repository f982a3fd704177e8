"""The commented file to begin with."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from llmchat.config.file import parse
from llmchat.config.location import ConfigPath
from llmchat.config.settings import SETTINGS
from llmchat.config.starter import starter, write_starter
from llmchat.errors import CreateError


def test_as_it_is_it_sets_nothing() -> None:
    file = parse(starter(), Path("config.toml"))
    assert (file.top, file.profiles, file.notices) == ({}, {}, ())


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_in_it_and_can_be_set_by_taking_off_the_mark(name: str) -> None:
    text, found = re.subn(rf"(?m)^# (?={name} = )", "", starter().partition("[profiles.")[0])
    assert found == 1
    profiles = "\n[profiles.work]\n" if name == "profile" else ""
    file = parse(text + profiles, Path("config.toml"))
    assert (list(file.top), file.notices) == ([name], ())
    if SETTINGS[name].default is not None:
        assert file.top[name].value == SETTINGS[name].default


def test_the_profile_in_it_is_one() -> None:
    head, mark, profile = starter().partition("# [profiles.work]")
    file = parse(head + re.sub("(?m)^# ", "", mark + profile), Path("config.toml"))
    assert file.notices == ()
    assert {"url", "model", "key_command"} <= set(file.profiles["work"])


def test_it_is_written_privately_whatever_the_umask_and_only_once(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "config.toml"
    before = os.umask(0)
    try:
        write_starter(path)
    finally:
        os.umask(before)
    assert [each.stat().st_mode & 0o777 for each in (path, path.parent)] == [0o600, 0o700]
    assert ConfigPath(path, named=True).read().notices == ()
    path.write_text("seed = 1\n")
    with pytest.raises(CreateError, match="already exists"):
        write_starter(path)
    assert path.read_text() == "seed = 1\n"


def test_where_none_can_be_written_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CreateError, match="cannot create"):
        write_starter(tmp_path / "file" / "config.toml")
