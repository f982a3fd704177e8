"""Weights in their folder and in installed packages; what is a GGUF; what `-m` names."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from llmchat.errors import InputError, LLMChatError
from llmchat.weights import CATALOGUE, Model, Wheel, check_gguf, find, installed, resolve, verify

HEADER = struct.Struct("<4sIQQ")
DATA = HEADER.pack(b"GGUF", 3, 1, 0) + bytes(100)
TINY = replace(CATALOGUE["qwen"], name="tiny", file="tiny.gguf", size=len(DATA), sha256="0" * 64)


def test_weights_of_another_size_are_not_found(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(DATA[:-1])
    assert find(TINY, tmp_path) is None
    (tmp_path / "tiny.gguf").write_bytes(DATA)
    assert find(TINY, tmp_path) == tmp_path / "tiny.gguf"


def test_weights_of_an_installed_package_are_used_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    (site / "tiny_weights-1.0.dist-info").mkdir(parents=True)
    (site / "tiny_weights-1.0.dist-info" / "METADATA").write_text("Name: tiny-weights\nVersion: 1.0\n")
    (site / "tiny_weights").mkdir()
    (site / "tiny_weights" / "tiny.gguf").write_bytes(DATA)
    monkeypatch.syspath_prepend(str(site))
    wheel = Wheel("tiny-weights", "1.0", size=1, sha256="0" * 64, member="tiny_weights/tiny.gguf")
    assert find(replace(TINY, wheel=wheel), tmp_path / "cache") == site / "tiny_weights" / "tiny.gguf"


def test_a_changed_byte_is_noticed_when_verified(smollm2: Path, tmp_path: Path) -> None:
    verify(CATALOGUE["smollm2"], smollm2)
    damaged = tmp_path / "m.gguf"
    data = bytearray(smollm2.read_bytes())
    data[-1] ^= 1
    damaged.write_bytes(data)
    with pytest.raises(InputError, match="damaged") as found:
        verify(CATALOGUE["smollm2"], damaged)
    assert found.value.hint
    assert "llmchat pull smollm2" in found.value.hint


def test_what_was_fetched_from_the_hub_is_listed_by_the_name_it_is_chosen_by(tmp_path: Path) -> None:
    path = tmp_path / "hf" / "someone" / "tiny" / "q4" / "t.gguf"
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA)
    (listed,) = [each for each in installed(tmp_path) if tmp_path in each.path.parents]
    assert (listed.name, listed.path, listed.size) == ("hf:someone/tiny/q4/t.gguf", path, len(DATA))
    model = resolve(listed.name)
    assert isinstance(model, Model)
    assert find(model, tmp_path) == path


def test_a_folder_that_is_not_there_lists_nothing_of_its_own(tmp_path: Path) -> None:
    assert not [each for each in installed(tmp_path / "none") if tmp_path in each.path.parents]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, 66, "there is no file"),
        (b"", 65, "is empty"),
        (b"PK\x03\x04" + bytes(100), 65, "is not a GGUF"),
        (b"GGUF\x03", 65, "is cut short"),
        (HEADER.pack(b"GGUF", 0x03000000, 1, 0) + bytes(100), 65, "unsupported GGUF version"),
        (HEADER.pack(b"GGUF", 3, 0, 9) + bytes(100), 65, "contains no weights"),
        (HEADER.pack(b"GGUF", 3, 2**40, 9) + bytes(100), 65, "cut short or damaged"),
    ],
)
def test_a_file_that_cannot_be_a_model_is_told_from_one(
    tmp_path: Path, content: bytes | None, code: int, words: str
) -> None:
    path = tmp_path / "m.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LLMChatError, match=words) as refused:
        check_gguf(path)
    assert refused.value.exit_code == code
    assert refused.value.hint


def test_the_real_model_passes(smollm2: Path) -> None:
    check_gguf(smollm2)


def test_a_model_is_chosen_by_name_by_file_or_from_the_hub() -> None:
    assert resolve("smollm2") is CATALOGUE["smollm2"]
    assert resolve("some/Model.GGUF") == Path("some/Model.GGUF")
    assert resolve("gpt-5") is None
    model = resolve("hf:owner/repo-GGUF/sub/m.gguf")
    assert isinstance(model, Model)
    assert (model.repo, model.repo_file, model.pinned) == ("owner/repo-GGUF", "sub/m.gguf", False)


@pytest.mark.parametrize(
    "value",
    [
        "hf:",
        "hf:owner/m.gguf",
        "hf:owner/repo/m.bin",
        "hf:../../etc/m.gguf",
        "hf:owner/repo/../m.gguf",
        "hf:owner//m.gguf",
        "hf:owner/repo/a b.gguf",
        "hf:owner/repo/.m.gguf",
        "hf:owner/repo/m.gguf?x.gguf",
        "hf:c:\\owner/repo/m.gguf",
    ],
)
def test_a_hub_name_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="does not name a model file"):
        resolve(value)
