"""A key is found nowhere but in the Authorization header at its own server: every byte is searched for it."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from command import Llmchat, Ran
from pseudo_terminal import CTRL_C, CTRL_D, ENTER, PseudoTerminal
from servers import openai, tgi
from servers.listener import Answer, Listener, listening, response
from waiting import wait_until

KEY = "top-SECRET/0123456789+abcdefghijKLMNOPQRST=="  # of no known shape
NETRC = "netrc-password-0123456789"
WIRES = ("tgi", "openai")


def found_in(data: bytes) -> bool:
    """Whether the key, or a part of it that would be of use, stands in there in any disguise."""
    plain = data.decode("utf-8", "replace")
    for _ in range(2):
        plain = re.sub(r"\\+u00(..)|\\+x(..)|%(..)", _unescape, plain)
    plain = "".join(character for character in plain if "!" <= character <= "~").lower()
    parts = [KEY[start : start + 16] for start in range(len(KEY) - 16)]
    encoded = [base64.b64encode(b"x" * before + KEY.encode()).decode()[4:-4] for before in range(3)]
    return any(part.lower() in plain for part in [*parts, *encoded, NETRC])


def _unescape(code: re.Match[str]) -> str:
    try:
        return chr(int(next(filter(None, code.groups())), 16))
    except ValueError:
        return code[0]


@dataclass(frozen=True)
class Trap:
    """A folder full of hostile files, a proxy and a redirect's target that wait, and the right server."""

    llmchat: Llmchat
    proxy: Listener
    target: Listener
    serve: Callable[[Answer], Listener]

    def run(self, server: Listener, *arguments: str, wire: str = "openai", **environ: str) -> Ran:
        here = self.llmchat.with_environ(LLMCHAT_URL=server.url, LLMCHAT_API=wire, **environ)
        return here("ask", *arguments, "Hi")

    def check(self, server: Listener, *said: bytes) -> None:
        """Fails where the key is in what was said, or anywhere but in a header at its server."""
        assert not any(found_in(each) for each in said), said
        assert self.proxy.received == b""
        assert self.target.received == b""
        authorized = f"Authorization: Bearer {KEY}\r\n".encode()
        assert server.requests
        assert all(request.count(authorized) == 1 for request in server.requests)
        assert not found_in(server.received.replace(authorized, b""))
        assert [path for path in self.kept() if found_in(path.read_bytes())] == []

    def kept(self) -> list[Path]:
        """Every file but those that were planted: database, WAL, prompt history, log, cache, exports."""
        files = [path for path in self.llmchat.home.rglob("*") if path.is_file()]
        return [path for path in files if path.name not in (".env", ".netrc")]


@pytest.fixture
def trap(llmchat: Llmchat) -> Iterator[Trap]:
    with ExitStack() as stack:
        proxy = stack.enter_context(listening(lambda _: response("{}", status="502 Bad Gateway")))
        target = stack.enter_context(listening(lambda _: response(openai_stream("stolen"))))
        home = llmchat.home
        (home / ".netrc").write_text(f"default login me password {NETRC}\n")
        (home / ".netrc").chmod(0o600)
        hostile = [f"{name}={proxy.url}" for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")]
        hostile += ["LD_PRELOAD=/evil.so", f"LLMCHAT_HOME={home}/evil", f"NETRC={home}/.netrc", "PAGER=evil"]
        (home / ".env").write_text("\n".join(hostile))
        (home / ".env").chmod(0o600)
        proxies = dict.fromkeys(
            ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy", "http_proxy"), proxy.url
        )
        surroundings = {"HOME": str(home), "NETRC": str(home / ".netrc"), "LLMCHAT_API_KEY": f" {KEY}\n"}
        yield Trap(
            llmchat.with_environ(**proxies, **surroundings),
            proxy,
            target,
            lambda answer: stack.enter_context(listening(answer)),
        )


def openai_stream(*texts: str) -> str:
    events = [*map(openai.chunk, texts), openai.chunk(finish="stop"), openai.DONE]
    return "".join(f"data: {event}\n\n" for event in events)


def tgi_stream(*texts: str) -> str:
    return "".join(f"data:{event}\n\n" for event in [*map(tgi.token, texts), tgi.final()])


def telling(answer: bytes, *, wire: str) -> Answer:
    """Says what it is, as servers do, and answers every question with this."""

    def reply(request: bytes) -> bytes:
        if request.startswith(b"GET /info "):
            return response(json.dumps(tgi.INFO)) if wire == "tgi" else response("{}", status="404 Not Found")
        if request.startswith(b"GET "):
            return response(json.dumps({"data": [{"id": "served", "max_model_len": 4096}]}))
        if not request.startswith((b"POST / ", b"POST /v1/chat/completions ")):
            return response("{}", status="404 Not Found")
        return answer

    return reply


def refusing(body: str | bytes, status: str = "400 Bad Request", *, kind: str = "application/json") -> bytes:
    return response(body, status=status, kind=kind)


def redirecting(location: str) -> bytes:
    return response("", status="307 Temporary Redirect", more=f"Location: {location}\r\n")


ESCAPED = "".join(f"\\u{ord(character):04x}" for character in KEY)
ECHOES = {
    "plain": refusing(f"unknown key {KEY}", kind="text/plain"),
    "json": refusing(json.dumps({"error": f"unknown key: '{KEY}'", "error_type": "validation"})),
    "message": refusing(json.dumps({"error": {"message": f"{KEY} is no key"}}), "401 Unauthorized"),
    "escaped": refusing(f'{{"error": "unknown key {ESCAPED}"}}', "403 Forbidden"),
    "escaped, no json": refusing(f"unknown key {ESCAPED}", "500 Oh", kind="text/plain"),
    "split": refusing(json.dumps({"error": f"unknown {KEY[:20]}\n \u200b{KEY[20:]}"}), "404 Not Found"),
    "letters": refusing("\n".join(KEY), "402 Pay", kind="text/plain"),
    "percent": refusing(urllib.parse.quote(KEY, safe=""), "422 No", kind="text/plain"),
    "base64": refusing(base64.b64encode(f"u:{KEY}".encode()), "413 No", kind="text/plain"),
    "half": refusing(json.dumps({"detail": f"{KEY[:30]}... is wrong"}), "401 Unauthorized"),
    "cut": refusing("x" * 180 + KEY, "418 Tea", kind="text/plain"),
    "type": response("x", kind=f"text/{KEY}"),
    "header": b"HTTP/1.1 200 OK\r\nX-Key: " + KEY.encode() + b"\x00\r\n\r\n",
    "status line": b"HTTP/1.1 " + KEY.encode() + b"\r\n\r\n",
    "no http": KEY.encode() + b"\r\n\r\n",
    "event": response(f"data:{json.dumps({'error': f'{KEY} ran out'})}\n\n", kind="text/event-stream"),
    "bad event": response(f"data:{{{KEY}\n\n", kind="text/event-stream"),
    "odd event": response(f"data:{json.dumps({'token': KEY, 'choices': KEY})}\n\n", kind="text/event-stream"),
}


@pytest.mark.parametrize("echo", ECHOES)
def test_a_server_that_echoes_the_key_in_an_error_shows_it_to_nobody(trap: Trap, echo: str) -> None:
    wire = WIRES[list(ECHOES).index(echo) % 2]
    server = trap.serve(telling(ECHOES[echo], wire=wire))
    ran = trap.run(server, "--debug", "--json", wire=wire)
    assert ran.code != 0
    assert "Traceback" in ran.err
    assert ran.json["error"]
    trap.check(server, ran.out, ran.err.encode())


@pytest.mark.parametrize("echo", ["status line", "message"])
def test_a_key_that_a_command_prints_is_kept_as_close(trap: Trap, echo: str) -> None:
    server = trap.serve(telling(ECHOES[echo], wire="openai"))
    vault = trap.llmchat.home / "vault"
    vault.write_text("#!/bin/sh\nprintenv KEPT\n")
    vault.chmod(0o700)
    config = trap.llmchat.home / "kept" / "config"
    config.mkdir(parents=True)
    config.joinpath("config.toml").write_text(f'key_command = "{vault}"\nurl = "{server.url}"\n')
    here = trap.llmchat.with_environ(LLMCHAT_API_KEY="", KEPT=KEY, LLMCHAT_API="openai")
    ran = here("ask", "--debug", "--json", "Hi")
    assert ran.code != 0
    trap.check(server, ran.out, ran.err.encode())


@pytest.mark.parametrize("wire", WIRES)
def test_an_ordinary_answer_takes_the_key_to_its_server_and_nowhere_else(trap: Trap, wire: str) -> None:
    whole = tgi_stream(" Hello") if wire == "tgi" else openai_stream("Hello")
    server = trap.serve(telling(response(whole, kind="text/event-stream"), wire=wire))
    ran = trap.run(server, "--jsonl", "--debug", wire=wire)
    assert (ran.code, ran.err) == (0, "")
    trap.check(server, ran.out)
    found = trap.run(server, "--dry-run", wire=wire)
    assert found.code == 0
    trap.check(server, found.out, found.err.encode())


@pytest.mark.parametrize("wire", WIRES)
def test_a_redirect_is_not_followed_and_what_it_says_is_not_shown(trap: Trap, wire: str) -> None:
    for place in (
        f"{trap.target.url}/{KEY}",
        f"http://{KEY.rstrip('=')}.example/",
        f"//{KEY}@{trap.target.address}/",
    ):
        server = trap.serve(telling(redirecting(place), wire=wire))
        ran = trap.run(server, "--debug", wire=wire)
        assert ran.code == 78
        assert "redirects to" in ran.err
        trap.check(server, ran.out, ran.err.encode())


def test_a_reply_that_holds_the_key_is_shown_and_kept_as_it_is(trap: Trap) -> None:
    body = response(openai_stream(f"It is {KEY[:9]}", f"{KEY[9:]}."), kind="text/event-stream")
    ran = trap.run(trap.serve(telling(body, wire="openai")))
    assert (ran.code, ran.out.decode(), ran.err) == (0, f"It is {KEY}.\n", "")
    assert KEY in json.dumps(trap.llmchat.history())


def test_a_model_that_is_named_like_the_key_has_no_name(trap: Trap) -> None:
    def reply(request: bytes) -> bytes:
        if request.startswith(b"GET "):
            return response(json.dumps({"data": [{"id": f"m {ESCAPED}"}, {"id": KEY}]}).replace("\\\\", "\\"))
        return response(openai_stream("Hello"), kind="text/event-stream")

    server = trap.serve(reply)
    ran = trap.run(server, "--json")
    assert ran.code == 0
    trap.check(server, ran.out, ran.err.encode())


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("LLMCHAT_URL={attacker}", ""),
        ("HF_API_FALCOM_BASE={attacker}", ""),
        ("LLMCHAT_PROXY=http://me:word@{address}", "http://127.0.0.1:9"),
        ("LLMCHAT_CA_FILE=evil.pem", "https://127.0.0.1:9"),
        ("LLMCHAT_ALLOW_INSECURE_HTTP=1", "http://model.invalid"),
    ],
)
def test_a_hostile_dotenv_gets_no_key_from_elsewhere(trap: Trap, line: str, url: str) -> None:
    line = line.format(attacker=trap.target.url, address=trap.target.address)
    (trap.llmchat.home / ".env").write_text(line)
    ran = trap.llmchat.with_environ(LLMCHAT_URL=url)("ask", "--debug", "Hi")
    assert ran.code == 78
    assert line.partition("=")[0] in ran.err
    assert "me:word" not in ran.err
    assert (trap.target.received, trap.proxy.received) == (b"", b"")
    assert not found_in(ran.out + ran.err.encode())


def test_a_proxy_that_is_set_sees_no_key_on_the_way_to_a_secure_server(trap: Trap) -> None:
    proxy = trap.proxy.url.replace("://", "://me:the-proxys-word@")
    environ = {"LLMCHAT_URL": "https://model.invalid", "LLMCHAT_API": "openai", "LLMCHAT_WAIT": "0"}
    ran = trap.llmchat.with_environ(LLMCHAT_PROXY=proxy, **environ)("ask", "--debug", "Hi")
    assert ran.code == 78
    assert "the proxy refuses" in ran.err
    assert trap.proxy.received.startswith(b"CONNECT model.invalid:443 ")
    assert b"Proxy-Authorization: Basic " in trap.proxy.received
    assert not found_in(trap.proxy.received)
    assert "the-proxys-word" not in ran.err
    assert not found_in(ran.err.encode())


@pytest.mark.parametrize(
    "proxy",
    [
        "http://me:the-proxys-word@127.0.0.1:9",
        "socks5://me:the-proxys-word@x",
        "http://me:the-proxys-word/@x",
    ],
)
def test_the_password_of_a_proxy_is_not_shown(trap: Trap, proxy: str) -> None:
    environ = {"LLMCHAT_URL": "http://127.0.0.1:9", "LLMCHAT_API": "openai", "LLMCHAT_WAIT": "0"}
    ran = trap.llmchat.with_environ(LLMCHAT_PROXY=proxy, **environ)("ask", "--debug", "Hi")
    assert ran.code in (69, 78)
    assert "proxy" in ran.err
    assert "the-proxys-word" not in ran.err


def test_a_key_does_not_travel_to_this_machine_by_way_of_another(trap: Trap) -> None:
    there = trap.llmchat.with_environ(
        LLMCHAT_URL="http://127.0.0.1:9", LLMCHAT_PROXY="http://proxy.invalid:1"
    )
    ran = there("ask", "Hi")
    assert ran.code == 78
    assert ran.error == "the key would be sent unencrypted to the proxy"


@pytest.mark.parametrize("variable", ["LLMCHAT_API_KEY", "HF_API_KEY", "HF_TOKEN"])
def test_a_key_with_a_line_break_is_refused_by_name(trap: Trap, variable: str) -> None:
    server = trap.serve(telling(response("{}"), wire="openai"))
    environ = {"LLMCHAT_API_KEY": "", variable: f"{KEY}\r\nX-Evil: {KEY}"}
    here = trap.llmchat.with_environ(HF_API_FALCOM_BASE=server.url, **environ)
    ran = here("ask", "--debug", "--json", "Hi")
    assert ran.code == 78
    assert f"the key in {variable}" in ran.err
    assert server.received == b""
    assert not found_in(ran.out + ran.err.encode())


BROKEN = """
import os
key = os.environ["LLMCHAT_API_KEY"].strip()
raise RuntimeError(f"no way to send {key} or {{'Authorization': 'Bearer {key[:5]}'}} or {key[:22]}")
"""


@pytest.mark.parametrize("debug", [(), ("--debug",)])
def test_a_bug_tells_neither_the_log_nor_the_terminal(trap: Trap, tmp_path: Path, debug: tuple[str]) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "aiohttp.py").write_text(BROKEN)  # the library as it would be if it had such a bug
    paths = os.pathsep.join([str(broken), *filter(None, [os.environ.get("PYTHONPATH")])])
    log = trap.llmchat.home / "kept" / "state" / "llmchat.log"
    log.parent.mkdir(parents=True)
    log.touch(mode=0o644)
    here = trap.llmchat.with_environ(LLMCHAT_URL="http://127.0.0.1:9", PYTHONPATH=paths)
    ran = here("ask", "-q", *debug, "Hi")
    assert ran.code == 70
    assert "this is a bug in llmchat" in ran.err
    told = log.read_text()
    assert "RuntimeError: no way to send [key] or {'Authorization': 'Bearer [key]'} or [key]" in told
    assert "send {key} or" in told  # the line, but no value
    assert ("RuntimeError" in ran.err) is bool(debug)
    assert not any(found_in(each) for each in (ran.out, ran.err.encode(), told.encode()))
    assert log.stat().st_mode & 0o777 == 0o600


def command_lines() -> list[bytes]:
    """Those of all processes of this machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:  # it has ended since
            continue
    return found


def test_no_command_line_holds_the_key_while_a_reply_comes(trap: Trap) -> None:
    def reply(request: bytes) -> bytes:
        server.released.wait(30)
        return telling(refusing("{}"), wire="openai")(request)

    server = trap.serve(reply)
    here = trap.llmchat.with_environ(LLMCHAT_URL=server.url, LLMCHAT_API="openai")
    with here.start("ask", "Hi") as process:
        try:
            wait_until(server.asked.is_set)
            assert not any(map(found_in, command_lines()))
        finally:
            process.kill()
    trap.check(server)


def test_the_engine_is_given_no_key(trap: Trap, smollm2: Path) -> None:
    with on_terminal(trap, "-m", str(smollm2), HF_TOKEN=KEY, WORK_TOKEN=KEY) as terminal:
        terminal.wait_for("of 8,192")  # the engine runs
        children = Path(f"/proc/{terminal.process.pid}/task").glob("*/children")
        pids = [pid for each in children for pid in each.read_text().split()]
        environments = [Path(f"/proc/{pid}/environ").read_bytes() for pid in pids]
        assert environments or not Path("/proc/self/environ").exists()
        assert not any(map(found_in, [*environments, *command_lines()]))


def test_the_pager_is_given_no_key(trap: Trap) -> None:
    trap.llmchat("ask", "-m", "echo", "\n".join("many lines"))
    given = trap.llmchat.home / "given"
    pager = f"sh -c 'env > {given}; cat'"
    with on_terminal(trap, "history", "show", PAGER=pager, MARK="in sight", rows=3) as terminal:
        assert terminal.wait_exit() == 0
    assert b"MARK=in sight" in given.read_bytes()
    assert not found_in(given.read_bytes())


def on_terminal(trap: Trap, *arguments: str, rows: int = 24, **environ: str) -> PseudoTerminal:
    kept = {"PATH": os.environ["PATH"], "LLMCHAT_HOME": str(trap.llmchat.home / "kept")}
    if "PYTHONPATH" in os.environ:
        kept["PYTHONPATH"] = os.environ["PYTHONPATH"]
    command = [sys.executable, "-m", "llmchat", *arguments]
    return PseudoTerminal(command, {**kept, **trap.llmchat.environ, **environ}, rows=rows)


@pytest.mark.parametrize("wire", WIRES)
def test_a_chat_that_is_stopped_and_refused_shows_and_keeps_no_key(trap: Trap, wire: str) -> None:
    piece = tgi_stream(" Once upon a time") if wire == "tgi" else openai_stream("Once upon a time")
    begun = piece.partition("\n\n")[0].encode() + b"\n\n"
    answers = [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n" + begun,
        refusing(json.dumps({"error": f"{KEY} is over its limit"}), "402 Pay"),
    ]

    def reply(request: bytes) -> bytes:
        if request.startswith(b"POST "):
            return telling(answers.pop(0), wire=wire)(request)
        return telling(b"", wire=wire)(request)

    stopped = trap.serve(reply)
    with on_terminal(trap, "--debug", LLMCHAT_URL=stopped.url, LLMCHAT_API=wire) as terminal:
        terminal.wait_for("new")
        terminal.type("Tell me" + ENTER)
        terminal.wait_for("Once upon a time")
        terminal.type(CTRL_C)
        terminal.wait_for("stopped")
        terminal.type("Go on" + ENTER)
        terminal.wait_for("is over its limit")
        assert (trap.llmchat.home / "kept" / "data" / "conversations.sqlite3-wal").stat().st_size
        trap.check(stopped, terminal.written)
        terminal.type(CTRL_D)
        assert terminal.wait_exit() == 0
    trap.check(stopped, terminal.written, terminal.history_file(trap.llmchat.home / "kept").encode())
