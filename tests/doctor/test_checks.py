"""What each check finds, on a machine of its own: folders below a temporary one, servers on loopback."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from llmchat import weights
from llmchat.config.folders import Folders
from llmchat.config.resolve import resolve
from llmchat.doctor import CHECKS, Finding, Subject, Verdict, examine
from llmchat.doctor.checks.database import check_database
from llmchat.doctor.checks.disk_space import check_disk
from llmchat.errors import DeniedError, ExitCode
from llmchat.store import Store
from servers import Reply
from servers.hub import running_hub
from servers.openai import CHAT, OpenAIServer, thought
from servers.openai import stream as openai_stream

Look = Callable[..., Subject]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders.find({"LLMCHAT_HOME": str(tmp_path / "home")})


@pytest.fixture
def build(tmp_path: Path, folders: Folders) -> Look:
    """A subject with these flags and variables."""

    def subject(
        environ: dict[str, str] | None = None,
        *,
        keeps: bool = True,
        asks: bool = True,
        now: Callable[[], float] = time.time,
        hub: str | None = None,
        **flags: object,
    ) -> Subject:
        config = resolve(flags, environ=environ or {}, directory=tmp_path)
        return Subject(config, folders, keeps=keeps, asks=asks, now=now, hub=hub)

    return subject


async def found_in(subject: Subject) -> dict[str, Finding]:
    return {name: finding async for name, finding in examine(CHECKS, subject)}


# Configuration


async def test_what_is_set_is_told_with_its_origin_and_without_its_value(build: Look, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LLMCHAT_TOP_K=5\n")
    (tmp_path / ".env").chmod(0o600)
    found = await found_in(build({"LLMCHAT_API_KEY": "sk-secret"}, model="echo"))
    assert found["configuration"].detail == (
        "no config.toml; set: model (--model), api_key (LLMCHAT_API_KEY), top_k (LLMCHAT_TOP_K in .env)"
    )
    assert "sk-secret" not in repr(found)


async def test_with_nothing_set_the_default_model_is_named_as_such(build: Look) -> None:
    found = await found_in(build())
    assert found["configuration"].detail == "no config.toml; nothing is set: defaults apply"
    assert found["model"].detail == "smollm2 (the default) on this machine"


async def test_a_model_nobody_knows_is_a_usage_error(build: Look) -> None:
    found = await found_in(build(model="gpt-4"))
    assert (found["model"].code, found["answer"].verdict) == (ExitCode.USAGE, Verdict.SKIP)
    assert "gpt-4" in found["model"].detail


# Keys


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "no key is sent"),
        (
            {"LLMCHAT_API_KEY": "sk-secret", "LLMCHAT_AUTH": "basic"},
            "from LLMCHAT_API_KEY, sent as Authorization: Basic",
        ),
        ({"OPENAI_API_KEY": "sk-secret"}, "no key is sent; this URL does not get OPENAI_API_KEY"),
    ],
)
async def test_where_the_key_comes_from_is_told(build: Look, environ: dict[str, str], said: str) -> None:
    found = await found_in(build(environ, url="http://127.0.0.1:9", asks=False))
    assert found["key"].detail == said
    assert "sk-secret" not in repr(found)


async def test_a_key_that_may_not_go_there_is_a_failure_before_anything_is_sent(build: Look) -> None:
    found = await found_in(build({"LLMCHAT_API_KEY": "sk-secret"}, url="http://10.255.255.1"))
    assert (found["key"].verdict, found["key"].code) == (Verdict.FAIL, ExitCode.CONFIG)
    assert "sent unencrypted" in found["key"].detail
    assert found["server"].detail == "skipped because of key"


async def test_a_key_from_dotenv_is_told_as_such(build: Look, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LLMCHAT_API_KEY=sk-secret\n")
    (tmp_path / ".env").chmod(0o600)
    found = await found_in(build(url="http://127.0.0.1:9", asks=False))
    assert found["key"].detail == "from LLMCHAT_API_KEY (.env), sent as Authorization: Bearer"
    assert "api_key (LLMCHAT_API_KEY in .env)" in found["configuration"].detail


async def test_a_url_from_dotenv_gets_the_key_beside_it_and_that_is_what_is_told(
    build: Look, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("LLMCHAT_URL=http://127.0.0.1:9\nLLMCHAT_API_KEY=sk-secret\n")
    (tmp_path / ".env").chmod(0o600)
    environ = {"LLMCHAT_API_KEY": "sk-another"}
    found = await found_in(build(environ, asks=False))
    assert found["configuration"].detail.endswith(
        "set: url (LLMCHAT_URL in .env), api_key (LLMCHAT_API_KEY in .env)"
    )
    assert found["key"].detail.startswith("from LLMCHAT_API_KEY (.env)")
    elsewhere = await found_in(build(environ, asks=False, url="http://127.0.0.1:9"))
    assert elsewhere["configuration"].detail.endswith("url (--url), api_key (LLMCHAT_API_KEY)")
    assert "sk-" not in repr(found) + repr(elsewhere)
    assert "sk-secret" not in repr(found)


# Weights


async def test_weights_to_be_fetched_are_looked_for_at_their_source_and_stay_there(
    build: Look, tmp_path: Path
) -> None:
    qwen = weights.CATALOGUE["qwen"]
    with running_hub() as hub:
        hub.files[qwen.repo, qwen.repo_file] = b"GGUF"
        found = await found_in(build(model="qwen", hub=hub.url))
    assert found["weights"].ok
    assert found["weights"].detail == "not on disk; the first chat would download them: 491 MB, Apache-2.0"
    assert [wanted for _, wanted in hub.requests] == ["bytes=0-0"]
    assert found["engine"] == found["answer"]
    assert (found["answer"].verdict, found["answer"].detail) == (
        Verdict.SKIP,
        "the weights are not on disk yet",
    )
    assert not (tmp_path / "home").exists()


async def test_weights_that_no_source_has_cannot_be_fetched(build: Look, tmp_path: Path) -> None:
    with running_hub() as hub:
        pinned = await found_in(build(model="qwen", hub=hub.url))
        named = await found_in(build(model="hf:nobody/nothing/x.gguf", hub=hub.url))
    assert (pinned["weights"].verdict, pinned["weights"].code) == (Verdict.FAIL, ExitCode.UNAVAILABLE)
    assert (named["weights"].verdict, named["weights"].code) == (Verdict.FAIL, ExitCode.MISSING)
    assert pinned["answer"].detail == "skipped because of weights"
    assert not (tmp_path / "home").exists()


async def test_offline_there_is_nothing_to_fetch_them_with(build: Look, tmp_path: Path) -> None:
    found = await found_in(build(model="qwen", offline=True))
    assert (found["weights"].verdict, found["weights"].code) == (Verdict.FAIL, ExitCode.MISSING)
    assert found["answer"].detail == "skipped because of weights"
    assert not (tmp_path / "home").exists()


async def test_weights_that_were_changed_are_found_and_no_engine_is_started(
    build: Look, folders: Folders
) -> None:
    model = weights.CATALOGUE["smollm2"]
    folders.weights.mkdir(parents=True)
    with (folders.weights / model.file).open("wb") as file:
        file.write(b"GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0")
        file.truncate(model.size)  # zeros, which take no room on the disk
    found = await found_in(build())
    assert (found["weights"].verdict, found["weights"].code) == (Verdict.FAIL, ExitCode.INPUT)
    assert "damaged" in found["weights"].detail
    assert found["engine"].verdict is Verdict.SKIP


async def test_a_file_that_is_not_there_is_missing(build: Look) -> None:
    found = await found_in(build(model="no/such.gguf"))
    assert (found["weights"].verdict, found["weights"].code) == (Verdict.FAIL, ExitCode.MISSING)


async def test_the_real_model_is_verified_loaded_and_says_a_word(build: Look, smollm2: Path) -> None:
    found = await found_in(build(model=str(smollm2)))
    assert str(smollm2) in found["weights"].detail
    assert "98 MB" in found["weights"].detail
    assert "8,192 tokens of context" in found["engine"].detail
    assert found["answer"].ok
    assert found["answer"].detail.startswith("“")
    assert "server" not in found
    assert "key" not in found


# Servers and what they say: how they fail is in tests/cli/test_doctor.py


async def test_an_empty_answer_is_a_warning_and_a_thinking_model_is_none(build: Look) -> None:
    async with OpenAIServer() as server:
        server.script(CHAT, openai_stream(), Reply([thought("well "), *openai_stream().steps]))
        assert (await found_in(build(url=server.url)))["answer"].verdict is Verdict.WARN
        found = (await found_in(build(url=server.url)))["answer"]
    assert found.ok
    assert "reasons first" in found.detail


async def test_only_a_few_tokens_are_asked_for_whatever_is_set(build: Look) -> None:
    async with OpenAIServer() as server:
        await found_in(build(url=server.url, max_tokens=5000))
    (body,) = server.bodies(CHAT)
    assert body["max_tokens"] == 16


async def test_what_a_server_speaks_is_not_noted_for_later_runs(build: Look, folders: Folders) -> None:
    async with OpenAIServer() as server:
        found = await found_in(build(url=server.url))
    assert found["answer"].ok
    assert not folders.cache.exists()


async def test_not_to_be_asked_the_model_is_asked_nothing(build: Look) -> None:
    async with OpenAIServer() as server:
        found = await found_in(build(url=server.url, asks=False))
    assert server.bodies(CHAT) == []
    assert (found["server"].ok, found["answer"].detail) == (True, "not asked: --no-ask")


# The clock


@pytest.mark.parametrize(
    ("ahead", "said"),
    [(-3600, "60 minutes behind the server's"), (3 * 86_400, "3 days ahead of the server's")],
)
async def test_a_clock_that_differs_from_the_servers_is_found(build: Look, ahead: float, said: str) -> None:
    async with OpenAIServer() as server:
        found = await found_in(build(url=server.url, asks=False, now=lambda: time.time() + ahead))
    assert (found["clock"].verdict, found["clock"].detail) == (Verdict.WARN, said)


async def test_a_clock_that_agrees_is_right_and_the_key_is_not_sent_to_ask(build: Look) -> None:
    async with OpenAIServer() as server:
        found = await found_in(build({"LLMCHAT_API_KEY": "sk-secret"}, url=server.url, asks=False))
    (asked,) = (each for each in server.requests if each.method == "HEAD")
    assert "Authorization" not in asked.headers
    assert (found["clock"].ok, found["clock"].detail) == (True, "agrees with the server's")


@pytest.mark.parametrize(
    "date", ["soon", format_datetime(datetime(2026, 1, 2, tzinfo=UTC))], ids=["soon", "another day"]
)
async def test_a_server_may_say_any_date(build: Look, date: str) -> None:
    async with OpenAIServer() as server:
        server.always("/", Reply(headers={"Date": date}, body=b""))
        found = await found_in(build(url=server.url, asks=False))
    assert found["clock"].ok is (True if date == "soon" else None)


async def test_without_a_server_the_year_has_to_be_plausible(build: Look) -> None:
    at = datetime(1970, 1, 2, tzinfo=UTC).timestamp()
    assert (await found_in(build(model="echo", now=lambda: at)))["clock"].verdict is Verdict.WARN
    assert (await found_in(build(model="echo")))["clock"].ok


# What is kept


async def test_without_a_database_nothing_is_created(build: Look, folders: Folders, tmp_path: Path) -> None:
    found = await found_in(build(model="echo"))
    assert found["database"].detail == f"none yet; the first conversation creates {folders.database}"
    assert found["folders"].detail == "none exists yet"
    assert not (tmp_path / "home").exists()


async def test_a_healthy_database_is_counted(build: Look, folders: Folders) -> None:
    Store.open(folders.database).close()
    found = await found_in(build(model="echo"))
    assert found["database"].ok
    assert found["database"].detail.endswith("0 conversations; intact")


async def test_a_damaged_database_fails_unless_nothing_is_to_be_kept(build: Look, folders: Folders) -> None:
    folders.data.mkdir(parents=True)
    folders.database.write_bytes(b"no database " * 1000)
    found = (await found_in(build(model="echo")))["database"]
    assert (found.verdict, found.code) == (Verdict.FAIL, ExitCode.STORAGE)
    assert (await found_in(build(model="echo", keeps=False)))["database"].verdict is Verdict.WARN


async def test_a_search_index_that_is_not_right_is_a_warning_with_the_cure(
    build: Look, folders: Folders
) -> None:
    with closing(Store.open(folders.database)) as store, store.database.writing() as connection:
        connection.execute("INSERT INTO found (rowid, text) VALUES (7, 'a ghost')")
    found = (await found_in(build(model="echo")))["database"]
    assert found.verdict is Verdict.WARN
    assert "rebuild" in str(found.hint)


async def test_a_database_too_large_to_be_read_now_is_a_warning(build: Look, folders: Folders) -> None:
    Store.open(folders.database).close()
    found = await check_database(build(model="echo"), patience=0)
    assert (found.verdict, "too large" in found.detail) == (Verdict.WARN, True)


async def test_a_file_in_place_of_the_folder_cannot_be_created(build: Look, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way")
    found = (await found_in(build(model="echo")))["database"]
    assert (found.verdict, found.code) == (Verdict.FAIL, ExitCode.CANNOT_CREATE)


async def test_folders_and_files_open_to_others_are_a_warning_and_stay_as_they_are(
    build: Look, folders: Folders
) -> None:
    Store.open(folders.database).close()
    assert (await found_in(build(model="echo")))["folders"].detail == f"{folders.data}: readable by you only"
    folders.data.chmod(0o755)
    folders.database.chmod(0o640)
    found = (await found_in(build(model="echo")))["folders"]
    assert found.verdict is Verdict.WARN
    assert found.detail == (
        f"{folders.data} is open to other users (0755); {folders.database} is open to other users (0640)"
    )
    assert found.hint == f"chmod -R go= {folders.data} {folders.database}"
    assert (folders.data.stat().st_mode & 0o777, folders.database.stat().st_mode & 0o777) == (0o755, 0o640)


async def test_what_belongs_to_somebody_else_is_refused_however_deep_it_lies(
    tmp_path: Path, folders: Folders
) -> None:
    theirs, words = folders.weights / "hf" / "their.gguf", "belongs to user 12345"
    theirs.parent.mkdir(parents=True)
    theirs.touch(mode=0o600)
    if os.geteuid() == 0:
        os.chown(theirs, 12345, 12345)
    else:  # who cannot give a file away uses a folder that everybody may write to
        folders, words = Folders(folders.config, folders.data, folders.state, Path("/tmp")), "all users share"
    with pytest.raises(DeniedError):
        folders.restrict_to_owner()
    config = resolve({"model": "echo"}, environ={}, directory=tmp_path)
    found = (await found_in(Subject(config, folders)))["folders"]
    assert (found.verdict, found.code) == (Verdict.FAIL, ExitCode.DENIED)
    assert words in found.detail
    assert str(found.hint).endswith("set LLMCHAT_HOME to a folder of your own")


async def test_little_room_is_a_warning(build: Look) -> None:
    subject = build(model="echo")
    assert "GB free" in (await check_disk(subject)).detail
    found = await check_disk(subject, little=1 << 62)
    assert (found.verdict, "free some space" in str(found.hint)) == (Verdict.WARN, True)


async def test_versions_are_those_of_what_runs_here(build: Look) -> None:
    found = await found_in(build(model="echo"))
    assert found["version"].detail.startswith("llmchat 0.1.0, Python 3.")
    for name in ("aiohttp", "text-generation", "prompt-toolkit", "rich", "xllamacpp", "SQLite"):
        assert name in found["libraries"].detail
