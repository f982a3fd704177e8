from __future__ import annotations

import stat
from pathlib import Path

from llmchat.store import Store


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_open_to_others_is_restricted_and_said(path: Path) -> None:
    Store.open(path).close()
    path.chmod(0o644)
    path.parent.chmod(0o755)
    with Store.open(path) as store:
        said = [notice.text for notice in store.notices]
    assert [mode(path), mode(path.parent)] == [0o600, 0o700]
    assert len(said) == 2
    assert str(path.parent) in said[0]
    assert "0755" in said[0]
    assert "0644" in said[1]


def test_what_is_private_is_not_talked_about(path: Path) -> None:
    Store.open(path).close()
    with Store.open(path) as store:
        assert store.notices == ()


def test_what_is_stricter_than_usual_is_left_so(path: Path) -> None:
    Store.open(path).close()
    path.chmod(0o400)
    with Store.open(path):
        assert mode(path) == 0o400


def test_the_files_beside_the_database_are_restricted_too(path: Path) -> None:
    with Store.open(path):
        wal = Path(f"{path}-wal")
        wal.chmod(0o666)
        with Store.open(path) as store:
            assert any(notice.text.startswith(f"{wal} ") for notice in store.notices)
        assert mode(wal) == 0o600
