"""Nothing foreign drives the terminal, wherever it comes from, wherever it is shown, however it is split."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from command import Llmchat
from llmchat.config.folders import Folders
from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import Settings
from llmchat.core.journal import Provenance, Reply
from llmchat.markdown import MarkdownStream, load_theme
from llmchat.store import Store
from llmchat.terminal.history.show import show_history
from llmchat.terminal.reply.painter import Painter
from llmchat.terminal.reply.plain import PlainView
from piping import pipes
from pseudo_terminal import CTRL_D, ENTER, PseudoTerminal
from servers import Reply as Answer
from servers import json_reply, tgi
from servers.dictated import DictatedServer
from servers.openai import CHAT
from terminal.attacks import ATTACKS, PAINTED, driving
from terminal.stories import PROMPT, Open

ALL = "\n\n".join(ATTACKS.values())
END = "The end."
WHOLE = Reply("", Status.COMPLETE, Provenance("x", "y", Settings()))
ON_ONE_LINE = " ".join(ATTACKS.values()).replace("\n", " ")


def splits(text: str) -> Iterator[list[str]]:
    """Whole, character by character, and in two at every place."""
    yield [text]
    yield list(text)
    yield from ([text[:at], text[at:]] for at in range(1, len(text)))


def painted(pieces: list[str], columns: int) -> str:
    written: list[str] = []
    markdown = MarkdownStream(columns, theme=load_theme("dark"))
    painter = Painter(written.append, columns=columns)
    for piece in pieces:
        markdown.feed(piece)
        frame = markdown.frame()
        painter.paint(frame.done, frame.tail)
    painter.paint(markdown.finish(), ())
    painter.finish()
    return "".join(written)


@pytest.mark.parametrize("name", ATTACKS)
def test_the_painter_writes_only_sequences_of_its_own(name: str) -> None:
    for columns in (9, 60):
        for pieces in splits(ATTACKS[name]):
            assert driving(PAINTED.sub("", painted(pieces, columns))) == []


@pytest.mark.parametrize("name", ATTACKS)
def test_plain_text_has_no_control_in_it(name: str) -> None:
    for pieces in splits(ATTACKS[name]):
        with pipes() as ends:
            view = PlainView(ends.streams)
            for piece in pieces:
                view.piece(piece)
            view.end(WHOLE)
            assert driving(ends.out().decode()) == []


# The program


@pytest.fixture
def llmchat(tmp_path: Path, server: DictatedServer) -> Llmchat:
    return Llmchat(tmp_path, {"LLMCHAT_URL": server.url, "LLMCHAT_API": "openai", "LLMCHAT_WAIT": "0"})


def answer_with(server: DictatedServer, text: str) -> None:
    """Two characters a piece, which splits every sequence."""
    server.say(*(text[at : at + 2] for at in range(0, len(text), 2)))
    server.finish()


def told(terminal: PseudoTerminal) -> str:
    return terminal.written.decode()


def check_painted(terminal: PseudoTerminal) -> None:
    assert driving(PAINTED.sub("", told(terminal))) == []


def check_prompted(terminal: PseudoTerminal) -> None:
    """prompt-toolkit writes sequences of its own: none of the attacks' may be there."""
    written = told(terminal)
    for sequence in ("\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1bc", "\x1b[2J", "\x1b[3J", "\x1b[H"):
        assert sequence not in written
    for sequence in ("\x1b[?1049", "\x1b[>q", "\x1b[21t", "\x1b[5A", "\x07", "\x0e", "\x0f", "\x1b[!p"):
        assert sequence not in written
    assert [each for each in driving(written) if each not in "\x1b\r\x08"] == []


@pytest.mark.parametrize("arguments", [(), ("--plain",), ("--no-stream",)])
def test_a_reply_cannot_drive_the_terminal(
    start: Open, server: DictatedServer, home: Path, arguments: tuple[str, ...]
) -> None:
    if "--no-stream" in arguments:
        choice = {"index": 0, "message": {"role": "assistant", "content": f"{ALL}\n\n{END}"}}
        server.always(CHAT, json_reply({"choices": [{**choice, "finish_reason": "stop"}]}))
    else:
        answer_with(server, f"{ALL}\n\n{END}")
    terminal = start("ask", "Well?", *arguments)
    assert terminal.wait_exit() == 0
    assert END in terminal.text
    check_painted(terminal)
    with Store.open(home / "data" / "conversations.sqlite3") as store:
        assert store.load(store.resolve("last")).messages[-1].text == f"{ALL}\n\n{END}"


def test_a_reply_cannot_drive_the_repl_nor_can_it_when_it_is_shown_again(
    start: Open, server: DictatedServer
) -> None:
    answer_with(server, f"{ALL}\n\n{END}")
    terminal = start()
    terminal.wait_for("new")
    terminal.type("Well?" + ENTER)
    terminal.wait_for("2 tokens")
    for command in ("/history last", "/history", "/prompt"):
        run_command(terminal, command)
    terminal.type(CTRL_D)
    assert terminal.wait_exit() == 0
    check_prompted(terminal)
    again = start("-c")
    again.wait_for(END)
    again.wait_until(lambda: PROMPT in again.written, "the prompt")
    check_prompted(again)


def test_a_reply_cannot_drive_what_reads_the_pipe(llmchat: Llmchat, server: DictatedServer) -> None:
    answer_with(server, ALL)
    ran = llmchat("ask", "Well?")
    assert (ran.code, driving(ran.out.decode() + ran.err)) == (0, [])
    answer_with(server, ALL)
    assert llmchat("ask", "--raw", "Well?").out.decode() == ALL
    for arguments in (["--json"], ["--jsonl"]):
        answer_with(server, ALL)
        ran = llmchat("ask", *arguments, "Well?")
        assert driving(ran.out.decode()) == []
        assert json.loads(ran.out.splitlines()[-1])["text"] == ALL


def test_raw_is_refused_on_a_terminal(start: Open) -> None:
    terminal = start("ask", "--raw", "Well?")
    assert terminal.wait_exit() == 2
    assert "--raw is refused on a terminal" in terminal.text


def test_the_message_of_a_server_cannot_drive_the_terminal(
    start: Open, llmchat: Llmchat, server: DictatedServer
) -> None:
    server.always(CHAT, json_reply({"error": {"message": f"no {ON_ONE_LINE}", "type": ON_ONE_LINE}}, 400))
    terminal = start("ask", "Well?")
    assert terminal.wait_exit() == 65
    check_painted(terminal)
    assert "owned" in terminal.text
    ran = llmchat("ask", "Well?")
    assert driving(ran.out.decode() + ran.err) == []
    ran = llmchat("ask", "--json", "Well?")
    assert driving(ran.out.decode() + ran.err) == []
    repl = start()
    repl.wait_for("new")
    repl.type("Well?" + ENTER)
    repl.wait_for("llmchat: error:")
    check_prompted(repl)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, ALL),
        (200, ALL),
        (200, f"data: {ALL}\n\n"),
        (404, ALL),
        (422, json.dumps({"error": ALL, "error_type": ALL})),
        (429, json.dumps({"error": ALL})),
    ],
)
def test_whatever_a_server_answers_cannot_drive_the_terminal(
    llmchat: Llmchat, server: DictatedServer, status: int, body: str
) -> None:
    server.always(CHAT, Answer(body=body.encode(), status=status, content_type="text/html"))
    ran = llmchat("ask", "--debug", "Well?")
    assert ran.code != 0
    assert driving(ran.out.decode() + ran.err) == []


def test_the_error_of_a_tgi_server_cannot_drive_the_terminal(
    llmchat: Llmchat, server: DictatedServer
) -> None:
    broken = json.dumps({"error": ALL, "error_type": ALL})
    for reply in (json_reply({"error": ALL, "error_type": ALL}, 422), Answer([tgi.token("Half"), broken])):
        server.always("/", reply)
        ran = llmchat.with_environ(LLMCHAT_API="tgi")("ask", "Well?")
        assert ran.code != 0
        assert driving(ran.out.decode() + ran.err) == []
        assert "owned" in ran.err


@pytest.mark.parametrize("api", ["openai", "tgi"])
def test_the_name_of_a_model_cannot_drive_the_terminal(
    start: Open, llmchat: Llmchat, server: DictatedServer, api: str
) -> None:
    name = f"\u202emodel\u200b \x9b \U000e0041 {ON_ONE_LINE}"
    server.always("/v1/models", json_reply({"data": [{"id": name, "max_model_len": 4096}]}))
    server.always("/info", json_reply({**tgi.INFO, "model_id": name}))
    server.always("/", tgi.stream("Hello"))
    answer_with(server, "Hello")
    repl = start(LLMCHAT_API=api)
    repl.wait_until(lambda: "tokens of" in repl.text or "31mred" in repl.text, "the limits or the name")
    repl.type("Well?" + ENTER)
    repl.wait_for("first after")
    for command in ("/model", "/history", "/history last"):
        run_command(repl, command)
    check_prompted(repl)
    repl.type(CTRL_D)
    assert repl.wait_exit() == 0
    for command in (["history", "list"], ["history", "show"], ["history", "list", "--json"]):
        ran = Llmchat(llmchat.home, {"LLMCHAT_HOME": str(llmchat.home / "home")})(*command)
        assert "model" in ran.out.decode()
        assert driving(ran.out.decode()) == []


def run_command(repl: PseudoTerminal, command: str) -> None:
    """Types a command and waits until the prompt is there again."""
    seen = len(repl.written)
    repl.type(command + ENTER)
    repl.wait_until(
        lambda: PROMPT in repl.written[seen:].rpartition(command.encode())[2], f"a prompt after {command}"
    )


def keep(database: Path) -> list[str]:
    """For each attack a conversation that is full of it; their ids."""
    with Store.open(database) as store:
        ids = []
        for attack in ATTACKS.values():
            origin = Provenance(attack, attack, Settings(stop=(attack,)))
            journal = store.journal(system=attack)
            journal.begin(Message(Role.USER, f"Is this fine: {attack}"))
            journal.begin(Message(Role.ASSISTANT, ""), origin)
            journal.append(attack)
            journal.end(Status.COMPLETE, origin)
            assert journal.conversation_id
            ids.append(journal.conversation_id)
    return ids


def test_what_was_kept_cannot_drive_the_terminal(llmchat: Llmchat) -> None:
    environ = {"LLMCHAT_HOME": str(llmchat.home / "kept")}
    ids = keep(Folders.find(environ).database)
    with pipes() as ends:
        streams = replace(ends.streams, environ=environ)
        for each, attack in zip(ids, ATTACKS.values(), strict=True):
            show_history(each, streams, as_json=False)
            assert driving(ends.out().decode()) == []
            show_history(each, streams, as_json=True)
            shown = ends.out().decode()
            assert driving(shown) == []
            assert json.loads(shown)["messages"][1]["text"] == attack
    listed = llmchat("history", "list", "--limit", "100").out.decode()
    assert listed.count("Is this fine: ") == len(ATTACKS)
    assert driving(listed) == []
    assert driving(llmchat("history", "list", "--json").out.decode()) == []


ARGUMENTS = [
    ["ask", "-f", "{}", "x"],
    ["ask", "--api", "{}", "x"],
    ["ask", "--url", "{}", "x"],
    ["ask", "--url", "http://{}", "x"],
    ["ask", "-m", "{}", "x"],
    ["ask", "-m", "hf:{}", "x"],
    ["ask", "-m", "./{}.gguf", "x"],
    ["ask", "-t", "{}", "x"],
    ["ask", "--seed", "{}", "x"],
    ["ask", "--theme", "{}", "x"],
    ["ask", "--prompt-format", "{}", "x"],
    ["ask", "--config", "{}", "x"],
    ["ask", "--conversation", "{}", "x"],
    ["ask", "--{}", "x"],
    ["{}"],
    ["history", "{}"],
    ["history", "show", "{}"],
    ["history", "list", "--limit", "{}"],
    ["pull", "{}"],
]


@pytest.mark.parametrize("arguments", [*ARGUMENTS, ["ask", "--json", "-f", "{}"]], ids=" ".join)
def test_what_stands_on_the_command_line_cannot_drive_the_terminal(
    llmchat: Llmchat, arguments: list[str]
) -> None:
    told = [word.replace("{}", ON_ONE_LINE.replace("\0", "")) for word in arguments]
    offline = Llmchat(llmchat.home, {"LLMCHAT_OFFLINE": "1"})
    ran = offline(*told)
    assert ran.code in (2, 65, 66, 69, 78)
    assert ran.error
    assert driving(ran.out.decode() + ran.err) == []


@pytest.mark.parametrize(
    "variable", ["LLMCHAT_API", "LLMCHAT_URL", "LLMCHAT_TEMPERATURE", "LLMCHAT_MODEL", "LLMCHAT_THEME"]
)
def test_a_variable_cannot_drive_the_terminal(llmchat: Llmchat, variable: str) -> None:
    ran = Llmchat(llmchat.home, {variable: ON_ONE_LINE.replace("\0", "")})("ask", "x")
    assert ran.error
    assert driving(ran.out.decode() + ran.err) == []
