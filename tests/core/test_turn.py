"""A turn: what is journalled, sent, cut, kept and said, whatever ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doubles import RecordingJournal, ScriptedBackend, Silence, Step, Talk
from llmchat.core.backend import Limits
from llmchat.core.constraint import Constraint, JsonSchema, Regex
from llmchat.core.conversation import Conversation, Message, Role, Status
from llmchat.core.generation import (
    Event,
    Finish,
    FinishReason,
    Notice,
    Progress,
    Settings,
    Token,
    Usage,
)
from llmchat.core.journal import Journal, Reply
from llmchat.core.plan import first_words
from llmchat.core.prompt_format import FORMATS
from llmchat.core.turn import Turn
from llmchat.errors import (
    BrokenReply,
    ContextOverflow,
    InputError,
    LLMChatError,
    StorageError,
    TryLaterError,
    UnavailableError,
)

STOP = Finish(FinishReason.STOP, Usage(7, 3))
LENGTH = Finish(FinishReason.LENGTH, Usage(7, 3))
TRANSCRIPT = FORMATS["transcript"]
DEFAULTS = Settings(temperature=0.7, max_tokens=1024)
FULL = StorageError("the disk is full")


def said(*texts: str, finish: Finish = STOP) -> list[Step]:
    return [*map(Token, texts), finish]


def chat_with(
    backend: ScriptedBackend,
    journal: Journal | None = None,
    *,
    conversation: Conversation | None = None,
    settings: Settings = Settings(),
) -> Talk:
    return Talk(
        backend,
        journal or RecordingJournal(),
        conversation=conversation or Conversation("Be brief."),
        settings=settings,
        defaults=DEFAULTS,
    )


async def collect(turn: Turn, events: list[Event]) -> None:
    async with turn:
        async for event in turn:
            events.append(event)  # noqa: PERF401 - those before an error are wanted


async def run(turn: Turn) -> tuple[list[Event], Reply]:
    events: list[Event] = []
    await collect(turn, events)
    assert turn.reply is not None
    return events, turn.reply


async def fail(turn: Turn, kind: type[LLMChatError]) -> tuple[list[Event], Reply]:
    events: list[Event] = []
    with pytest.raises(kind):
        await collect(turn, events)
    assert turn.reply is not None
    return events, turn.reply


def text_of(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


def long_talk(turns: int) -> Conversation:
    """A conversation of questions and answers of ten words each."""
    messages = []
    for number in range(turns):
        words = " ".join([f"w{number}"] * 10)
        messages += [Message(Role.USER, words), Message(Role.ASSISTANT, words)]
    return Conversation("one two", tuple(messages))


# What is journalled


async def test_the_question_is_journalled_before_the_first_byte_is_asked_for() -> None:
    log: list[str] = []
    journal = RecordingJournal(log)
    await run(chat_with(ScriptedBackend(said("Hi"), log=log), journal).ask("Hello?"))
    assert log == ["begin user", "begin assistant", "asked", "append", "end"]
    assert journal.begun == [Message(Role.USER, "Hello?"), Message(Role.ASSISTANT, "")]
    assert journal.text == "Hi"


async def test_the_origin_of_an_answer_is_kept_from_its_start() -> None:
    journal = RecordingJournal()
    await run(chat_with(ScriptedBackend(said("Hi")), journal, settings=Settings(seed=5)).ask("Hello?"))
    origin = journal.origins[1]
    assert origin is not None
    assert (origin.backend, origin.model, origin.settings.seed) == ("scripted", "scripted-1", 5)
    assert origin.reason is None


async def test_a_reply_has_its_text_reason_usage_and_times() -> None:
    backend = ScriptedBackend([Progress("loading"), Token("One"), Token(" two"), STOP])
    chat = chat_with(backend)
    ticks = iter(range(100))
    chat.clock = lambda: next(ticks)
    events, reply = await run(chat.ask("Count."))
    assert events == [Progress("loading"), Token("One"), Token(" two"), STOP]
    assert (reply.text, reply.status, reply.unshown, reply.unsaved) == (
        "One two",
        Status.COMPLETE,
        "",
        None,
    )
    source = reply.provenance
    assert (source.reason, source.usage) == (FinishReason.STOP, Usage(7, 3))
    assert (source.first_token_s, source.total_s) == (1, 2)
    assert chat.conversation.messages[-1] == Message(Role.ASSISTANT, "One two")


# How a turn ends


@pytest.mark.parametrize(
    ("finish", "status"),
    [
        (STOP, Status.COMPLETE),
        (LENGTH, Status.LENGTH),
        (Finish(FinishReason.FILTER), Status.COMPLETE),
        (Finish(FinishReason.OTHER), Status.COMPLETE),
    ],
)
async def test_a_finish_decides_the_status(finish: Finish, status: Status) -> None:
    journal = RecordingJournal()
    _, reply = await run(chat_with(ScriptedBackend(said("Hi", finish=finish)), journal).ask("Hello?"))
    assert (reply.status, reply.provenance.reason) == (status, finish.reason)
    assert journal.ended == [(status, reply.provenance)]


async def test_ctrl_c_keeps_the_text_as_stopped_and_closes_the_stream() -> None:
    backend, journal = ScriptedBackend([Token("Half"), Silence.HANG]), RecordingJournal()
    chat = chat_with(backend, journal)
    turn, events = chat.ask("Hello?"), list[Event]()
    task = asyncio.create_task(collect(turn, events))
    async with asyncio.timeout(5):
        await backend.hanging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert backend.streams_open == 0
    assert turn.reply is not None
    assert (turn.reply.text, turn.reply.status) == ("Half", Status.STOPPED)
    assert [status for status, _ in journal.ended] == [Status.STOPPED]
    assert chat.conversation.messages[-1] == Message(Role.ASSISTANT, "Half", Status.STOPPED)


async def test_ctrl_c_gives_what_was_held_back_to_the_reply() -> None:
    backend = ScriptedBackend([Token("Half\nUs"), Silence.HANG], prompt_format=TRANSCRIPT)
    turn, events = chat_with(backend).ask("Hello?"), list[Event]()
    task = asyncio.create_task(collect(turn, events))
    async with asyncio.timeout(5):
        await backend.hanging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert text_of(events) == "Half"
    assert turn.reply is not None
    assert (turn.reply.text, turn.reply.unshown) == ("Half\nUs", "\nUs")


@pytest.mark.parametrize(
    ("texts", "status", "error"),
    [((), Status.FAILED, UnavailableError), (("Half",), Status.INTERRUPTED, BrokenReply)],
)
async def test_an_error_keeps_what_came_and_leaves_the_turn(
    texts: Sequence[str], status: Status, error: type[LLMChatError]
) -> None:
    backend = ScriptedBackend([*map(Token, texts), UnavailableError("gone")])
    events, reply = await fail(chat_with(backend).ask("Hello?"), error)
    assert (text_of(events), reply.text, reply.status) == ("".join(texts), "".join(texts), status)
    assert backend.streams_open == 0


async def test_a_stream_without_its_finish_is_a_broken_reply() -> None:
    events, reply = await fail(chat_with(ScriptedBackend([Token("Half")])).ask("Hello?"), BrokenReply)
    assert (text_of(events), reply.status) == ("Half", Status.INTERRUPTED)


@pytest.mark.parametrize(
    ("fault", "status"), [(OSError, Status.INTERRUPTED), (BrokenPipeError, Status.STOPPED)]
)
async def test_whoever_shows_the_reply_may_fail_and_the_text_is_kept(
    fault: type[OSError], status: Status
) -> None:
    backend, journal = ScriptedBackend(said("One", " two")), RecordingJournal()
    turn = chat_with(backend, journal).ask("Hello?")

    async def show() -> None:
        async with turn:
            async for _ in turn:
                raise fault

    with pytest.raises(fault):
        await show()
    assert [ended for ended, _ in journal.ended] == [status]
    assert journal.text == "One"
    assert backend.streams_open == 0


async def test_whoever_leaves_early_has_stopped_the_reply() -> None:
    backend = ScriptedBackend(said("One", " two"))
    async with chat_with(backend).ask("Hello?") as turn:
        async for _ in turn:
            break
    assert turn.reply is not None
    assert (turn.reply.text, turn.reply.status) == ("One", Status.STOPPED)
    assert backend.streams_open == 0


async def test_a_turn_that_was_never_sent_is_stopped_and_empty() -> None:
    backend = ScriptedBackend()
    async with chat_with(backend).ask("Hello?") as turn:
        pass
    assert turn.reply is not None
    assert (turn.reply.text, turn.reply.status, backend.requests) == ("", Status.STOPPED, [])


# Leading space, stop texts


@given(st.text(" aé\n", max_size=12), st.data())
async def test_one_leading_space_is_removed_however_the_pieces_fall(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True) if a < b]
    events, reply = await run(chat_with(ScriptedBackend(said(*pieces), prompt_format=TRANSCRIPT)).ask("?"))
    assert text_of(events) == reply.text == text.removeprefix(" ")
    events, reply = await run(chat_with(ScriptedBackend(said(*pieces))).ask("?"))
    assert text_of(events) == reply.text == text


async def test_events_never_carry_empty_text() -> None:
    backend = ScriptedBackend(said(" ", "Hi"), prompt_format=TRANSCRIPT)
    events, _ = await run(chat_with(backend).ask("?"))
    assert events == [Token("Hi"), STOP]


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        ((" Four.", "\n", "User", ":", " more"), "Four."),
        ((" Four.\nUser: more", " text"), "Four."),
        (("\nUser:", " more"), ""),
        ((" A\nUsers: none", "\nAssistant: B"), "A\nUsers: none"),
        ((" A<|endof", "text|>B"), "A"),
    ],
)
async def test_a_stop_text_ends_the_reply_and_closes_the_stream(pieces: Sequence[str], shown: str) -> None:
    backend = ScriptedBackend([*map(Token, pieces), Silence.HANG], prompt_format=TRANSCRIPT)
    async with asyncio.timeout(5):
        events, reply = await run(chat_with(backend).ask("?"))
    assert text_of(events) == reply.text == shown
    assert (reply.status, reply.provenance.reason) == (Status.COMPLETE, FinishReason.STOP)
    assert events[-1] == Finish(FinishReason.STOP)
    assert backend.streams_open == 0


async def test_a_persons_stop_text_cuts_in_every_format() -> None:
    chat = chat_with(ScriptedBackend(said("One EN", "D two")), settings=Settings(stop=("END",)))
    events, reply = await run(chat.ask("?"))
    assert text_of(events) == reply.text == "One "


@pytest.mark.parametrize("finish", [STOP, LENGTH])
async def test_text_held_back_is_shown_when_the_reply_ends(finish: Finish) -> None:
    backend = ScriptedBackend(said(" Half\nUs", finish=finish), prompt_format=TRANSCRIPT)
    events, reply = await run(chat_with(backend).ask("?"))
    assert text_of(events) == reply.text == "Half\nUs"


@pytest.mark.parametrize("ending", [[UnavailableError("gone")], []])
async def test_text_held_back_is_shown_when_the_reply_breaks_off(ending: list[Step]) -> None:
    backend = ScriptedBackend([Token(" Half\nUs"), *ending], prompt_format=TRANSCRIPT)
    events, reply = await fail(chat_with(backend).ask("?"), LLMChatError)
    assert text_of(events) == reply.text == "Half\nUs"


async def test_a_reply_cut_at_a_stop_text_was_not_cut_by_length() -> None:
    """The end shows that it was the shorter one of two stop texts."""
    backend = ScriptedBackend(said("a\nUser", finish=LENGTH), prompt_format=TRANSCRIPT)
    _, reply = await run(chat_with(backend, settings=Settings(stop=("User",))).ask("?"))
    assert (reply.text, reply.status) == ("a\n", Status.COMPLETE)


async def test_a_raw_prompt_knows_no_roles() -> None:
    backend = ScriptedBackend(said(" One\nUser: two END three"), prompt_format=TRANSCRIPT)
    chat = chat_with(backend, settings=Settings(stop=("END",)), conversation=long_talk(3))
    events, _ = await run(chat.ask("Once upon", raw=True))
    assert text_of(events) == " One\nUser: two "
    (request,) = backend.requests
    assert (request.messages, request.raw) == ((Message(Role.USER, "Once upon"),), True)


async def test_a_reply_can_be_asked_for_in_one_piece() -> None:
    backend = ScriptedBackend(said("Hi"), said("Hi"))
    chat = chat_with(backend)
    await run(chat.ask("?", stream=False))
    await run(chat.ask("?"))
    assert [request.stream for request in backend.requests] == [False, True]


@pytest.mark.parametrize("raw", [False, True])
async def test_a_request_says_which_settings_the_person_chose(raw: bool) -> None:
    backend = ScriptedBackend(said("Hi"))
    chosen = Settings(seed=7)
    await run(chat_with(backend, settings=chosen).ask("?", raw=raw))
    (request,) = backend.requests
    assert request.chosen == chosen
    assert request.settings.temperature == DEFAULTS.temperature


# The context window


async def test_an_overflow_is_shrunk_and_sent_once_more() -> None:
    talk, limits = long_talk(10), Limits(300)
    backend = ScriptedBackend([ContextOverflow("too long")], said("Hi"), limits=limits)
    chat = chat_with(backend, conversation=talk, settings=Settings(max_tokens=50))
    events, reply = await run(chat.ask("newest"))
    first, second = backend.requests
    assert len(first.messages) > len(second.messages)
    assert second.messages[0] == Message(Role.SYSTEM, "one two")
    assert second.messages[-1] == Message(Role.USER, "newest")
    assert second.messages == (
        second.messages[0],
        *chat.conversation.messages[:-1][-len(second.messages) + 1 :],
    )
    assert isinstance(events[0], Notice)
    assert "not fit" in events[0].text
    assert (reply.text, reply.status) == ("Hi", Status.COMPLETE)


async def test_a_second_overflow_is_an_error() -> None:
    overflow: list[Step] = [ContextOverflow("too long")]
    backend = ScriptedBackend(overflow, overflow, said("never"), limits=Limits(300))
    chat = chat_with(backend, conversation=long_talk(10), settings=Settings(max_tokens=50))
    _, reply = await fail(chat.ask("newest"), ContextOverflow)
    assert (len(backend.requests), reply.status) == (2, Status.FAILED)


async def test_an_overflow_that_nothing_can_be_left_out_for_is_not_sent_again() -> None:
    backend = ScriptedBackend([ContextOverflow("too long")], said("never"))
    await fail(chat_with(backend).ask("newest"), ContextOverflow)
    assert len(backend.requests) == 1


@pytest.mark.parametrize("raw", [True, False])
async def test_an_overflow_of_a_raw_prompt_or_behind_text_is_an_error(raw: bool) -> None:
    script = [ContextOverflow("too long")] if raw else [Token("Hi"), ContextOverflow("too long")]
    backend = ScriptedBackend(script, said("never"), limits=Limits(300))
    chat = chat_with(backend, conversation=long_talk(10), settings=Settings(max_tokens=50))
    await fail(chat.ask("newest", raw=raw), ContextOverflow if raw else BrokenReply)
    assert len(backend.requests) == 1


async def test_a_question_too_long_alone_is_an_error_before_anything_is_sent() -> None:
    backend = ScriptedBackend(limits=Limits(300))
    _, reply = await fail(chat_with(backend).ask("word " * 301), ContextOverflow)
    assert (backend.requests, reply.status) == ([], Status.FAILED)


async def test_the_person_is_told_which_turns_are_not_sent() -> None:
    backend = ScriptedBackend(said("Hi"), limits=Limits(220))
    chat = chat_with(backend, conversation=long_talk(10), settings=Settings(max_tokens=20))
    events, _ = await run(chat.ask("newest"))
    dropped = 11 - (len(backend.requests[0].messages)) // 2
    newest_left_out = chat.conversation.turns()[dropped - 1][0].text
    assert events[0] == Notice(
        f"turns 1 to {dropped} do not fit the model's context window and will not be sent"
        f" ({first_words(newest_left_out)})"
    )


async def test_a_limit_that_nobody_knows_is_said_once() -> None:
    backend = ScriptedBackend(said("One"), said("Two"), limits=Limits(2048, assumed=True))
    chat = chat_with(backend)
    first, _ = await run(chat.ask("?"))
    second, _ = await run(chat.ask("?"))
    assert [event.text for event in first if isinstance(event, Notice)] == [
        "the server does not report its context window: assuming 2048 tokens (LLMCHAT_CONTEXT sets it)"
    ]
    assert not any(isinstance(event, Notice) for event in second)


async def test_what_surely_fits_is_not_counted() -> None:
    backend = ScriptedBackend(said("Hi"))
    await run(chat_with(backend).ask("?"))
    assert backend.counted == 0
    assert backend.requests[0].settings.max_tokens == 1024


async def test_a_default_budget_shrinks_to_what_the_prompt_leaves() -> None:
    backend = ScriptedBackend(said("Hi"), limits=Limits(100))
    await run(chat_with(backend).ask("word " * 40))
    assert backend.requests[0].settings.max_tokens == 100 - 42


async def test_a_budget_that_was_asked_for_is_reserved() -> None:
    backend = ScriptedBackend(limits=Limits(100))
    await fail(chat_with(backend, settings=Settings(max_tokens=70)).ask("word " * 40), ContextOverflow)
    with pytest.raises(InputError, match="leave no room") as caught:
        await collect(chat_with(backend, settings=Settings(max_tokens=100)).ask("?"), [])
    assert "--max-tokens" in (caught.value.hint or "")


async def test_a_prompt_limit_of_its_own_counts_too() -> None:
    backend = ScriptedBackend(limits=Limits(1000, prompt=30))
    await fail(chat_with(backend).ask("word " * 40), ContextOverflow)


# Storage faults


@pytest.mark.parametrize("error", [FULL, TryLaterError("locked")])
async def test_a_storage_fault_never_costs_the_answer(error: StorageError | TryLaterError) -> None:
    journal = RecordingJournal(faults={"begin": [error] * 2, "append": [error] * 2, "end": [error]})
    chat = chat_with(ScriptedBackend(said("One", " two")), journal)
    events, reply = await run(chat.ask("?"))
    assert text_of(events) == reply.text == "One two"
    assert (reply.status, reply.unsaved) == (Status.COMPLETE, error)


async def test_a_fault_that_passed_is_not_spoken_of() -> None:
    journal = RecordingJournal(faults={"append": [FULL]})
    _, reply = await run(chat_with(ScriptedBackend(said("One")), journal).ask("?"))
    assert reply.unsaved is None


# Settings


async def test_what_was_chosen_stands_over_the_models_card_and_that_over_the_defaults() -> None:
    card = Settings(temperature=0.2, top_p=0.9)
    backend = ScriptedBackend(said("Hi"), defaults=card)
    chat = chat_with(backend, settings=Settings(temperature=0, stop=("x",)))
    await run(chat.ask("?"))
    assert backend.requests[0].settings == Settings(temperature=0, top_p=0.9, max_tokens=1024, stop=("x",))


# What the answer has to be

A_NUMBER = JsonSchema({"type": "integer"})


@pytest.mark.parametrize(
    ("constraint", "texts", "kept", "fault"),
    [
        (A_NUMBER, [" 4", "2"], "42", None),
        (A_NUMBER, ["4", "."], "4.", "the answer is not JSON: Extra data: line 1 column 2 (char 1)"),
        (Regex(" 4."), [" 4", "2"], " 42", None),
        (Regex("4."), [" 4", "2"], " 42", "the answer does not match the pattern 4."),
    ],
)
async def test_an_answer_that_is_not_what_it_has_to_be_is_kept_and_at_fault(
    constraint: Constraint, texts: list[str], kept: str, fault: str | None
) -> None:
    backend, journal = ScriptedBackend(said(*texts), prompt_format=TRANSCRIPT), RecordingJournal()
    events, reply = await run(chat_with(backend, journal).ask("Which?", constraint=constraint))
    assert backend.requests[0].constraint == constraint
    assert (reply.fault and reply.fault.message) == fault
    assert text_of(events) == reply.text == journal.text == kept
    assert [status for status, _ in journal.ended] == [Status.COMPLETE]


async def test_an_answer_cut_by_length_says_so_unless_it_is_whole_all_the_same() -> None:
    backend = ScriptedBackend(said("[4", finish=LENGTH), said("[4]", finish=LENGTH))
    chat, numbers = chat_with(backend, settings=Settings(max_tokens=2)), JsonSchema({"type": "array"})
    _, cut = await run(chat.ask("Which?", constraint=numbers))
    assert cut.status is Status.LENGTH
    assert cut.fault is not None
    assert cut.fault.message == "the answer was cut at 2 tokens, before it was complete"
    _, whole = await run(chat.ask("Which?", constraint=numbers))
    assert (whole.status, whole.fault) == (Status.LENGTH, None)


async def test_an_answer_that_broke_off_has_one_error_only() -> None:
    turn = chat_with(ScriptedBackend([Token("[4"), BrokenReply("gone")])).ask("Hi", constraint=A_NUMBER)
    with pytest.raises(BrokenReply, match="gone"):
        await collect(turn, [])
    assert turn.reply is not None
    assert turn.reply.fault is None


@pytest.mark.parametrize("text", [r'"\nUser: me"', '"<|endoftext|>"'])
async def test_a_stop_text_of_the_format_does_not_cut_json(text: str) -> None:
    backend = ScriptedBackend(said(text[:3], text[3:], "\nUser: and you?"), prompt_format=TRANSCRIPT)
    events, reply = await run(chat_with(backend).ask("Hi", constraint=JsonSchema({"type": "string"})))
    assert (text_of(events), reply.fault) == (text, None)


async def test_a_prompt_that_is_shrunk_keeps_what_its_answer_has_to_be() -> None:
    backend = ScriptedBackend([ContextOverflow("too long", limit=1500)], said("42"))
    conversation = Conversation(messages=(Message(Role.USER, "word " * 300), Message(Role.ASSISTANT, "Yes")))
    await run(chat_with(backend, conversation=conversation).ask("Which?", constraint=A_NUMBER))
    assert [request.constraint for request in backend.requests] == [A_NUMBER, A_NUMBER]
