"""What a reply looks like on stdout and stderr, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from doubles import ScriptedBackend, Step, Talk
from llmchat.core.constraint import Constraint, Regex
from llmchat.core.conversation import Status
from llmchat.core.generation import Finish, FinishReason, Notice, Progress, Settings, Token, Usage
from llmchat.core.journal import Provenance, Reply
from llmchat.errors import BrokenReply, LLMChatError, StorageError, UnavailableError
from llmchat.terminal.reply.footer import reply_notes, summary
from llmchat.terminal.reply.json import JsonView
from llmchat.terminal.reply.plain import PlainView
from llmchat.terminal.reply.status import StatusLine, error_lines
from llmchat.terminal.reply.view import View, show
from piping import Pipes, pipes

ORIGIN = Provenance(
    "tgi", "a/model", Settings(max_tokens=9), FinishReason.STOP, Usage(7, 30), first_token_s=0.5, total_s=2.0
)
WHOLE = Reply("Hi", Status.COMPLETE, ORIGIN)
UNCOUNTED = replace(ORIGIN, usage=Usage())


@pytest.fixture
def ends() -> Iterator[Pipes]:
    with pipes() as opened:
        yield opened


def json_view(ends: Pipes, *, lines: bool = False, quiet: bool = False) -> JsonView:
    return JsonView(
        ends.streams, StatusLine(ends.streams, quiet=quiet), lines=lines, conversation=lambda: "c0nversation"
    )


def shown(ends: Pipes, *pieces: str, raw: bool = False, unshown: str = "") -> bytes:
    view = PlainView(ends.streams, raw=raw)
    for piece in pieces:
        view.piece(piece)
    view.end(replace(WHOLE, unshown=unshown))
    return ends.out()


# Plain


def test_every_piece_is_there_as_soon_as_it_came(ends: Pipes) -> None:
    view = PlainView(ends.streams)
    for piece in ("He", "llo", " 你好"):
        view.piece(piece)
        assert ends.out() == piece.encode()


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["Hi"], b"Hi\n"),
        (["Hi\n"], b"Hi\n"),
        (["Hi", "\n", "\n\n"], b"Hi\n"),
        (["a\n", "\nb\n"], b"a\n\nb\n"),
        (["\n\na"], b"\n\na\n"),
        (["a\r", "\nb\rc"], b"a\nb\nc\n"),
        (["a "], b"a \n"),
        ([], b""),
        (["\n"], b""),
        (["\x1b[3", "1m\x07"], "␛[31m␇\n".encode()),
    ],
)
def test_an_answer_ends_in_one_newline(ends: Pipes, pieces: list[str], expected: bytes) -> None:
    assert shown(ends, *pieces) == expected


def test_a_raw_answer_is_what_the_model_said(ends: Pipes) -> None:
    assert shown(ends, "\x1b[31m", "a\r\n", "\n", raw=True) == b"\x1b[31ma\r\n\n"


def test_the_end_of_an_answer_that_no_event_carried_is_shown(ends: Pipes) -> None:
    assert shown(ends, "Half", unshown="\nUs") == b"Half\nUs\n"


def test_notes_and_errors_are_no_part_of_the_answer(ends: Pipes) -> None:
    view = PlainView(ends.streams)
    view.status.progress(Progress("loading", 1, 2))
    view.status.note("a\nnote\x1b")
    view.error(UnavailableError("gone\x1b[2J", hint="ask\nagain"))
    assert ends.out() == b""
    assert ends.err().decode() == ("llmchat: a note␛\nllmchat: error: gone␛[2J\nllmchat: hint: ask again\n")


def test_a_quiet_view_says_only_errors(ends: Pipes) -> None:
    for view in (PlainView(ends.streams, StatusLine(ends.streams, quiet=True)), json_view(ends, quiet=True)):
        view.status.note("a note")
        assert ends.err() == b""
        view.error(UnavailableError("gone"))
        assert ends.err() == b"llmchat: error: gone\n"


def test_a_cut_or_unsaved_reply_is_said_to_be(ends: Pipes) -> None:
    reply = replace(WHOLE, status=Status.LENGTH, unsaved=StorageError("the disk is full"))
    assert reply_notes(reply) == [
        "the reply was cut at 9 tokens; --max-tokens sets the limit",
        "the reply could not be saved: the disk is full",
    ]
    assert reply_notes(WHOLE) == []
    PlainView(ends.streams).end(reply)
    assert ends.err().count(b"\n") == 2


def test_an_error_has_two_lines_at_most() -> None:
    assert error_lines(LLMChatError("a\u2028b", hint=None)) == "llmchat: error: a b"
    assert error_lines(LLMChatError("a\r\nb", hint="c\nd")).count("\n") == 1


# JSON


def test_a_reply_is_one_object(ends: Pipes) -> None:
    view = json_view(ends)
    view.piece("H")
    view.piece("\x1b")
    assert ends.out() == b""
    view.end(replace(WHOLE, text="H\x1b\ud800"))
    out = ends.out()
    assert out.count(b"\n") == 1
    assert b"\x1b" not in out
    assert json.loads(out) == {
        "text": "H\x1b\ud800",
        "finish_reason": "stop",
        "backend": "tgi",
        "model": "a/model",
        "conversation": "c0nversation",
        "usage": {"prompt_tokens": 7, "completion_tokens": 30},
        "timings": {"first_token_s": 0.5, "total_s": 2.0},
    }


def test_unknown_figures_are_null(ends: Pipes) -> None:
    bare = Provenance("tgi", "m", Settings(), FinishReason.LENGTH)
    json_view(ends).end(Reply("", Status.LENGTH, bare))
    record = json.loads(ends.out())
    assert record["usage"] == {"prompt_tokens": None, "completion_tokens": None}
    assert record["timings"] == {"first_token_s": None, "total_s": None}
    assert b"cut at" in ends.err()


def test_json_lines_are_a_line_a_piece_and_the_object_last(ends: Pipes) -> None:
    view = json_view(ends, lines=True)
    view.piece("H\n")
    assert json.loads(ends.out()) == {"type": "token", "text": "H\n"}
    view.end(replace(WHOLE, unshown="i"))
    token, reply = ends.out().splitlines()
    assert json.loads(token) == {"type": "token", "text": "i"}
    assert json.loads(reply) | {"type": "reply", "text": "Hi"} == json.loads(reply)


@pytest.mark.parametrize(("lines", "kind"), [(False, {}), (True, {"type": "error"})])
def test_an_error_is_an_object_in_the_same_place_besides_its_lines(
    ends: Pipes, lines: bool, kind: dict[str, str]
) -> None:
    json_view(ends, lines=lines).error(UnavailableError("gone", hint="ask again"))
    told = {"message": "gone", "hint": "ask again", "exit_code": 69}
    assert json.loads(ends.out()) == kind | {"error": told}
    assert ends.err() == b"llmchat: error: gone\nllmchat: hint: ask again\n"


def test_a_reply_that_broke_off_is_no_object_of_its_own(ends: Pipes) -> None:
    json_view(ends).end(Reply("Ha", Status.INTERRUPTED, replace(ORIGIN, reason=None)))
    assert ends.out() == b""


# The line below a reply, and the loop


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        (WHOLE, "30 tokens · 20/s · first after 0.5 s"),
        (
            replace(WHOLE, status=Status.LENGTH),
            "30 tokens · 20/s · first after 0.5 s · cut by --max-tokens, /continue continues it",
        ),
        (
            Reply("H", Status.STOPPED, UNCOUNTED),
            "first after 0.5 s · stopped",
        ),
        (replace(WHOLE, status=Status.FAILED, provenance=Provenance("x", "y", Settings())), "failed"),
    ],
)
def test_the_summary_tells_speed_and_an_unnatural_end(reply: Reply, line: str) -> None:
    assert summary(reply) == line


def test_a_reply_that_was_cut_is_said_once_where_a_summary_says_it(ends: Pipes) -> None:
    view = PlainView(ends.streams, footer=True)
    view.piece("Hi")
    view.end(replace(WHOLE, status=Status.LENGTH))
    assert b"cut by --max-tokens" in ends.out()
    assert ends.err() == b""


def test_the_summary_stands_below_the_reply_where_it_is_wanted(ends: Pipes) -> None:
    view = PlainView(ends.streams, footer=True)
    view.piece("Hi")
    view.end(WHOLE)
    assert ends.out() == f"Hi\n{summary(WHOLE)}\n\n".encode()
    assert ends.err() == b""


async def play(view: View, *steps: Step, constraint: Constraint | None = None) -> None:
    await show(Talk(ScriptedBackend(steps)).ask("?", constraint=constraint), view)


async def test_each_event_goes_to_its_place(ends: Pipes) -> None:
    await play(
        PlainView(ends.streams), Progress("loading"), Notice("a note"), Token("Hi"), Finish(FinishReason.STOP)
    )
    assert (ends.out(), ends.err()) == (b"Hi\n", b"llmchat: a note\n")


async def test_the_view_is_told_of_the_end_before_an_error_leaves(ends: Pipes) -> None:
    with pytest.raises(BrokenReply):
        await play(PlainView(ends.streams), Token("Half"), UnavailableError("gone"))
    assert ends.out() == b"Half\n"


# Replies that are not what they had to be


@pytest.mark.parametrize("view", [json_view, lambda ends: PlainView(ends.streams)])
async def test_what_is_wrong_with_a_reply_follows_it_as_an_error(
    ends: Pipes, view: Callable[[Pipes], View]
) -> None:
    shown = view(ends)
    with pytest.raises(BrokenReply) as wrong:
        await play(shown, Token("four"), Finish(FinishReason.LENGTH), constraint=Regex.parse("[0-9]"))
    shown.error(wrong.value)
    error, hint = ends.err().splitlines()
    assert error.startswith(b"llmchat: error: the answer was cut")
    assert hint.startswith(b"llmchat: hint: ")
    assert b"four" in ends.out()


def test_the_error_of_a_reply_is_in_its_object_or_the_line_behind_it(ends: Pipes) -> None:
    fault = BrokenReply("not a number", hint="ask again")
    for view, count in ((json_view(ends), 1), (json_view(ends, lines=True), 2)):
        view.end(replace(WHOLE, fault=fault))
        view.error(fault)
        records = [json.loads(line) for line in ends.out().splitlines()]
        assert len(records) == count
        assert records[0]["text"] == "Hi"
        assert records[-1]["error"]["message"] == "not a number"
