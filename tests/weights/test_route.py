"""The way to the hub: by no proxy but the one that is set, out of no TLS, and without any key."""

from __future__ import annotations

import base64
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme

from llmchat.errors import ConfigError, UnavailableError
from llmchat.weights import Model
from llmchat.weights.hub import Hub
from llmchat.weights.index import pip_environ
from servers.listener import listening, response

MODEL = Model(
    "tiny", repo="someone/tiny", revision="main", repo_file="t.gguf", file="t.gguf", size=1, sha256="0"
)
TOLD = '{"sha": "c0ffee", "siblings": [{"rfilename": "t.gguf", "lfs": {"size": 1, "sha256": "0"}}]}'
KEYS = ("LLMCHAT_API_KEY", "HF_API_KEY", "HF_TOKEN", "OPENAI_API_KEY")


@pytest.fixture(autouse=True)
def keys_and_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in KEYS:
        monkeypatch.setenv(name, "topsecret")
    (tmp_path / ".netrc").write_text("default login me password topsecret\n")
    monkeypatch.setenv("HOME", str(tmp_path))


def test_neither_the_hub_nor_where_it_redirects_to_is_sent_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(lambda _: response("{}")) as proxy, listening(lambda _: response(TOLD)) as content:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        moved = response("", status="302 Found", more=f"Location: {content.url}/there?signed=1\r\n")
        with listening(lambda _: moved) as hub:
            assert Hub(hub.url).describe(MODEL).revision == "c0ffee"
        assert proxy.received == b""
        assert content.received.startswith(b"GET /there?signed=1 ")
        for received in (hub.received, content.received):
            assert b"topsecret" not in received
            assert b"uthorization" not in received


def test_everything_goes_through_the_proxy_that_is_set_whatever_no_proxy_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    moved = response("", status="302 Found", more="Location: http://content.invalid/\r\n")
    with listening(lambda head: moved if b" http://hub.invalid/" in head else response(TOLD)) as proxy:
        through = proxy.url.replace("://", "://me:w%20rd@")
        assert Hub("http://hub.invalid", proxy=through).describe(MODEL).size == 1
    assert [head.split(b" ")[1][:22] for head in proxy.requests] == [
        b"http://hub.invalid/api",
        b"http://content.invalid",
    ]
    credentials = base64.b64encode(b"me:w rd")
    assert all(head.lower().count(b"proxy-authorization: basic ") == 1 for head in proxy.requests)
    assert all(credentials in head for head in proxy.requests)


def test_a_proxy_sees_the_name_of_a_secure_hub_and_nothing_else() -> None:
    with listening(lambda _: response("", status="403 No")) as proxy:
        through = proxy.url.replace("://", "://me:word@")
        with pytest.raises(UnavailableError, match="403") as caught:
            Hub("https://hub.invalid", proxy=through).describe(MODEL)
    assert "word" not in caught.value.message
    assert proxy.received.startswith(b"CONNECT hub.invalid:443 HTTP/1.")
    assert b"GET" not in proxy.received


def test_a_proxy_that_is_spoken_to_over_tls_gets_no_password_in_the_clear() -> None:
    with listening(lambda _: response("")) as proxy:
        through = proxy.url.replace("http://", "https://me:word@")
        with pytest.raises(UnavailableError, match="through an https:// proxy"):
            Hub("http://hub.invalid", proxy=through).describe(MODEL)
    assert proxy.received == b""


class _Telling(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.wfile.write(response(TOLD))

    def log_message(self, *_args: object) -> None:
        pass


def test_tls_is_verified_and_ca_file_adds_an_authority(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with HTTPServer(("127.0.0.1", 0), _Telling) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign] # who does not trust it leaves
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        url = f"https://127.0.0.1:{server.server_address[1]}"
        try:
            with pytest.raises(UnavailableError, match="certificate verify failed"):
                Hub(url).describe(MODEL)
            assert Hub(url, ca_file=tmp_path / "ca.pem").describe(MODEL).size == 1
        finally:
            server.shutdown()
            thread.join()
    with pytest.raises(ConfigError, match="cannot read the certificates"):
        Hub(url, ca_file=tmp_path / "none.pem").describe(MODEL)


def test_pip_gets_what_it_is_configured_with_but_neither_our_keys_nor_another_proxy() -> None:
    environ = {
        **dict.fromkeys(KEYS, "topsecret"),
        "PIP_INDEX_URL": "https://me:word@index.example",
        "AWS_SECRET_ACCESS_KEY": "for a keyring",
        "https_proxy": "http://elsewhere",
        "LLMCHAT_PROXY": "http://proxy",
    }
    kept = {"PIP_INDEX_URL": "https://me:word@index.example", "AWS_SECRET_ACCESS_KEY": "for a keyring"}
    assert pip_environ(environ, None) == kept
    proxy = "http://proxy"
    assert pip_environ(environ, proxy) == {**kept, "HTTP_PROXY": proxy, "HTTPS_PROXY": proxy}
