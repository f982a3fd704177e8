"""What servers speak, kept in a file that nobody can rely on."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from llmchat.backends.remembered import MOST, Remembered


def test_it_is_there_for_the_next_run_and_for_the_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "cache" / "servers.json"
    Remembered(path).put("http://h", "openai")
    Remembered(path).put("http://i", "tgi")
    Remembered(path).put("http://h", "tgi")
    assert [Remembered(path).get(f"http://{host}") for host in "hij"] == ["tgi", "tgi", None]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["servers.json"]


def test_only_the_latest_are_kept(tmp_path: Path) -> None:
    remembered = Remembered(tmp_path / "servers.json")
    for number in range(MOST + 2):
        remembered.put(f"http://{number}", "tgi")
    known = [remembered.get(f"http://{number}") for number in range(MOST + 2)]
    assert known == [None, None, *["tgi"] * MOST]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"http://h": 3}', "[" * 100_000])
def test_a_damaged_file_is_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "servers.json"
    path.write_text(text)
    assert Remembered(path).get("http://h") is None
    Remembered(path).put("http://h", "tgi")
    assert Remembered(path).get("http://h") == "tgi"


def test_where_nothing_can_be_written_nothing_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    remembered = Remembered(tmp_path / "cache" / "servers.json")
    remembered.put("http://h", "tgi")
    assert remembered.get("http://h") is None
