from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmchat.backends.http.sse import MAX_EVENT, EventDecoder
from llmchat.errors import BrokenReply


def decode(*chunks: bytes) -> list[str]:
    decoder = EventDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)] + list(decoder.flush())


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("colon", ["data:", "data: "])
def test_every_line_end_and_both_colons_are_understood(end: str, colon: str) -> None:
    stream = f"{colon}one{end}{end}{colon}two{end}{colon}more{end}{end}".encode()
    assert decode(stream) == ["one", "two\nmore"]


def test_only_one_space_behind_the_colon_is_dropped() -> None:
    assert decode(b"data:  two\n\n") == [" two"]


def test_comments_and_other_fields_give_no_event() -> None:
    assert decode(b": keep-alive\n\nevent: ping\nid: 7\nretry: 10\n\nunknown\n\ndata: x\n\n") == ["x"]


def test_a_byte_order_mark_at_the_start_is_read_over() -> None:
    assert decode(b"\xef\xbb\xbfdata: x\n\n") == ["x"]


def test_an_event_that_the_end_of_the_stream_completes_counts() -> None:
    assert decode(b"data: a\n\ndata: b") == ["a", "b"]


def test_an_event_over_the_cap_is_refused_before_it_ends() -> None:
    decoder = EventDecoder()
    assert list(decoder.feed(b"data: " + b"x" * (MAX_EVENT - 10))) == []
    with pytest.raises(BrokenReply, match="more than 1,048,576 bytes"):
        list(decoder.feed(b"x" * 20))


def test_many_lines_of_one_event_count_together() -> None:
    decoder = EventDecoder(limit=100)
    with pytest.raises(BrokenReply, match="more than 100 bytes"):
        list(decoder.feed(b"data: 0123456789\n" * 12))


def test_a_long_stream_of_small_events_is_not_capped() -> None:
    decoder = EventDecoder(limit=100)
    assert len(list(decoder.feed(b"data: 0123456789\n\n" * 50))) == 50


def test_an_event_that_is_not_utf_8_is_refused_behind_those_before_it() -> None:
    events = EventDecoder().feed(b"data: good\n\ndata: \xff\xfe\n\n")
    assert next(events) == "good"
    with pytest.raises(BrokenReply, match="not valid UTF-8"):
        next(events)


LINES = st.lists(
    st.sampled_from(["data: é€🙂", "data:x", "data", ": comment", "event: e", "", "", "id: 1", "data:  y"]),
    max_size=20,
)


@given(
    LINES, st.sampled_from(["\n", "\r", "\r\n"]), st.booleans(), st.lists(st.integers(0, 300), max_size=20)
)
def test_however_a_stream_is_split_the_events_are_the_same(
    lines: list[str], end: str, mark: bool, cuts: list[int]
) -> None:
    stream = (b"\xef\xbb\xbf" if mark else b"") + "".join(line + end for line in lines).encode()
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[a:b] for a, b in pairwise(places)]
    single_bytes = [stream[at : at + 1] for at in range(len(stream))]
    assert decode(*pieces) == decode(stream) == decode(*single_bytes)


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1), max_size=5))
def test_every_text_on_one_line_survives(texts: list[str]) -> None:
    assert decode("".join(f"data: {text}\n\n" for text in texts).encode()) == texts
