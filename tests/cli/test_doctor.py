"""`llmchat doctor` as a process: its lines, its JSON, and that it ends with what a chat would end with."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from command import Llmchat, Ran
from llmchat.store import Store
from servers import Fault, LoopbackServer, Reply, json_reply
from servers.openai import CHAT, OpenAIServer
from servers.tgi import TgiServer
from waiting import wait_until

KEY = "topsecret0123"
OPEN = "reached, but does not report its API; only a request for a reply shows whether it works"
PORTAL = Reply(content_type="text/html", body=b"<html>Log in</html>")


def found(ran: Ran) -> Mapping[str, Mapping[str, object]]:
    """Its checks by name."""
    checks = ran.json["checks"]
    assert isinstance(checks, list)
    return {each["name"]: each for each in checks}


def hasty(llmchat: Llmchat, *replies: Reply) -> Llmchat:
    """Without a second try; with a short deadline where one is to be missed, and only there."""
    deadline = {"LLMCHAT_HEADER_TIMEOUT": "0.5"} if any(each.before is Fault.HANG for each in replies) else {}
    return llmchat.with_environ(LLMCHAT_WAIT="0", **deadline)


def kept(llmchat: Llmchat) -> list[str]:
    """Everything below the home of this llmchat."""
    return sorted(str(each.relative_to(llmchat.home)) for each in llmchat.home.rglob("*"))


# What is shown


def test_a_line_a_check_and_no_escape_in_a_pipe(echo: Llmchat) -> None:
    ran = echo("doctor")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.decode().splitlines()
    assert lines[0] == "✓ ok    configuration  no config.toml; set: model (LLMCHAT_MODEL)"
    assert [line[8:23].strip() for line in lines[:-2] if line[8] != " "] == [
        *("configuration", "folders", "model", "answer", "clock", "database", "disk", "version"),
        *("libraries", "terminal"),
    ]
    assert lines[-2:] == ["", "A chat would work."]
    assert b"\x1b" not in ran.out


def test_json_is_one_object(echo: Llmchat) -> None:
    ran = echo("doctor", "--json")
    assert (ran.json["ok"], ran.json["exit_code"]) == (True, 0)
    assert found(ran)["model"] == {
        "name": "model",
        "ok": True,
        "detail": "echo (LLMCHAT_MODEL): built in, answers with the question",
        "hint": None,
    }


def test_nothing_is_created(llmchat: Llmchat) -> None:
    assert llmchat("doctor", "-m", "echo").code == 0
    assert llmchat("doctor", "-m", "qwen", "--offline").code == 66
    assert kept(llmchat) == []


def test_options_before_the_command_count(llmchat: Llmchat) -> None:
    assert found(llmchat("-m", "echo", "--json", "doctor"))["model"]["ok"]


def test_a_setting_that_is_no_good_leaves_the_rest_to_be_looked_at(echo: Llmchat) -> None:
    ran = echo.with_environ(LLMCHAT_TEMPERATURE="9")("doctor")
    lines = ran.out.decode().splitlines()
    assert (ran.code, ran.err) == (78, "")
    assert lines[0] == "✗ FAIL  configuration  LLMCHAT_TEMPERATURE is '9'"
    assert lines[1] == f"{'':23}hint: it takes 0 to 2"
    assert "- skip  answer         skipped because of configuration" in lines
    assert lines[-1] == "A chat would not work, because of configuration: exit code 78."
    assert any(line.startswith("✓ ok    database") for line in lines)


async def test_a_servers_words_cannot_drive_a_terminal(llmchat: Llmchat) -> None:
    async with OpenAIServer() as server:
        server.always("/v1/models", json_reply({"data": [{"id": "evil\x1b]0;\u202emodel"}]}))
        ran = await llmchat.beside("doctor", "--url", server.url)
    assert ran.code == 0
    assert "model: evil␛]0;\ufffdmodel;" in ran.out.decode()
    assert b"\x1b" not in ran.out


def test_debug_shows_where_an_error_came_from(llmchat: Llmchat) -> None:
    ran = llmchat("doctor", "--debug", "-m", "no/such.gguf")
    assert (ran.code, "Traceback" in ran.err) == (66, True)
    assert llmchat("doctor", "-m", "no/such.gguf").err == ""


# config.toml


async def test_what_a_profile_says_is_told_with_its_line_and_the_file_stays_as_it_is(
    llmchat: Llmchat,
) -> None:
    async with OpenAIServer() as server:
        file = llmchat.home / "mine.toml"
        file.write_text(f'[profiles.work]\nurl = "{server.url}"\napi_key = "{KEY}"\n')
        file.chmod(0o644)
        ran = await llmchat.beside("doctor", "--json", "--config", str(file), "-m", "work")
    checks = found(ran)
    assert ran.code == 0
    assert str(checks["configuration"]["detail"]).startswith(f"{file}; set: ")
    assert checks["model"]["detail"] == f"any model at {server.url} (profile work (mine.toml:2))"
    assert checks["key"]["detail"] == ("from profile work (mine.toml:3), sent as Authorization: Bearer")
    assert KEY not in ran.out.decode() + ran.err
    assert file.stat().st_mode & 0o777 == 0o644
    assert kept(llmchat) == ["mine.toml"]


async def test_a_command_that_prints_the_key_is_named_and_only_the_server_gets_the_key(
    llmchat: Llmchat,
) -> None:
    async with OpenAIServer() as server:
        file = llmchat.home / "mine.toml"
        file.write_text(f'url = "{server.url}"\nkey_command = ["printf", "{KEY}"]\n')
        file.chmod(0o600)
        ran = await llmchat.beside("doctor", "--json", "--config", str(file))
    assert (ran.code, KEY in ran.out.decode() + ran.err) == (0, False)
    assert str(found(ran)["key"]["detail"]).startswith("from key_command printf (mine.toml:2)")
    (asked,) = server.bodies(CHAT)
    assert asked
    by_method = {each.method: each.headers.get("Authorization") for each in server.requests}
    assert by_method == {"GET": f"Bearer {KEY}", "POST": f"Bearer {KEY}", "HEAD": None}


async def test_a_command_that_prints_no_key_fails_as_the_key_and_runs_once(llmchat: Llmchat) -> None:
    file = llmchat.home / "mine.toml"
    command = ["sh", "-c", "echo ran >> runs"]
    async with OpenAIServer() as server:
        file.write_text(f'url = "{server.url}"\nkey_command = {json.dumps(command)}\n')
        file.chmod(0o600)
        ran = await llmchat.beside("doctor", "--json", "--config", str(file))
        chat = await llmchat.beside("ask", "--no-save", "--config", str(file), "Hi")
    assert (ran.code, chat.code) == (78, 78)
    assert (found(ran)["key"]["ok"], found(ran)["key"]["detail"]) == (False, "key_command sh printed no key")
    assert found(ran)["server"]["detail"] == "skipped because of key"
    assert len((llmchat.home / "runs").read_text().split()) == 2  # one for each of them
    assert [each.method for each in server.requests] == ["HEAD"]  # for the clock, without a key


def test_offline_a_command_that_prints_a_key_is_not_run(llmchat: Llmchat) -> None:
    file = llmchat.home / "mine.toml"
    file.write_text('url = "https://192.0.2.1"\nkey_command = ["touch", "ran"]\n')
    file.chmod(0o600)
    ran = llmchat("doctor", "--json", "--offline", "--config", str(file))
    assert found(ran)["key"]["ok"]
    assert not (llmchat.home / "ran").exists()


def test_a_file_that_was_named_and_is_not_there_is_missing(llmchat: Llmchat) -> None:
    ran = llmchat("doctor", "--json", "--config", "none.toml")
    assert (ran.code, found(ran)["configuration"]["ok"], found(ran)["database"]["ok"]) == (66, False, True)


@pytest.mark.parametrize("way", ["variable", "file", "command"])
async def test_a_model_that_says_the_key_does_not_get_it_shown(llmchat: Llmchat, way: str) -> None:
    file = llmchat.home / "mine.toml"
    async with OpenAIServer([f"Your key is {KEY} ", "indeed"]) as server:
        said = {"variable": "", "file": f'api_key = "{KEY}"', "command": f'key_command = ["printf", "{KEY}"]'}
        file.write_text(f'url = "{server.url}"\n{said[way]}\n')
        file.chmod(0o600)
        environ = llmchat.with_environ(LLMCHAT_API_KEY=KEY) if way == "variable" else llmchat
        told = await environ.beside("doctor", "--config", str(file))
        server.always(CHAT, json_reply({"error": {"message": f"not {KEY}"}}, 401))
        refused = await environ.beside("doctor", "--json", "--debug", "--config", str(file))
    assert (told.code, refused.code) == (0, 77)
    assert "Your key is [key]" in told.out.decode()
    assert "Traceback" in refused.err
    assert KEY not in (told.out + refused.out).decode() + told.err + refused.err


# What works


async def test_a_tgi_endpoint_as_the_course_sets_it_up(llmchat: Llmchat) -> None:
    async with TgiServer() as server:
        course = llmchat.with_environ(HF_API_FALCOM_BASE=server.url, HF_API_KEY=KEY, LLMCHAT_AUTH="basic")
        ran = await course.beside("doctor", "--json")
    checks = found(ran)
    assert ran.code == 0
    assert checks["model"]["detail"] == f"any model at {server.url} (HF_API_FALCOM_BASE)"
    assert checks["key"]["detail"] == "from HF_API_KEY, sent as Authorization: Basic"
    assert checks["server"]["detail"] == (
        "reached; API: TGI, model: tiiuae/falcon-180B-chat; 2,000 tokens of context"
    )
    assert str(checks["answer"]["detail"]).startswith("“Hello there”, first token after ")
    assert checks["clock"]["detail"] == "agrees with the server's"
    assert KEY not in ran.out.decode() + ran.err
    assert kept(llmchat) == []


async def test_an_openai_compatible_server(llmchat: Llmchat) -> None:
    async with OpenAIServer() as server:
        environ = llmchat.with_environ(LLMCHAT_URL=server.url, LLMCHAT_API_KEY=KEY)
        ran = await environ.beside("doctor", "--json", "--debug")
    checks = found(ran)
    assert ran.code == 0
    assert checks["server"]["detail"] == (
        "reached; API: OpenAI's API, model: served-model; 4,096 tokens of context"
    )
    assert KEY not in ran.out.decode() + ran.err
    assert {each.headers.get("Authorization") for each in server.requests} == {f"Bearer {KEY}", None}


async def test_a_server_that_tells_nothing_of_itself_but_answers_works(llmchat: Llmchat) -> None:
    async with TgiServer() as server:
        server.always("/info", json_reply({}, 404))
        ran = await llmchat.beside("doctor", "--json", "--url", server.url)
    assert (ran.code, found(ran)["server"]["ok"], found(ran)["answer"]["ok"]) == (0, None, True)


async def test_not_to_ask_sends_no_question(llmchat: Llmchat) -> None:
    async with OpenAIServer() as server:
        ran = await llmchat.beside("doctor", "--no-ask", "--url", server.url)
    assert (ran.code, server.bodies(CHAT)) == (0, [])


# What does not: as a chat ends


DENIED = json_reply({"error": "invalid key"}, 401)
LOADING = json_reply({"error": "Model is loading"}, 503)
UNKNOWN = json_reply({"error": {"message": "The model `gpt` does not exist."}}, 404)
BROKEN = json_reply({"error": "boom"}, 500)
REDIRECT = Reply(status=302, headers={"Location": "http://elsewhere/"})


@pytest.mark.parametrize(
    ("replies", "code", "at"),
    [
        ({"/info": DENIED, "/v1/models": DENIED, "/": DENIED, CHAT: DENIED}, 77, "server"),
        ({CHAT: DENIED}, 77, "answer"),
        ({"/info": LOADING, "/v1/models": LOADING, "/": LOADING, CHAT: LOADING}, 69, "answer"),
        ({"/v1/models": json_reply({}, 404)}, 78, "answer"),
        ({CHAT: UNKNOWN}, 78, "answer"),
        ({CHAT: BROKEN}, 69, "answer"),
        ({"/info": PORTAL, "/v1/models": PORTAL, "/": PORTAL, CHAT: PORTAL}, 76, "answer"),
        ({CHAT: REDIRECT}, 78, "answer"),
        ({CHAT: Reply(before=Fault.HANG)}, 75, "answer"),
    ],
)
async def test_each_fault_of_a_server_ends_it_as_it_ends_a_chat(
    llmchat: Llmchat, replies: Mapping[str, Reply], code: int, at: str
) -> None:
    quick = hasty(llmchat, *replies.values()).with_environ(LLMCHAT_API_KEY=KEY)
    async with LoopbackServer() as server:
        server.always("/v1/models", json_reply({"data": [{"id": "m"}]}))
        for path, reply in replies.items():
            server.always(path, reply)
        arguments = ("-m", "gpt", "--url", server.url)
        chat = await quick.beside("ask", "--no-save", *arguments, "Hi")
        ran = await quick.beside("doctor", "--json", *arguments)
    assert (ran.code, ran.json["ok"], ran.json["exit_code"]) == (code, False, code)
    assert ran.code == chat.code
    assert next(name for name, each in found(ran).items() if each["ok"] is False) == at
    assert found(ran)[at]["hint"]
    assert KEY not in ran.out.decode() + ran.err


@pytest.mark.parametrize(
    ("api", "reply", "code", "words"),
    [
        ("auto", REDIRECT, 78, "redirects to elsewhere (302)"),
        ("auto", BROKEN, 69, "answered 500: boom"),
        ("auto", LOADING, 69, "is not ready (503): Model is loading"),
        ("auto", DENIED, 77, "denied access (401): invalid key"),
        ("auto", PORTAL, 76, "answered with a web page"),
        ("auto", Reply(body=b""), 76, "gave an empty answer"),
        ("auto", Reply(before=Fault.HANG), 75, "did not answer within 0.5 s"),
        ("tgi", LOADING, 69, "is not ready (503): Model is loading"),
        ("tgi", PORTAL, 76, "answered with a web page"),
        ("openai", DENIED, 77, "denied access (401): invalid key"),
        ("openai", BROKEN, 69, "answered 500: boom"),
    ],
)
async def test_unasked_what_a_server_says_of_itself_ends_it_as_it_ends_a_chat(
    llmchat: Llmchat, api: str, reply: Reply, code: int, words: str
) -> None:
    quick = hasty(llmchat, reply)
    async with LoopbackServer() as server:
        for path in ("/", "/info", "/v1/models", CHAT):
            server.always(path, reply)
        arguments = ("--api", api, "-m", "gpt", "--url", server.url)
        ran = await quick.beside("doctor", "--json", "--no-ask", *arguments)
        chat = await quick.beside("ask", "--no-save", *arguments, "Hi")
    assert (ran.code, ran.json["exit_code"], ran.json["ok"]) == (code, code, False)
    assert ran.code == chat.code
    assert found(ran)["server"]["ok"] is False
    assert words in str(found(ran)["server"]["detail"])


@pytest.mark.parametrize("said", [json_reply({"error": "no"}, 404), json_reply({}, 405), json_reply({})])
async def test_unasked_a_server_that_says_nothing_of_itself_leaves_it_open(
    llmchat: Llmchat, said: Reply
) -> None:
    async with TgiServer() as server:
        for path in ("/info", "/v1/models"):
            server.always(path, said)
        ran = await llmchat.beside("doctor", "--no-ask", "-m", "gpt", "--url", server.url)
        asked = await llmchat.beside("doctor", "-m", "gpt", "--url", server.url)
    assert (ran.code, asked.code) == (78, 0)
    lines = ran.out.decode().splitlines()
    line = next(number for number, each in enumerate(lines) if "server  " in each)
    assert lines[line] == f"! warn  {'server':15}{OPEN}"
    assert lines[line + 1].strip() == "hint: run without --no-ask"
    assert lines[-1] == "It is not known whether a chat would work, because of server: exit code 78."
    assert "✗" not in ran.out.decode()


async def test_what_is_wrong_with_one_route_counts_where_the_other_is_not_there(llmchat: Llmchat) -> None:
    async with LoopbackServer() as server:
        server.always("/info", json_reply({}, 404))
        server.always("/v1/models", PORTAL)
        ran = await llmchat.beside("doctor", "--no-ask", "--url", server.url)
    assert (ran.code, "a web page" in ran.out.decode()) == (76, True)


async def test_what_fails_for_sure_is_told_before_what_is_not_known(llmchat: Llmchat) -> None:
    data = llmchat.home / "kept" / "data"
    data.mkdir(parents=True, mode=0o700)
    (data / "conversations.sqlite3").write_bytes(b"no database " * 1000)
    async with LoopbackServer() as server:
        for path in ("/info", "/v1/models"):
            server.always(path, json_reply({}, 404))
        ran = await llmchat.beside("doctor", "--no-ask", "--url", server.url)
    assert (ran.code, "would not work, because of database" in ran.out.decode()) == (74, True)


async def test_what_a_server_speaks_is_no_question_where_it_answers_with_a_fault(llmchat: Llmchat) -> None:
    async with LoopbackServer() as server:
        for path in ("/", "/info", "/v1/models", CHAT):
            server.always(path, PORTAL)
        fails = await llmchat.beside("doctor", "--url", server.url)
    async with TgiServer() as server:
        server.always("/info", json_reply({}, 404))
        works = await llmchat.beside("doctor", "--url", server.url)
    assert (fails.code, works.code) == (76, 0)
    assert ("--api" in fails.out.decode(), "--api" in works.out.decode()) == (False, True)
    assert b"reached; does not report its API" in fails.out


async def test_a_server_that_is_not_there(llmchat: Llmchat, unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    ran = await llmchat.with_environ(LLMCHAT_WAIT="0").beside("doctor", "--url", url)
    assert ran.code == 69
    assert f"cannot reach 127.0.0.1:{unused_tcp_port}" in ran.out.decode()


async def test_a_server_that_hangs_ends_by_the_deadlines(llmchat: Llmchat) -> None:
    quick = llmchat.with_environ(LLMCHAT_HEADER_TIMEOUT="0.3", LLMCHAT_WAIT="0")
    async with LoopbackServer() as server:
        for path in ("/", "/info", "/v1/models", CHAT):
            server.always(path, Reply(before=Fault.HANG))
        ran = await quick.beside("doctor", "--json", "--url", server.url)
    assert (ran.code, found(ran)["answer"]["ok"]) == (75, False)


def test_weights_that_no_source_has_fail_as_fetching_them_does(
    llmchat: Llmchat, unused_tcp_port: int
) -> None:
    cut = llmchat.with_environ(LLMCHAT_PROXY=f"http://127.0.0.1:{unused_tcp_port}")
    ran = cut("doctor", "--json", "-m", "qwen")
    assert (ran.code, found(ran)["weights"]["ok"]) == (69, False)
    assert kept(llmchat) == []
    chat = cut("ask", "--no-save", "-m", "qwen", "Hi")
    assert (chat.code, f"llmchat: error: {found(ran)['weights']['detail']}\n" in chat.err) == (69, True)


def test_offline_asks_no_server(llmchat: Llmchat) -> None:
    ran = llmchat("doctor", "--json", "--offline", "--url", "http://192.0.2.1")
    assert (ran.code, found(ran)["server"]["ok"]) == (78, False)
    assert found(ran)["clock"]["ok"]
    assert llmchat("doctor", "--offline", "-m", "qwen").code == 66


def test_a_damaged_database_fails_unless_nothing_is_to_be_kept(echo: Llmchat) -> None:
    data = echo.home / "kept" / "data"
    data.mkdir(parents=True, mode=0o700)
    (data / "conversations.sqlite3").write_bytes(b"no database " * 1000)
    ran = echo("doctor", "--json")
    assert (ran.code, found(ran)["database"]["ok"]) == (74, False)
    ran = echo("doctor", "--json", "--no-save")
    assert (ran.code, found(ran)["database"]["ok"]) == (0, None)


def test_what_only_warns_changes_no_code(echo: Llmchat) -> None:
    data = echo.home / "kept" / "data"
    Store.open(data / "conversations.sqlite3").close()
    data.chmod(0o755)
    ran = echo("doctor", "--json")
    assert (ran.code, ran.json["ok"], found(ran)["folders"]["ok"]) == (0, True, None)


@pytest.mark.parametrize("which", ["config", "data", "state", "cache"])
def test_a_folder_that_a_chat_refuses_fails(echo: Llmchat, which: str) -> None:
    folder = echo.home / "kept" / which
    folder.mkdir(parents=True, mode=0o700)
    folder.chmod(0o1700)  # sticky, as a folder that all users share
    ran = echo("doctor", "--json", "--no-save")
    assert (ran.code, found(ran)["folders"]["ok"]) == (77, False)
    assert echo("ask", "--no-save", "Hi").code == ran.code
    assert folder.stat().st_mode & 0o7777 == 0o1700


# Signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_a_signal_ends_it_and_releases_the_server(
    llmchat: Llmchat, number: signal.Signals, code: int
) -> None:
    async with OpenAIServer() as server:
        server.always(CHAT, Reply(before=Fault.HANG))
        with llmchat.start("doctor", "--url", server.url) as process:
            async with asyncio.timeout(20):
                while not server.bodies(CHAT):
                    await server.asked.wait()
                    server.asked.clear()
                process.send_signal(number)
                _, err = await asyncio.to_thread(process.communicate)
                await server.left.wait()
    assert (process.returncode, err) == (code, b"")


def test_ctrl_c_while_the_model_loads_leaves_no_engine(
    llmchat: Llmchat, smollm2: Path, tmp_path: Path
) -> None:
    sockets = tmp_path / "run"
    sockets.mkdir()
    with llmchat.with_environ(XDG_RUNTIME_DIR=str(sockets)).start("doctor", "-m", str(smollm2)) as process:
        wait_until(lambda: list(sockets.iterdir()))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, b"")
    wait_until(lambda: not list(sockets.iterdir()))


def test_a_reader_that_leaves_ends_it(echo: Llmchat) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        with echo.start("doctor", stdout=write) as process:
            _, err = process.communicate(timeout=20)
    finally:
        os.close(write)
    assert (process.returncode, err) == (141, b"")


def test_json_keeps_what_is_foreign_escaped(llmchat: Llmchat) -> None:
    ran = llmchat("doctor", "--json", "-m", "evil\x1b.gguf")
    assert ran.code == 66
    assert b"\x1b" not in ran.out
    assert "evil\x1b.gguf" in json.loads(ran.out)["checks"][3]["detail"]
