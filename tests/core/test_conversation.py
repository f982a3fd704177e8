"""Which messages are sent: the system message and the newest question always."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmchat.core.conversation import Conversation, Message, Role, Status
from llmchat.errors import ContextOverflow


def dialogue(*turns: tuple[str, str | None], system: str = "") -> Conversation:
    messages = []
    for question, reply in turns:
        messages.append(Message(Role.USER, question))
        if reply is not None:
            messages.append(Message(Role.ASSISTANT, reply, Status.COMPLETE if reply else Status.FAILED))
    return Conversation(system, tuple(messages))


async def count_characters(messages: Sequence[Message]) -> int:
    return sum(len(message.text) for message in messages)


async def test_all_is_sent_where_all_fits() -> None:
    window = await dialogue(("aaaa", "bbbb"), ("cc", None), system="ss").window(12, count_characters)
    assert [m.text for m in window.messages] == ["ss", "aaaa", "bbbb", "cc"]
    assert (window.dropped_turns, window.tokens) == (0, 12)


async def test_the_oldest_whole_turn_goes_first() -> None:
    window = await dialogue(("aaaa", "bbbb"), ("cccc", "dddd"), ("e", None), system="s").window(
        12, count_characters
    )
    assert [m.text for m in window.messages] == ["s", "cccc", "dddd", "e"]
    assert (window.dropped_turns, window.tokens) == (1, 10)


async def test_a_question_that_does_not_fit_alone_is_refused() -> None:
    with pytest.raises(ContextOverflow, match="12 tokens"):
        await dialogue(("a", "b"), ("c" * 10, None), system="ss").window(11, count_characters)


async def test_a_question_whose_answer_failed_empty_is_left_out_but_not_the_newest() -> None:
    said = dialogue(("lost", ""), ("kept", "reply"), ("now", None))
    assert [m.text for m in said.sendable()] == ["kept", "reply", "now"]
    assert [m.text for m in dialogue(("now", "")).sendable()] == ["now"]


async def test_the_window_moves_in_steps_so_that_a_prompt_cache_stays_useful() -> None:
    starts = []
    for length in range(1, 60):
        turns: list[tuple[str, str | None]] = [(f"q{n:02}", f"r{n:02}") for n in range(length)]
        window = await dialogue(*turns, ("end", None)).window(80, count_characters)
        starts.append(window.messages[0].text)
    moves = sum(1 for before, after in itertools.pairwise(starts) if before != after)
    assert moves <= len(starts) * 6 / (80 / 4) + 1  # one move for every quarter of the limit that was said


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30)), max_size=12),
    st.integers(1, 10),
    st.integers(0, 5),
    st.integers(16, 120),
)
async def test_a_window_fits_and_holds_the_newest_turns(
    turns: list[tuple[int, int]], newest: int, system: int, limit: int
) -> None:
    said = dialogue(*((("q" * q), "r" * r) for q, r in turns), ("n" * newest, None), system="s" * system)
    window = await said.window(limit, count_characters)
    assert await count_characters(window.messages) == window.tokens <= limit
    everything = said.sendable()
    assert window.messages[-1] == everything[-1]
    rest = window.messages[1:] if system else window.messages
    assert rest == everything[len(everything) - len(rest) :]
    assert rest[0].role is Role.USER
    assert not system or window.messages[0].role is Role.SYSTEM
