"""Where config.toml is looked for, and whether it is believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmchat.config.file import Entry
from llmchat.config.location import ConfigPath
from llmchat.errors import ConfigError, DeniedError, MissingError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.touch(mode=0o600)
    return path


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_option_goes_before_the_variable_and_that_before_the_folder(tmp_path: Path) -> None:
    environ = {"LLMCHAT_HOME": str(tmp_path)}
    ours = ConfigPath(tmp_path / "config" / "config.toml", named=False)
    assert ConfigPath.find(None, environ) == ours
    environ["LLMCHAT_CONFIG"] = "b.toml"
    assert ConfigPath.find("a.toml", environ) == ConfigPath(Path("a.toml"), named=True)
    assert ConfigPath.find(None, environ) == ConfigPath(Path("b.toml"), named=True)
    assert ConfigPath.find("~nobody-of-this-name/x", {}).path == Path("~nobody-of-this-name/x")
    assert ConfigPath.find(None, {**environ, "LLMCHAT_CONFIG": ""}) == ours


def test_a_file_that_is_not_there_says_nothing_unless_it_was_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for missing in (tmp_path / "x" / "config.toml", tmp_path / "file" / "config.toml"):
        assert ConfigPath(missing, named=False).read().top == {}
        with pytest.raises(MissingError, match="there is no file"):
            ConfigPath(missing, named=True).read()


def test_the_null_device_is_an_empty_file() -> None:
    assert ConfigPath(Path(os.devnull), named=True).read().top == {}


def test_a_byte_order_mark_and_the_line_ends_of_windows_do_no_harm(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfseed = 1\r\n\r\ntop_k = 2\r\n")
    assert ConfigPath(path, named=False).read().top == {"seed": Entry(1, 1), "top_k": Entry(2, 3)}


def test_what_cannot_be_read_is_a_configuration_error(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b'system = "\xff"\n')
    for unreadable in (path, tmp_path, Path("a\0b"), Path("x" * 5000)):
        with pytest.raises(ConfigError):
            ConfigPath(unreadable, named=True).read()


@pytest.mark.parametrize("writable", [0o602, 0o666, 0o646])
def test_a_file_that_others_can_write_to_is_refused(path: Path, writable: int) -> None:
    path.write_text('key_command = "evil"\n')
    path.chmod(writable)
    with pytest.raises(DeniedError, match="others can write") as caught:
        ConfigPath(path, named=False).read()
    assert caught.value.hint == f"chmod 600 {path}"


def test_a_file_with_a_key_that_others_can_read_is_restricted_and_said(path: Path) -> None:
    path.write_text('[profiles.work]\napi_key = "topsecret"\n')
    path.chmod(0o644)
    (notice,) = ConfigPath(path, named=False).read().notices
    assert mode(path) == 0o600
    assert str(path) in notice
    assert "0644" in notice
    assert "topsecret" not in notice
    assert ConfigPath(path, named=False).read().notices == ()


@pytest.mark.parametrize("text", ["seed = 1\n", 'key_env = "K"\n', 'key_command = "pass show x"\n'])
def test_a_file_without_a_key_may_be_read_by_others(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o644)
    assert ConfigPath(path, named=False).read().notices == ()
    assert mode(path) == 0o644
