"""Saved conversations as an HTML page."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from llmchat.markdown import read_code_blocks
from llmchat.sanitize import sanitize
from llmchat.transcripts.html import to_html
from markdown.documents import EVERYTHING
from transcripts.exports import EVIL, make


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text))


class Page(HTMLParser):
    """The tags of a page, with what they refer to, and its text as a browser shows it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.refers: set[str] = set()
        self.text = ""
        self._open: str | None = None
        self.code: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open = dict(attrs).get("class", tag)
        if tag == "code":
            self.code.append("")
        self.refers |= {str(value) for name, value in attrs if name in ("src", "href", "srcset", "action")}

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open == "text":
            self.texts.append(data)
        if self._open == "code":
            self.code[-1] += data


def test_html_shows_every_text_as_it_is_and_runs_and_fetches_nothing() -> None:
    code = f"```python\nif a < b:\n\tprint('{EVIL}')\n```"
    page = to_html([make(EVIL, f"Before\n{code}\nafter {EVIL}", title=EVIL)])
    read = Page(page)
    assert not {"script", "img", "link", "iframe", "object", "form", "base"} & set(read.tags)
    assert read.refers == set()
    assert read.text.count('<script>alert("1")</script> & <img src="http://tracker">') == 5
    assert [part.splitlines()[0] for part in read.code] == ["if a < b:"]
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page


def test_html_of_several_conversations_begins_with_links_to_them() -> None:
    page = Page(to_html([make("one", "1"), make("two", "2", key="bbbbbbbbbb")]))
    assert page.refers == {"#abcdefghjk", "#bbbbbbbbbb"}
    assert page.tags.count("section") == 2


@pytest.mark.parametrize(
    ("text", "code", "rest"),
    [
        ("```\nopen", ["open\n"], []),
        ("~~~~ py\na\n~~~\nb\n~~~~\nc", ["a\n~~~\nb\n"], ["c"]),
        ("```\na\n```\ntext\n```\nb\n```", ["a\n", "b\n"], ["text"]),
        ("no `code` here", [], ["no `code` here"]),
        ("```not``` a block\n", [], ["```not``` a block"]),
        ("~~~\n" + "```\n" * 20_000, ["```\n" * 20_000], []),
        ("1. Do:\n\n    ```py\n    x\n      y\n    ```\n2. Then", ["x\n  y\n"], ["1. Do:", "2. Then"]),
        ("- a\n  - b\n\n      ```\n      deep\n      ```\n\n    c", ["deep\n"], ["- a\n  - b", "    c"]),
        ("1. ```\n   first\n   ```\n2. next", ["first\n"], ["1.", "2. next"]),
        ("> - ~~~ a~~~b\n>   quoted\n> text", ["quoted\n"], ["> -", "> text"]),
        ("> said\n> ```\n> quoted\n> ```\n> text", ["quoted\n"], ["> said", "> text"]),
        ("> ```\n> left | open\nafter | it", ["left | open\n"], [">", "after | it"]),
        ("text\n\n    a\n\n    b\n\nc | d", ["a\n\nb\n"], ["text", "c | d"]),
        ("- a\r\n\r\n      b\r\n", ["b\n"], ["- a"]),
        ("```\n```", [""], []),
    ],
)
def test_html_sets_the_code_apart_that_a_terminal_numbers(
    text: str, code: list[str], rest: list[str]
) -> None:
    page = Page(to_html([make("?", text)]))
    assert page.code == code
    assert page.texts[1:] == rest
    assert [f"{block.text}\n" if block.text else "" for block in read_code_blocks(text)] == code


@pytest.mark.parametrize("name", EVERYTHING)
def test_html_keeps_every_word_of_a_text(name: str) -> None:
    """But what stands behind a fence."""
    page = Page(to_html([make("?", EVERYTHING[name])]))
    said, shown = words(sanitize(EVERYTHING[name])), words(" ".join([*page.texts, *page.code]))
    behind_fences = words(" ".join(re.findall(r"(?:```|~~~).*", EVERYTHING[name])))
    assert (said - shown).keys() <= behind_fences.keys()
