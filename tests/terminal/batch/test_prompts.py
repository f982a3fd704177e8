"""What a line of a batch asks for, and what is wrong with it."""

from __future__ import annotations

import pytest

from llmchat.core.generation import Settings
from llmchat.core.input_text import INPUT_CAP
from llmchat.terminal.batch.lines import BatchLine
from llmchat.terminal.batch.prompts import BadLine, BatchFrame, BatchPrompt, read_prompt


def read(content: bytes) -> BatchPrompt | BadLine:
    return read_prompt(BatchLine(1, 0, content, len(content)))


@pytest.mark.parametrize(
    ("content", "prompt"),
    [
        (b" What? ", BatchPrompt(" What? ")),
        (b'"a \\"text\\"\\n\\u00e9"', BatchPrompt('a "text"\né')),
        (b'"Hello," he said.', BatchPrompt('"Hello," he said.')),
        (b"[1, 2]", BatchPrompt("[1, 2]")),
        (b"5", BatchPrompt("5")),
        (b"\xef\xbb\xbfmarked", BatchPrompt("marked")),
        (b' {"prompt": "Hi"}', BatchPrompt("Hi")),
        (b'{"prompt": "Hi", "id": "a", "system": ""}', BatchPrompt("Hi", system="", id="a")),
        (b'{"prompt": "Hi", "id": 0}', BatchPrompt("Hi", id=0)),
        (b'{"prompt": "Hi", "id": 1.5, "seed": null, "stop": null}', BatchPrompt("Hi", id=1.5)),
        (b'{"prompt": "Hi", "stop": "END"}', BatchPrompt("Hi", Settings(stop=("END",)))),
        (
            b'{"prompt": "Hi", "temperature": 0.5, "top_p": 0.9, "top_k": 3, "max_tokens": 5,'
            b' "stop": ["a", "b"], "seed": 7, "repetition_penalty": 1.1}',
            BatchPrompt("Hi", Settings(0.5, 0.9, 3, 5, ("a", "b"), 7, 1.1)),
        ),
    ],
)
def test_a_line_is_an_object_a_json_text_or_a_prompt_as_it_is(content: bytes, prompt: BatchPrompt) -> None:
    assert read(content) == prompt


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{broken", "not valid JSON"),
        (b'{"prompt": "Hi"', "is not valid JSON"),
        (b'{"prompt": "Hi"} and more', "is not valid JSON"),
        (b'{"prompt": NaN}', "is not valid JSON"),
        (b'{"a":' * 100_000, "is not valid JSON"),
        (b"{}", "no prompt"),
        (b'{"prompt": null}', "prompt of the line"),
        (b'{"prompt": ["Hi"]}', "prompt of the line"),
        (b'{"prompt": " \\n"}', "empty"),
        (b'""', "empty"),
        (b'{"prompt": "Hi", "temprature": 1}', "unknown field temprature"),
        (b'{"prompt": "Hi", "id": true}', "id of"),
        (b'{"prompt": "Hi", "id": 1e999}', "id of"),
        (b'{"prompt": "Hi", "system": 5}', "system of"),
        (b'{"prompt": "Hi", "temperature": 3}', "temperature of"),
        (b'{"prompt": "Hi", "temperature": "1"}', "temperature of"),
        (b'{"prompt": "Hi", "temperature": true}', "temperature of"),
        (b'{"prompt": "Hi", "temperature": 1e999}', "temperature of"),
        (b'{"prompt": "Hi", "max_tokens": 0}', "max_tokens of"),
        (b'{"prompt": "Hi", "max_tokens": 5.5}', "max_tokens of"),
        (b'{"prompt": "Hi", "stop": ["a", ""]}', "stop of"),
        (b'{"prompt": "Hi", "stop": 5}', "stop of"),
        (b"\xff", "not UTF-8"),
        (b"a\0b", "binary"),
        (b'{"prompt": "a\\u0000b"}', "binary"),
        (b'"a\\ud800b"', "not UTF-8"),
        (b"x" * (INPUT_CAP + 1), "over 16 MiB"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(content: bytes, says: str) -> None:
    bad = read(content)
    assert isinstance(bad, BadLine)
    assert any(part in bad.error.message for part in says.split("|"))
    assert (bad.error.exit_code, bool(bad.error.hint)) == (65, True)


def test_a_bad_line_keeps_its_id() -> None:
    bad = read(b'{"id": 7, "prompt": 5}')
    assert isinstance(bad, BadLine)
    assert bad.id == 7


def test_a_frame_is_around_every_prompt_with_blank_lines_between() -> None:
    assert BatchFrame("before", "after").around("Hi") == "before\n\nHi\n\nafter"
    assert BatchFrame().around("Hi\n") == "Hi\n"
