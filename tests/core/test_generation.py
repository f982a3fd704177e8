"""Settings: ranges, and which value stands where nobody chose one."""

from __future__ import annotations

import math

import pytest

from llmchat.core.backend import estimate_tokens
from llmchat.core.generation import RANGES, Settings
from llmchat.errors import UsageError


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("temperature", 2.1, "0 to 2"),
        ("temperature", -0.1, "0 to 2"),
        ("temperature", math.nan, "0 to 2"),
        ("temperature", math.inf, "0 to 2"),
        ("top_p", 0.0, "above 0, at most 1"),
        ("top_k", 0, "1 to 1000000"),
        ("max_tokens", 0, "1 to 10000000"),
        ("seed", -1, "0 to 4294967294"),
        ("repetition_penalty", 0.0, "above 0, at most 10"),
    ],
)
def test_a_number_out_of_range_is_refused_with_the_range(name: str, value: float, takes: str) -> None:
    with pytest.raises(UsageError, match=name.replace("_", "-")) as caught:
        Settings(**{name: value})  # type: ignore[arg-type] # any of them
    assert caught.value.hint == f"it takes {takes}"


def test_the_bounds_themselves_are_accepted() -> None:
    for name, allowed in RANGES.items():
        kind = float if name in ("temperature", "top_p", "repetition_penalty") else int
        Settings(**{name: kind(allowed.high)})  # type: ignore[arg-type] # any of them
    assert Settings(temperature=0).temperature == 0


def test_an_empty_stop_text_is_refused() -> None:
    with pytest.raises(UsageError, match="empty"):
        Settings(stop=("x", ""))


def test_zero_chosen_stands_over_a_default() -> None:
    chosen = Settings(temperature=0, stop=("x",)).over(Settings(temperature=0.7, top_p=0.9, max_tokens=8))
    assert chosen == Settings(temperature=0, top_p=0.9, max_tokens=8, stop=("x",))


def test_an_estimate_errs_on_the_side_of_more_tokens() -> None:
    assert estimate_tokens("hello there").tokens >= 2
    assert estimate_tokens("\U0001f600" * 3).tokens >= 3
    assert not estimate_tokens("").exact
