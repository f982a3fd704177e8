"""What a .env may say, and who may have written it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmchat.config.dotenv import Dotenv, read_dotenv
from llmchat.config.resolve import resolve
from llmchat.errors import ConfigError, DeniedError


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    path = tmp_path / ".env"
    path.touch(mode=0o600)
    return path


def test_only_names_that_llmchat_knows_are_read(dotenv: Path) -> None:
    dotenv.write_text(
        "# a comment\nHF_API_FALCOM_BASE=https://falcon.example\nexport HF_API_KEY='a b'\n"
        "PATH=/evil\nLD_PRELOAD=/evil.so\nLLMCHAT_HOME=/evil\nHTTPS_PROXY=http://evil\nLLMCHAT_SEED=7\n"
    )
    read = read_dotenv(dotenv)
    assert read.values == {
        "HF_API_FALCOM_BASE": "https://falcon.example",
        "HF_API_KEY": "a b",
        "LLMCHAT_SEED": "7",
    }
    assert read.others == ("PATH", "LD_PRELOAD", "LLMCHAT_HOME", "HTTPS_PROXY")


def test_nothing_is_interpolated(dotenv: Path) -> None:
    dotenv.write_text("LLMCHAT_SYSTEM=${HOME}-$HOME\n")
    assert read_dotenv(dotenv).values == {"LLMCHAT_SYSTEM": "${HOME}-$HOME"}


def test_a_name_without_a_value_and_a_byte_order_mark_do_no_harm(dotenv: Path) -> None:
    dotenv.write_bytes(b"\xef\xbb\xbfLLMCHAT_SEED=7\nLLMCHAT_URL\n")
    assert read_dotenv(dotenv).values == {"LLMCHAT_SEED": "7"}


def test_the_environment_is_neither_changed_nor_overruled(dotenv: Path) -> None:
    dotenv.write_text("LLMCHAT_SEED=7\n")
    environ = {"LLMCHAT_SEED": "8"}
    config = resolve({}, environ=environ, directory=dotenv.parent)
    assert (config.number("seed"), environ) == (8, {"LLMCHAT_SEED": "8"})


def test_a_parents_file_is_not_looked_for(dotenv: Path) -> None:
    dotenv.write_text("LLMCHAT_SEED=7\n")
    below = dotenv.parent / "below"
    below.mkdir()
    assert resolve({}, environ={}, directory=below).values["seed"].value is None


def test_no_file_or_something_that_is_no_file_is_no_setting(tmp_path: Path) -> None:
    assert read_dotenv(tmp_path / ".env") == Dotenv()
    (tmp_path / ".env").symlink_to("nowhere")
    assert read_dotenv(tmp_path / ".env") == Dotenv()
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").symlink_to("/dev/zero")
    assert read_dotenv(tmp_path / ".env") == Dotenv()
    (tmp_path / ".env").unlink()
    os.mkfifo(tmp_path / ".env")
    assert read_dotenv(tmp_path / ".env") == Dotenv()  # and nobody waits for who would write into it
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()
    assert read_dotenv(tmp_path / ".env") == Dotenv()


@pytest.mark.parametrize("mode", [0o602, 0o666, 0o646, 0o620, 0o664])
def test_a_file_that_others_can_write_to_is_refused(dotenv: Path, mode: int) -> None:
    dotenv.write_text("HF_API_KEY=topsecret\n")
    dotenv.chmod(mode)
    with pytest.raises(DeniedError, match="others can write") as caught:
        read_dotenv(dotenv)
    assert caught.value.hint == "chmod 600 .env"


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o644])
def test_a_file_that_only_its_owner_can_write_to_is_read(dotenv: Path, mode: int) -> None:
    dotenv.write_text("LLMCHAT_SEED=7\n")
    dotenv.chmod(mode)
    assert read_dotenv(dotenv).values == {"LLMCHAT_SEED": "7"}


def test_a_symbolic_link_is_judged_by_what_it_leads_to(dotenv: Path) -> None:
    real = dotenv.rename(dotenv.with_name("real"))
    real.write_text("LLMCHAT_SEED=7\n")
    dotenv.symlink_to(real)
    assert read_dotenv(dotenv).values == {"LLMCHAT_SEED": "7"}
    real.chmod(0o666)
    with pytest.raises(DeniedError, match="others can write"):
        read_dotenv(dotenv)


@pytest.mark.parametrize("as_a_link", [False, True])
def test_a_file_or_link_of_somebody_else_is_refused(dotenv: Path, as_a_link: bool) -> None:
    real = dotenv.rename(dotenv.with_name("real")) if as_a_link else dotenv
    if as_a_link:
        dotenv.symlink_to(real)
    if os.geteuid() == 0:
        os.chown(dotenv, 12345, -1, follow_symlinks=False)
    else:  # who cannot give a file away has one of root's
        dotenv.unlink()
        dotenv.symlink_to("/etc/passwd")
    with pytest.raises(DeniedError, match="belongs to another user"):
        read_dotenv(dotenv)


def test_a_huge_file_is_refused_before_it_is_read_whole(dotenv: Path) -> None:
    with dotenv.open("wb") as file:
        file.truncate(1 << 40)  # a hole
    with pytest.raises(ConfigError, match=r"\.env is over 64 KiB"):
        read_dotenv(dotenv)


def test_a_file_that_is_no_text_is_an_error(dotenv: Path) -> None:
    dotenv.write_bytes(b"HF_API_KEY=\xff\xfe\n")
    with pytest.raises(ConfigError, match=r"\.env is not UTF-8"):
        read_dotenv(dotenv)
