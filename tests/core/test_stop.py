"""The stop cutter: the same text however a stream is split, and never a stop text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmchat.core.prompt_format import FORMATS
from llmchat.core.stop import StopCutter

STOPS = st.lists(st.text("ab\n:U", min_size=1, max_size=5), max_size=4)
PIECES = st.lists(st.text("ab\n:U", max_size=4), max_size=20)


def cut(pieces: list[str], stops: list[str]) -> str:
    cutter = StopCutter(stops)
    return "".join(cutter.feed(piece) for piece in pieces) + cutter.flush()


@given(PIECES, STOPS)
def test_any_split_of_the_stream_gives_the_text_before_the_first_stop(
    pieces: list[str], stops: list[str]
) -> None:
    whole = "".join(pieces)
    places = [whole.find(stop) for stop in stops if stop in whole]
    assert cut(pieces, stops) == whole[: min(places, default=len(whole))]


@given(PIECES, STOPS)
def test_no_stop_text_is_ever_shown(pieces: list[str], stops: list[str]) -> None:
    shown = cut(pieces, stops)
    assert not any(stop in shown for stop in stops)


@given(PIECES, STOPS)
def test_text_is_held_back_only_while_it_could_become_a_stop(pieces: list[str], stops: list[str]) -> None:
    cutter = StopCutter(stops)
    shown = fed = ""
    for piece in pieces:
        shown += cutter.feed(piece)
        fed += piece
        if cutter.stopped:
            break
        held = fed[len(shown) :]
        assert not held or any(stop.startswith(held) and stop != held for stop in stops)


def test_a_stop_split_over_three_pieces_and_run_past_is_cut() -> None:
    assert cut(["Paris.", "\nUs", "er", ": And", " you?"], list(FORMATS["transcript"].stop)) == "Paris."


def test_a_stop_that_comes_first_leaves_nothing() -> None:
    assert cut(["\nUser: hi"], list(FORMATS["transcript"].stop)) == ""


def test_a_half_stop_at_the_end_is_text() -> None:
    assert cut(["fine", "\nUse"], ["\nUser:"]) == "fine\nUse"


def test_the_stop_that_begins_first_cuts_even_if_a_later_one_ends_first() -> None:
    assert cut(["xab", "cd"], ["abcd", "bc"]) == "x"
    assert cut(["xab", "ce"], ["abcd", "bc"]) == "xa"


def test_once_stopped_nothing_more_comes() -> None:
    cutter = StopCutter(["."])
    assert cutter.feed("a.b") == "a"
    assert cutter.stopped
    assert cutter.feed("c") == cutter.flush() == ""
