"""The engine child on its own, as a parent process sees it."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from waiting import is_running, wait_until

ENGINE = [sys.executable, "-P", "-m", "llmchat.backends.local.engine"]

A_PARENT = """
import subprocess, sys, time
engine = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
engine.stdin.write(b"\\n")
engine.stdin.flush()
print(engine.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("e")


@pytest.fixture
def engine(smollm2: Path, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [*ENGINE, "--model", str(smollm2), "--socket", str(folder / "e.sock")]
    with _started(command, key="") as child:
        yield child
        child.kill()


def _started(command: list[str], *, key: str) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert child.stdin is not None
    child.stdin.write(f"{key}\n".encode())
    child.stdin.flush()
    return child


def _answer(child: subprocess.Popen[bytes]) -> dict[str, str]:
    assert child.stdout is not None
    return json.loads(child.stdout.readline())


def test_it_says_once_that_its_socket_is_ready(engine: subprocess.Popen[bytes], folder: Path) -> None:
    assert _answer(engine) == {"ready": f"unix://{folder}/e.sock"}
    assert stat.S_ISSOCK((folder / "e.sock").stat().st_mode)
    assert stat.S_IMODE((folder / "e.sock").stat().st_mode) & 0o077 == 0


def test_it_ends_with_its_stdin_and_takes_its_folder_along(
    engine: subprocess.Popen[bytes], folder: Path
) -> None:
    _answer(engine)
    assert engine.stdin is not None
    engine.stdin.close()
    assert engine.wait(10) == 0
    wait_until(lambda: not folder.exists())


def test_a_killed_engine_leaves_no_folder_once_its_parent_lets_go(
    engine: subprocess.Popen[bytes], folder: Path
) -> None:
    _answer(engine)
    engine.kill()
    engine.wait(10)
    assert engine.stdin is not None
    engine.stdin.close()
    wait_until(lambda: not folder.exists())


def test_it_ends_while_it_is_loading_when_its_parent_is_killed(smollm2: Path, folder: Path) -> None:
    socket = folder / "e.sock"
    command = [*ENGINE, "--model", str(smollm2), "--socket", str(socket)]
    with subprocess.Popen([sys.executable, "-c", A_PARENT, *command], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        wait_until(socket.exists)  # llama.cpp binds it before it loads
        parent.kill()
        assert parent.stdout.read() == b""  # it never said that it was ready
    wait_until(lambda: not is_running(pid))
    wait_until(lambda: not folder.exists())


def test_ctrl_c_in_the_terminal_does_not_reach_it(engine: subprocess.Popen[bytes]) -> None:
    _answer(engine)
    assert os.getpgid(engine.pid) != os.getpgid(0)
    assert os.getsid(engine.pid) == engine.pid


@pytest.mark.parametrize(
    ("content", "fault", "code"),
    [(None, "missing", 66), (b"", "model", 65), (b"GGUF" + bytes(200), "model", 65)],
    ids=["missing", "empty", "damaged"],
)
def test_a_model_that_cannot_be_loaded_is_said_in_json(
    tmp_path: Path, folder: Path, content: bytes | None, fault: str, code: int
) -> None:
    model = tmp_path / "m.gguf"
    if content is not None:
        model.write_bytes(content)
    command = [*ENGINE, "--model", str(model), "--socket", str(folder / "e.sock")]
    with _started(command, key="") as child:
        assert _answer(child)["error"] == fault
        assert child.wait(10) == code
        child.communicate()
    assert not folder.exists()


def test_on_tcp_it_answers_only_who_has_the_key(smollm2: Path) -> None:
    with _started([*ENGINE, "--model", str(smollm2)], key="the-secret") as child:
        address = _answer(child)["ready"]
        assert address.startswith("http://127.0.0.1:")
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            urllib.request.urlopen(f"{address}/props", timeout=10)
        refused.value.close()
        request = urllib.request.Request(f"{address}/props", headers={"Authorization": "Bearer the-secret"})
        with urllib.request.urlopen(request, timeout=10) as allowed:
            assert allowed.status == 200
        child.send_signal(signal.SIGKILL)
