"""Every example of the CommonMark specification, streamed, leaves what showing it at once leaves.

The examples are those of version 0.31.2 by John MacFarlane, CC-BY-SA 4.0. How they are rendered is not the
specification's: the dialect of terminal/markdown departs from it where it would reach back.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from llmchat.markdown import MarkdownStream, load_theme
from terminal.reply.test_painter import at_once, random_pieces, streamed

SPECIFICATION = Path(__file__).parents[2] / "markdown" / "commonmark-spec-0.31.2.txt"
EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.\n.*?^`{32}$", re.MULTILINE | re.DOTALL)
EXAMPLES = [found[1].replace("→", "\t") for found in EXAMPLE.finditer(SPECIFICATION.read_text("utf-8"))]
MONO = load_theme("mono")


def test_the_examples_are_all_there() -> None:
    assert len(EXAMPLES) == 652


WIDTHS = (80, 20, 2)
SIZES = ((40, 10), (20, 4))


@pytest.mark.parametrize("chunking", ["characters", "lines", "random"])
def test_the_rows_of_every_example_do_not_depend_on_how_it_came(chunking: str) -> None:
    for number, example in enumerate(EXAMPLES, 1):
        width = WIDTHS[number % len(WIDTHS)]
        whole = MarkdownStream(width, theme=MONO)
        whole.feed(example)
        growing = MarkdownStream(width, theme=MONO)
        rows = []
        for piece in _cut(example, chunking, seed=number):
            growing.feed(piece)
            rows += growing.frame().done
        assert (*rows, *growing.finish()) == whole.finish(), f"example {number}"


def test_the_screen_after_every_example_does_not_depend_on_how_it_came() -> None:
    for number, example in enumerate(EXAMPLES, 1):
        size = SIZES[number % len(SIZES)]
        pieces = _cut(example, "random", seed=number)
        assert streamed(pieces, size, 3).reply == at_once(example, size, 3).reply, f"example {number}"


def _cut(text: str, chunking: str, *, seed: int) -> list[str]:
    if chunking == "characters":
        return list(text)
    if chunking == "lines":
        return text.splitlines(keepends=True)
    return list(random_pieces(text, random.Random(seed)))
