"""The code blocks of a text, and what is between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmchat.markdown import CodeBlock, read_code_blocks, split_code
from llmchat.markdown.reader import BlockReader
from llmchat.markdown.structure import Event
from markdown.documents import EVERYTHING


def read(*pieces: str) -> list[Event]:
    """With whatever an overlong line is cut into joined again."""
    reader = BlockReader()
    return [event for piece in pieces for event in reader.read(piece)] + reader.finish()


@pytest.mark.parametrize("name", EVERYTHING)
def test_the_events_are_those_of_the_whole_text(name: str) -> None:
    text = EVERYTHING[name]
    assert read(*text) == read(text)


def test_code_blocks_are_found_in_order_as_they_were_written() -> None:
    text = "```python\nx = 1\n\n\ty = 2\n```\n- a\n\n  ~~~ Sh extra\n  ls\n  ~~~\n\ntext\n\n"
    text += "    plain\n\n    code\n\n```js\nopen"
    assert read_code_blocks(text) == (
        CodeBlock("python", "x = 1\n\n\ty = 2"),
        CodeBlock("sh", "ls"),
        CodeBlock("", "plain\n\ncode"),
        CodeBlock("js", "open"),
    )


def test_a_long_line_of_code_is_read_whole() -> None:
    line = "0123456789" * 70_000
    assert [block.text for block in read_code_blocks(f"```\n{line}\n```\n    {line}")] == [line, line]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("a\n\nb\n", ["a\n\nb"]),
        ("1. Do:\n\n    ```py\n    x\n    ```\n2. Then", ["1. Do:\n", CodeBlock("py", "x"), "2. Then"]),
        ("- ```\n  a\n  ```\n- b", ["-", CodeBlock("", "a"), "- b"]),
        ("> ```\n> a\nb", [">", CodeBlock("", "a"), "b"]),
        ("> > ```\n> > a\n> b | c", ["> >", CodeBlock("", "a"), "> b | c"]),
        ("  * + ~~~\n      a", ["  * +", CodeBlock("", "a")]),
        ("a | b\n```\n```\n", ["a | b", CodeBlock("", "")]),
        ("    a\n```\nb\n```", [CodeBlock("", "a"), CodeBlock("", "b")]),
        ("\x1b[m\n```\n\x1b[m", ["\x1b[m", CodeBlock("", "\u241b[m")]),
    ],
)
def test_what_is_between_code_blocks_stays_as_it_is(text: str, parts: list[str | CodeBlock]) -> None:
    assert [part for part in split_code(text) if part] == parts


@given(st.text("ab \n\t`~>-1.|\r", max_size=80))
def test_what_is_split_is_what_is_numbered_and_nothing_is_lost(text: str) -> None:
    parts = list(split_code(text))
    blocks = tuple(part for part in parts if isinstance(part, CodeBlock))
    assert blocks == read_code_blocks(text)
    shown = "".join(f"{part.language}{part.text}" if isinstance(part, CodeBlock) else part for part in parts)
    assert {letter for letter in "ab" if letter in text} == {letter for letter in "ab" if letter in shown}


def test_a_text_is_split_at_a_cost_that_follows_its_length() -> None:
    lines = "- a\n\n      ```\n      b\n      ```\n" * 2000
    assert len(read_code_blocks(lines)) == 2000
