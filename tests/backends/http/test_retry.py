from __future__ import annotations

import pytest

from llmchat.backends.http.errors import Delay, ServerBusy, ServerDown, Unreached
from llmchat.backends.http.retry import LONGEST_DELAY, RetryPolicy
from llmchat.errors import BrokenReply, LLMChatError


def down(seconds: float | None = None, *, guess: bool = False) -> ServerDown:
    error = ServerDown("down")
    error.delay = None if seconds is None else Delay(seconds, guess)
    return error


class Clock:
    """A clock that stands still until it is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def patience(wait: float = 120, *, clock: Clock | None = None, jitter: float = 1.0) -> RetryPolicy:
    return RetryPolicy(wait, clock=clock or Clock(), jitter=lambda: jitter)


def test_three_tries_are_all_there_are_and_the_second_wait_is_longer() -> None:
    one = patience()
    assert [one.delay(Unreached("gone")) for _ in range(3)] == [0.5, 1.0, None]


def test_a_model_that_loads_may_be_asked_as_long_as_there_is_time() -> None:
    clock = Clock()
    one = RetryPolicy(20, clock=clock, jitter=lambda: 1.0, loads=True)
    loading = down()
    loading.loading = True
    delays = []
    while (delay := one.delay(loading)) is not None:
        delays.append(delay)
        clock.now += delay
    assert delays == [0.5, 1, 2, 4, 4, 4, 4, 0.5]
    other = patience()
    assert [other.delay(loading) for _ in range(3)] == [0.5, 1.0, None]


def test_jitter_takes_up_to_half_of_a_wait() -> None:
    assert patience(jitter=0).delay(ServerBusy("busy")) == 0.25


def test_a_wait_the_server_asks_for_is_at_least_that_long() -> None:
    assert patience(jitter=0).delay(down(20)) == 20
    assert patience(jitter=1).delay(down(20)) == pytest.approx(22)


def test_a_server_that_asks_for_too_long_is_not_asked_again() -> None:
    assert patience().delay(down(LONGEST_DELAY + 1)) is None
    assert patience(wait=10).delay(down(11)) is None


def test_a_guess_is_waited_for_as_long_as_there_is_time() -> None:
    assert patience().delay(down(600, guess=True)) == LONGEST_DELAY
    assert patience(wait=10).delay(down(600, guess=True)) == 10


def test_waiting_ends_when_the_time_is_up() -> None:
    clock = Clock()
    one = patience(wait=30, clock=clock)
    clock.now += 29.9
    assert one.delay(down()) == pytest.approx(0.1)
    clock.now += 0.1
    assert one.delay(down()) is None


@pytest.mark.parametrize("error", [BrokenReply("broken"), LLMChatError("bug")])
def test_other_errors_are_final(error: LLMChatError) -> None:
    assert patience().delay(error) is None
