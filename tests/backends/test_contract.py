"""Every backend through the same faults of a real server: error, exit code, text, requests, key, release."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from backends.asking import limits_of
from backends.wires import WAYS, Way, Wire, event
from doubles import RecordingJournal, Talk
from llmchat.backends.http.answer import find
from llmchat.backends.http.endpoint import Endpoint, Timeouts
from llmchat.backends.http.output_limit import PIECES_PER_TOKEN, SPARE_PIECES
from llmchat.core.backend import Connection
from llmchat.core.conversation import Conversation, Message, Role, Status
from llmchat.core.generation import Event, Notice, Settings, Token
from llmchat.errors import ExitCode, LLMChatError
from servers.bytewise import Act, ByteServer, Step, as_json, chunked, head, page

KEY = "sk-SecretSecret"
SOON = Timeouts(connect=5, header=0.3, first_token=0.3, idle=0.3, wait=0)
HTML = b"<html><title>Log in</title><body>Welcome to the hotel</body></html>"


@dataclass(frozen=True)
class Fault:
    """What a server does with the question, and what must come of it. Nothing is asked twice by default."""

    name: str
    answer: Callable[[Wire], Sequence[Step]]
    code: int
    text: str = ""
    says: str = ""
    requests: int = 1


def broken(name: str, *parts: Callable[[Wire], bytes] | bytes | Act, text: str = "", code: int = 76) -> Fault:
    """A stream of these parts, each of which may depend on the wire format."""

    def answer(wire: Wire) -> Sequence[Step]:
        return wire.stream(*(part(wire) if callable(part) else part for part in parts))

    return Fault(name, answer, code, text)


def half(wire: Wire) -> bytes:
    return wire.token(" Half")


def end(wire: Wire) -> bytes:
    return wire.end


def status(
    code: int, reason: str, body: bytes = b"", kind: str | None = "text/plain", **headers: str
) -> Fault:
    exits = {
        **dict.fromkeys((400, 413, 422), 65),
        **dict.fromkeys((401, 403), 77),
        **dict.fromkeys((301, 302, 303, 307, 308, 404, 405), 78),
        **dict.fromkeys((408, 429), 75),
        **dict.fromkeys((424, 500, 502, 503, 504), 69),
        204: 76,
    }
    return Fault(f"{code} {reason}", lambda _: page(f"{code} {reason}", kind, body, **headers), exits[code])


NO_STATUS = [
    Fault("reset before the status", lambda _: [Act.RESET], 69, requests=2),
    Fault("closed before the status", lambda _: [Act.CLOSE], 69, requests=2),
    Fault("closed in the status", lambda _: [b"HTTP/1.1 20", Act.CLOSE], 69, requests=2),
    Fault("closed in the headers", lambda _: [b"HTTP/1.1 200 OK\r\nContent-", Act.CLOSE], 69, requests=2),
    Fault("reset in the headers", lambda _: [b"HTTP/1.1 200 OK\r\nContent-", Act.RESET], 69, requests=2),
    Fault("no HTTP", lambda _: [b"220 mail.example ESMTP\r\n", Act.CLOSE], 76, says="HTTP"),
    Fault(
        "huge headers",
        lambda _: [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000 + b"\r\n\r\n"],
        76,
        says="headers",
    ),
    Fault("endless headers", lambda _: [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 50_000, Act.HANG], 76),
    Fault("silence before the status", lambda _: [Act.HANG], 75, says="did not answer within"),
    Fault("silence in the headers", lambda _: [b"HTTP/1.1 200 OK\r\n", Act.HANG], 75),
]
NO_STREAM = [
    Fault("captive portal", lambda _: page("200 OK", "text/html; charset=utf-8", HTML), 76, says="web page"),
    Fault("page without a type", lambda _: page("200 OK", None, HTML), 76),
    Fault("empty 200", lambda _: page("200 OK", "text/event-stream", b""), 76, says="empty"),
    Fault("empty 200 of JSON", lambda _: page("200 OK", "application/json", b""), 76, says="empty"),
    Fault("empty 200 without a type", lambda _: page("200 OK", None, b""), 76, says="empty"),
    Fault("JSON for a stream", lambda w: page("200 OK", "application/json", w.whole), 76, says="one piece"),
    Fault("broken JSON for a stream", lambda _: page("200 OK", "application/json", b'{"a'), 76),
    Fault("bytes", lambda _: page("200 OK", "application/octet-stream", b"\xff\xfe\x00"), 76),
]
BROKEN_OFF = [
    broken("clean end at once", text=""),
    broken("clean end after text", half, text="Half"),
    broken("closed after text", half, Act.CLOSE, text="Half"),
    broken("reset after text", half, Act.RESET, text="Half"),
    broken("closed inside an event", half, b'data: {"to', Act.CLOSE, text="Half"),
    broken("closed inside a character", half, b'data: "\xe4\xbd', Act.CLOSE, text="Half"),
    broken("an event cut by a clean end", half, b'data: {"token', text="Half"),
    broken("broken JSON", half, event('{"token":'), end, text="Half"),
    broken("invalid UTF-8", half, b"data: \xff\xfe\n\n", end, text="Half"),
    broken("a null event", half, event("null"), end, text="Half"),
    broken("an array event", half, event("[1, 2]"), end, text="Half"),
    broken("a deep event", half, event("[" * 100_000), end, text="Half"),
    broken("8 MB event", half, event("x" * (8 << 20)), end, text="Half"),
    broken("8 MB without a line end", half, b"x" * (8 << 20), end, text="Half"),
    broken("done at once", event("[DONE]"), text=""),
    broken("an error after text", half, lambda w: w.error("CUDA out of memory"), text="Half"),
    broken("an error at once", lambda w: w.error("CUDA out of memory"), text="", code=69),
    broken("silence at once", Act.HANG, code=75),
    broken("silence after text", half, Act.HANG, text="Half", code=75),
    broken("comments only", *[b": ping\n\n"] * 20, Act.HANG, code=75),
    broken("comments after text", half, *[b": ping\n\n"] * 20, Act.HANG, text="Half", code=75),
    Fault(
        "bad chunk size",
        lambda w: [*w.stream(half(w), Act.CLOSE)[:-1], b"zz\r\nwhat\r\n", Act.CLOSE],
        76,
        text="Half",
    ),
    Fault(
        "short Content-Length",
        lambda w: [head(Content_Length="5000") + half(w), Act.CLOSE],
        76,
        text="Half",
    ),
    Fault(
        "bad gzip",
        lambda _: [
            head(Content_Encoding="gzip", Content_Length="30") + b"this is not gzip at all, really",
            Act.CLOSE,
        ],
        76,
    ),
    Fault(
        "gzip that breaks off",
        lambda w: [
            head(Content_Encoding="gzip", Transfer_Encoding="chunked"),
            chunked(_flushed(half(w))),
            Act.CLOSE,
        ],
        76,
        text="Half",
    ),
]
STATUSES = [
    *(status(code, "Elsewhere", Location="http://evil.example/") for code in (301, 302, 303, 307, 308)),
    status(302, "Found", Location="/elsewhere"),
    status(302, "Found"),
    status(302, "Found", Location="http://[::1"),
    status(204, "No Content", kind=None),
    status(400, "Bad Request", b'{"error": "not like this"}', "application/json"),
    status(401, "Unauthorized", b"", None),
    status(403, "Forbidden", HTML, "text/html"),
    status(404, "Not Found", b'{"detail": "Not Found"}', "application/json"),
    status(405, "Method Not Allowed"),
    status(408, "Request Timeout"),
    status(413, "Too Large", b"length limit exceeded"),
    status(422, "Unprocessable", b'{"error": "`top_k`", "error_type": "validation"}', "application/json"),
    status(424, "Failed", b'{"error": "boom", "error_type": "generation"}', "application/json"),
    status(429, "Too Many Requests", b'{"error": {"message": "slow down"}}', "application/json"),
    status(429, "Too Many Requests", Retry_After="120"),
    status(500, "Oops", b"\xff\xfe\x00", "application/octet-stream"),
    status(502, "Bad Gateway", HTML, "text/html"),
    status(
        503,
        "Unavailable",
        b'{"error": "Model m is currently loading", "estimated_time": 20.0}',
        "application/json",
    ),
    status(503, "Unavailable", b'{"error": {"code": 503, "message": "Loading model"}}', "application/json"),
    status(503, "Unavailable", HTML, "text/html"),
    status(504, "Gateway Timeout", HTML, "text/html"),
    Fault("500 that breaks off", lambda _: [head("500 Oops", Content_Length="99") + b"bo", Act.CLOSE], 69),
    Fault(
        "404 that never ends", lambda _: [head("404 Not Found", Transfer_Encoding="chunked"), Act.RESET], 78
    ),
]
LEGAL = {
    "CRLF": lambda w: w.stream(w.reply("Hel", "lo").replace(b"\n", b"\r\n")),
    "CR": lambda w: w.stream(w.reply("Hel", "lo").replace(b"\n", b"\r")),
    "data without a space": lambda w: w.stream(w.reply("Hel", "lo").replace(b"data: ", b"data:")),
    "BOM": lambda w: w.stream(b"\xef\xbb\xbf" + w.reply("Hel", "lo")),
    "ids, retry and names": lambda w: w.stream(
        b"retry: 3000\nid: 1\nevent: message\n" + w.reply("Hel", "lo"), b"id\n\n"
    ),
    "comments": lambda w: w.stream(b": hi\n\n", w.token("Hel"), b":\n\n", w.reply("lo")),
    "one byte per packet": lambda w: w.stream(*(bytes([byte]) for byte in w.reply("Hel", "lo"))),
    "all in one packet": lambda w: [
        b"".join(step for step in w.stream(w.reply("Hel", "lo")) if isinstance(step, bytes)),
        Act.KEEP,
    ],
    "HTTP/1.0": lambda w: [head().replace(b"HTTP/1.1", b"HTTP/1.0"), w.reply("Hel", "lo"), Act.CLOSE],
    "no length, closed at the end": lambda w: [head(Connection="close"), w.reply("Hel", "lo"), Act.CLOSE],
    "gzip": lambda w: w.stream(gzip.compress(w.reply("Hel", "lo")), Content_Encoding="gzip"),
    "gzip piece by piece": lambda w: [
        head(Content_Encoding="gzip", Transfer_Encoding="chunked"),
        *(chunked(part) for part in _flushes(w.token("Hel"), w.reply("lo"))),
        chunked(b""),
        Act.KEEP,
    ],
    "deflate": lambda w: w.stream(zlib.compress(w.reply("Hel", "lo")), Content_Encoding="deflate"),
    "multi-line events": lambda w: w.stream(w.reply("Hel", "lo").replace(b', "', b',\ndata: "')),
    "unknown fields": lambda w: w.stream(
        w.reply("Hel", "lo").replace(b"data: {", b'x: y\ndata: {"new": [{}], ')
    ),
    "a type with a charset": lambda w: [
        head(content_type="Text/Event-Stream;charset=UTF-8", Transfer_Encoding="chunked"),
        chunked(w.reply("Hel", "lo"), b""),
        Act.KEEP,
    ],
    "no type": lambda w: [head(content_type=None), w.reply("Hel", "lo"), Act.CLOSE],
    "text/plain": lambda w: [head(content_type="text/plain"), w.reply("Hel", "lo"), Act.CLOSE],
    "text after the end": lambda w: w.stream(w.reply("Hel", "lo"), w.token("XX")),
    "the end twice": lambda w: w.stream(w.reply("Hel", "lo"), w.end),
    "an error after the end": lambda w: w.stream(w.reply("Hel", "lo"), w.error("late")),
    "a reset after the end": lambda w: w.stream(w.reply("Hel", "lo"), Act.RESET),
    "done after the end": lambda w: w.stream(w.reply("Hel", "lo"), event("[DONE]")),
    "no empty line at the end": lambda w: [head(), w.reply("Hel", "lo").rstrip(b"\n"), Act.CLOSE],
    "100 Continue": lambda w: [b"HTTP/1.1 100 Continue\r\n\r\n", *w.stream(w.reply("Hel", "lo"))],
}


def _flushes(*parts: bytes) -> list[bytes]:
    """Each part compressed so that it can be read when it comes."""
    packer = zlib.compressobj(wbits=31)
    pieces = [packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) for part in parts]
    return [*pieces, packer.flush()]


def _flushed(part: bytes) -> bytes:
    return _flushes(part)[0]


class Asking:
    """One question to a server that answers it in this way, and what came of it."""

    def __init__(self, way: Way, answer: Sequence[Step], folder: Path, *, timeouts: Timeouts = SOON) -> None:
        self.server = ByteServer(
            {**way.wire.about, way.wire.path: answer}, unix=folder / "s" if way.unix else None
        )
        self._way, self._folder, self._timeouts = way, folder, timeouts
        self.journal = RecordingJournal()
        self.events: list[Event] = []
        self.error: LLMChatError | None = None

    def open(self) -> Connection:
        endpoint = Endpoint(self.server.url, key=KEY, timeouts=self._timeouts)
        return self._way.connection(endpoint, self._folder)

    async def run(self, connection: Connection, *before: Message, **settings: int) -> None:
        chat = Talk(
            connection,
            self.journal,
            conversation=Conversation("Be brief.", before),
            settings=Settings(**settings),  # type: ignore[arg-type]  # numbers
            defaults=Settings(max_tokens=50, temperature=0.7),
        )
        turn = chat.ask("Hello?")
        try:
            async with turn:
                async for each in turn:
                    self.events.append(each)
        except LLMChatError as error:
            self.error = error

    @property
    def text(self) -> str:
        return "".join(each.text for each in self.events if isinstance(each, Token))

    @property
    def asked(self) -> int:
        """How often the question itself was sent."""
        return len(self.server.asked_for(self._way.wire.path))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize(
    "fault", [*NO_STATUS, *NO_STREAM, *BROKEN_OFF, *STATUSES], ids=lambda fault: fault.name
)
async def test_a_fault_has_its_error_and_loses_nothing(fault: Fault, way: Way, tmp_path: Path) -> None:
    asking = Asking(way, fault.answer(way.wire), tmp_path)
    async with asking.server as server, asyncio.timeout(10):
        connection = asking.open()
        await asking.run(connection)
        error = asking.error
        assert error is not None
        assert error.exit_code == fault.code, f"{type(error).__name__}: {error.message}"
        assert fault.says in error.message
        assert error.hint
        assert "\n" not in error.message + error.hint
        # The text is shown, kept and marked.
        assert asking.text.strip() == fault.text
        assert asking.journal.text.strip() == fault.text
        (status, _) = asking.journal.ended[0]
        assert status is (Status.INTERRUPTED if fault.text else Status.FAILED)
        # The question was asked so often; nothing else was, and nowhere else.
        assert asking.asked == fault.requests
        assert {request.path for request in server.seen} <= {"/info", "/v1/models", way.wire.path}
        # Whoever quotes a server does not quote the key.
        assert KEY not in f"{error!r} {error.message} {error.hint}"
        await connection.aclose()
        if Act.HANG in fault.answer(way.wire):
            async with asyncio.timeout(5):
                await server.left.wait()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("name", LEGAL)
async def test_a_legal_oddity_just_works(name: str, way: Way, tmp_path: Path) -> None:
    asking = Asking(way, LEGAL[name](way.wire), tmp_path)
    async with asking.server, asyncio.timeout(10):
        connection = asking.open()
        await asking.run(connection)
        await connection.aclose()
    assert asking.error is None, asking.error.message if asking.error else ""
    assert (asking.text, asking.journal.text) == ("Hello", "Hello")
    assert asking.journal.ended[0][0] is Status.COMPLETE
    assert asking.asked == 1


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
async def test_tokens_without_end_are_cut_and_the_server_is_released(way: Way, tmp_path: Path) -> None:
    many = way.wire.token(" x") * 1000
    forever = [*way.wire.stream(*[many] * 100)[:-2], Act.HANG]
    asking = Asking(way, forever, tmp_path)
    async with asking.server as server, asyncio.timeout(60):
        connection = asking.open()
        await asking.run(connection, max_tokens=5)
        assert asking.error is None
        assert asking.journal.ended[0][0] is Status.LENGTH
        assert len(asking.text.split()) == SPARE_PIECES + 5 * PIECES_PER_TOKEN
        async with asyncio.timeout(5):
            await server.left.wait()
        await connection.aclose()


@pytest.mark.parametrize("way", WAYS[:2], ids=lambda way: way.name)
async def test_a_reply_that_is_longer_than_its_limit_but_ends_is_whole(way: Way, tmp_path: Path) -> None:
    asking = Asking(way, way.wire.stream(way.wire.token(" x") * 5000, way.wire.end), tmp_path)
    async with asking.server, asyncio.timeout(10):
        connection = asking.open()
        await asking.run(connection, max_tokens=5)
        await connection.aclose()
    assert (asking.error, len(asking.text.split())) == (None, 5000)
    assert asking.journal.ended[0][0] is Status.COMPLETE


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_whoever_a_server_redirects_to_hears_nothing(status: int, way: Way, tmp_path: Path) -> None:
    async with ByteServer(way.wire.about) as other, asyncio.timeout(10):
        elsewhere = page(f"{status} Elsewhere", None, b"", Location=f"{other.url}{way.wire.path}")
        asking = Asking(way, elsewhere, tmp_path)
        async with asking.server as server:
            connection = asking.open()
            await asking.run(connection)
            await connection.aclose()
            assert asking.error is not None
            assert (asking.error.exit_code, asking.asked, other.connections) == (ExitCode.CONFIG, 1, 0)
            keys = {request.headers.get("Authorization") for request in server.seen}
            assert keys == {f"Bearer {KEY}"}


@pytest.mark.parametrize("way", WAYS[:2], ids=lambda way: way.name)
async def test_a_lone_question_that_leaves_less_room_gets_a_shorter_reply(way: Way, tmp_path: Path) -> None:
    ready = way.wire.stream(way.wire.reply("Hello"))
    asking = Asking(way, [], tmp_path)
    answers = [OVERFLOWS[0], ready]
    asking.server.answers = {**way.wire.about, way.wire.path: lambda at: answers[at]}
    async with asking.server as server, asyncio.timeout(10):
        connection = asking.open()
        await asking.run(connection)
        await connection.aclose()
    assert (asking.error, asking.text) == (None, "Hello")
    first, second = (request.json for request in server.asked_for(way.wire.path))
    budgets = [
        find(body, "max_tokens") or find(body, "parameters", "max_new_tokens") for body in (first, second)
    ]
    assert budgets == [50, 20]


@pytest.mark.parametrize("way", WAYS[:4], ids=lambda way: way.name)
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://127.0.0.1:1", "Connection refused"),
        ("http://nowhere.invalid", "cannot reach nowhere.invalid"),
        ("https://127.0.0.1:1", "Connection refused"),
    ],
)
async def test_a_server_that_is_not_there_is_named(url: str, says: str, way: Way, tmp_path: Path) -> None:
    asking = Asking(way, [], tmp_path)
    connection = way.connection(Endpoint(url, key=KEY, timeouts=SOON), tmp_path)
    await asking.run(connection)
    await connection.aclose()
    assert asking.error is not None
    assert (asking.error.exit_code, says in asking.error.message) == (ExitCode.UNAVAILABLE, True)


@pytest.mark.parametrize("way", WAYS[:2], ids=lambda way: way.name)
@pytest.mark.parametrize(
    ("names", "trusted", "expired", "code"),
    [
        (["127.0.0.1"], True, False, None),
        (["127.0.0.1"], False, False, 69),
        (["elsewhere.example"], True, False, 69),
        (["127.0.0.1"], True, True, 69),
    ],
    ids=["good", "unknown authority", "another name", "expired"],
)
async def test_a_certificate_is_always_verified(
    names: list[str], trusted: bool, expired: bool, code: int | None, way: Way, tmp_path: Path
) -> None:
    authority = trustme.CA()
    until = datetime(2001, 1, 1, tzinfo=UTC) if expired else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, not_after=until).configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    asking = Asking(way, way.wire.stream(way.wire.reply("Hello")), tmp_path)
    asking.server.tls = context
    async with asking.server as server, asyncio.timeout(10):
        ca = tmp_path / "ca.pem" if trusted else None
        connection = way.connection(Endpoint(server.url, key=KEY, timeouts=SOON, ca_file=ca), tmp_path)
        await asking.run(connection)
        await connection.aclose()
    if code is None:
        assert (asking.error, asking.text) == (None, "Hello")
    else:
        assert asking.error is not None
        assert (asking.error.exit_code, server.seen) == (code, [])
        assert "no secure connection" in asking.error.message


@pytest.mark.parametrize("way", WAYS[:2], ids=lambda way: way.name)
@pytest.mark.parametrize("fault", NO_STATUS[:2], ids=lambda fault: fault.name)
async def test_a_connection_that_fails_is_tried_three_times_in_all(
    fault: Fault, way: Way, tmp_path: Path
) -> None:
    asking = Asking(way, fault.answer(way.wire), tmp_path, timeouts=Timeouts(wait=5))
    async with asking.server, asyncio.timeout(10):
        connection = asking.open()
        await asking.run(connection)
        await connection.aclose()
    assert asking.error is not None
    assert (asking.error.exit_code, asking.asked) == (ExitCode.UNAVAILABLE, 3)


LOADING = {
    "serverless": (b'{"error": "Model m is currently loading", "estimated_time": 0.01}', "application/json"),
    "llama.cpp": (
        b'{"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}',
        "application/json",
    ),
    "gateway": (HTML, "text/html"),
    "empty": (b"", None),
}


@pytest.mark.parametrize("way", WAYS[:4], ids=lambda way: way.name)
@pytest.mark.parametrize("dialect", LOADING)
@pytest.mark.parametrize("where", ["the question", "everything"])
async def test_a_model_that_loads_is_waited_for_in_sight(
    dialect: str, where: str, way: Way, tmp_path: Path
) -> None:
    body, kind = LOADING[dialect]
    loading = page("503 Service Unavailable", kind, body)
    asking = Asking(way, [], tmp_path, timeouts=Timeouts(wait=5))
    about = {
        path: (lambda at, answer=answer: loading if at == 0 and where == "everything" else answer)
        for path, answer in way.wire.about.items()
    }
    ready = way.wire.stream(way.wire.reply("Hello"))
    asking.server.answers = {
        **about,
        way.wire.path: lambda at: loading if at == 0 and where == "the question" else ready,
    }
    async with asking.server, asyncio.timeout(10):
        connection = asking.open()
        await asking.run(connection)
        await connection.aclose()
    assert (asking.error, asking.text) == (None, "Hello")
    (told,) = [each for each in asking.events if isinstance(each, Notice)]
    assert told.text.startswith("waiting for the model at 127.0.0.1:")


@pytest.mark.parametrize("way", WAYS[:4], ids=lambda way: way.name)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "502 Bad Gateway", "503 Service Unavailable"])
async def test_a_server_too_busy_to_tell_of_itself_answers_all_the_same(
    status: str, way: Way, tmp_path: Path
) -> None:
    busy = page(status, None, b"", Retry_After="0")
    asking = Asking(way, way.wire.stream(way.wire.reply("Hello")), tmp_path, timeouts=Timeouts(wait=5))
    asking.server.answers = {**asking.server.answers, "/info": busy, "/v1/models": busy}
    # Where nothing else says what the server speaks, its URL does: TGI's.
    if way.asks and way.wire.api == "openai":
        asking.server.answers |= {"/": page("404 Not Found", None, b"")}
    async with asking.server as server, asyncio.timeout(10):
        connection = asking.open()
        await asking.run(connection)
        await connection.aclose()
    assert (asking.error, asking.text) == (None, "Hello")
    told = [request for request in server.seen if request.method == "GET"]
    found_out = 1 if way.asks and way.wire.api == "openai" else 0  # which models the other protocol has
    assert len(told) <= (1 if "429" in status else 3) + found_out


@pytest.mark.parametrize("way", WAYS[2:4], ids=lambda way: way.name)
async def test_all_waiting_together_is_bounded(way: Way, tmp_path: Path) -> None:
    loading = as_json({"error": "Model m is currently loading", "estimated_time": 0.3}, "503 Unavailable")
    asking = Asking(way, loading, tmp_path, timeouts=Timeouts(wait=1))
    asking.server.answers = dict.fromkeys(("/", "/info", "/v1/models", way.wire.path), loading)
    async with asking.server, asyncio.timeout(10):
        connection = asking.open()
        started = asyncio.get_running_loop().time()
        await asking.run(connection)
        waited = asyncio.get_running_loop().time() - started
        await connection.aclose()
    assert asking.error is not None
    assert asking.error.exit_code == ExitCode.UNAVAILABLE
    assert waited < 1.9  # 2 would be twice the bound


@pytest.mark.parametrize("way", WAYS[:2], ids=lambda way: way.name)
@pytest.mark.parametrize(
    "count", [[Act.HANG], [head(Content_Length="9"), *[b" "] * 3, Act.HANG], [Act.CLOSE]]
)
async def test_a_tokenizer_that_hangs_costs_no_answer(
    count: Sequence[Step], way: Way, tmp_path: Path
) -> None:
    asking = Asking(way, way.wire.stream(way.wire.reply("Hello")), tmp_path)
    asking.server.answers = {**asking.server.answers, "/tokenize": count, "/apply-template": count}
    long = Message(Role.USER, "word " * 300), Message(Role.ASSISTANT, "word " * 300)
    async with asking.server, asyncio.timeout(10):
        connection = asking.open()
        await asking.run(connection, *long)
        await connection.aclose()
    assert (asking.error, asking.text) == (None, "Hello")


@pytest.mark.parametrize("way", WAYS[:2], ids=lambda way: way.name)
async def test_events_without_text_are_no_progress(way: Way, tmp_path: Path) -> None:
    nothing = [way.wire.token("")] * 20
    asking = Asking(way, way.wire.stream(*nothing, Act.HANG), tmp_path)
    async with asking.server, asyncio.timeout(10):
        connection = asking.open()
        await asking.run(connection)
        await connection.aclose()
    assert asking.error is not None
    assert "first token within" in asking.error.message


@pytest.mark.parametrize("way", WAYS[:2], ids=lambda way: way.name)
async def test_a_short_key_may_be_a_word_of_what_a_server_tells(way: Way, tmp_path: Path) -> None:
    asking = Asking(way, way.wire.stream(way.wire.reply("Hello")), tmp_path)
    async with asking.server as server, asyncio.timeout(10):
        connection = way.connection(Endpoint(server.url, key="m", timeouts=SOON), tmp_path)
        limits = await limits_of(connection)
        assert limits is not None
        assert not limits.assumed
        await connection.aclose()


OVERFLOWS = [
    as_json(
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 60. "
            "Given: 40 `inputs` tokens and 50 `max_new_tokens`",
            "error_type": "validation",
        },
        "422 Unprocessable Entity",
    ),
    as_json(
        {
            "error": {
                "message": "This model's maximum context length is 60 tokens. However, you requested "
                "90 tokens (40 in the messages, 50 in the completion).",
                "type": "invalid_request_error",
                "code": "context_length_exceeded",
            }
        },
        "400 Bad Request",
    ),
    as_json(
        {"error": {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 90, "n_ctx": 60}},
        "400 Bad Request",
    ),
]


@pytest.mark.parametrize("way", WAYS[:2], ids=lambda way: way.name)
@pytest.mark.parametrize("overflow", OVERFLOWS, ids=["tgi", "vllm", "llama.cpp"])
async def test_a_prompt_that_is_too_long_is_shrunk_once_then_there_are_numbers(
    overflow: Sequence[Step], way: Way, tmp_path: Path
) -> None:
    ready = way.wire.stream(way.wire.reply("Hello"))
    turns = (Message(Role.USER, "One, two, three?"), Message(Role.ASSISTANT, "Four, five, six.")) * 3
    cases: list[tuple[Sequence[Sequence[Step]], Sequence[Message], int, bool]] = [
        ([overflow, ready], turns, 2, False),
        ([overflow], turns, 2, True),
    ]
    for answers, before, asked, error in cases:
        asking = Asking(way, [], tmp_path)
        asking.server.answers = {
            **way.wire.about,
            way.wire.path: lambda at, answers=answers: answers[min(at, len(answers) - 1)],
        }
        async with asking.server, asyncio.timeout(10):
            connection = asking.open()
            await asking.run(connection, *before)
            await connection.aclose()
        assert asking.asked == asked
        if error:
            assert asking.error is not None
            assert asking.error.exit_code == ExitCode.INPUT
            assert "60" in asking.error.message
        else:
            assert (asking.error, asking.text) == (None, "Hello")
