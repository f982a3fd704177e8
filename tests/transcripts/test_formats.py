"""Exports: pure text from records."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import FinishReason, Settings, Usage
from llmchat.core.journal import Provenance
from llmchat.errors import UsageError
from llmchat.markdown import read_code_blocks
from llmchat.sanitize import sanitize
from llmchat.store import ConversationExport, Record
from llmchat.transcripts.formats import Format, choose_format, export
from markdown.documents import EVERYTHING

NOW = 1_800_000_000.0
ORIGIN = Provenance("tgi", "a/model", Settings(stop=("x",)), FinishReason.STOP, Usage(7, 3), 0.5, 2.0)
EVIL = '<script>alert("1")</script> & <img src="http://tracker"> \x1b[2J\u202e'


def make(*texts: str, title: str | None = None, key: str = "abcdefghjk") -> ConversationExport:
    """Questions and answers in turn."""
    records = tuple(
        Record(
            number,
            number - 1 or None,
            Message(Role.USER if number % 2 else Role.ASSISTANT, text),
            NOW,
            None if number % 2 else ORIGIN,
        )
        for number, text in enumerate(texts, 1)
    )
    return ConversationExport(key, title, "", NOW, NOW, len(texts), records)


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text))


def written(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "WHEN", text)


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


def test_markdown_is_a_document_of_the_branch_that_is_read() -> None:
    whole = make("What *is* it?\nTell me.", "It is `this`.")
    assert written(export([whole], Format.MD)) == (
        "# What \\*is\\* it?\n\n*Conversation abcdefghjk, WHEN*\n\n"
        "## You (WHEN)\n\nWhat *is* it?\nTell me.\n\n"
        "## Assistant (WHEN, a/model)\n\nIt is `this`.\n"
    )


def test_what_is_on_other_branches_is_counted() -> None:
    whole = make("one", "1")
    sibling = Record(3, 1, Message(Role.ASSISTANT, "another", Status.STOPPED), NOW, ORIGIN)
    both = ConversationExport(whole.id, "Named", "Be brief.", NOW, NOW, 3, (*whole.records, sibling))
    assert written(export([both], Format.MD)) == (
        "# Named\n\n*Conversation abcdefghjk, WHEN; 1 message on other branches is not shown*\n\n"
        "## System\n\nBe brief.\n\n## You (WHEN)\n\none\n\n## Assistant (WHEN, a/model, stopped)\n\nanother\n"
    )


def test_markdown_and_html_cannot_drive_a_terminal() -> None:
    for format_ in (Format.MD, Format.HTML):
        text = export([make(EVIL, EVIL, title=EVIL)], format_)
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_html_shows_every_text_as_it_is_and_runs_and_fetches_nothing() -> None:
    code = f"```python\nif a < b:\n\tprint('{EVIL}')\n```"
    page = export([make(EVIL, f"Before\n{code}\nafter {EVIL}", title=EVIL)], Format.HTML)
    read = Page(page)
    assert not {"script", "img", "link", "iframe", "object", "form", "base"} & set(read.tags)
    assert read.refers == set()
    assert read.text.count('<script>alert("1")</script> & <img src="http://tracker">') == 5
    assert [part.splitlines()[0] for part in read.code] == ["if a < b:"]
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page


def test_html_of_several_conversations_begins_with_links_to_them() -> None:
    page = Page(export([make("one", "1"), make("two", "2", key="bbbbbbbbbb")], Format.HTML))
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
    page = Page(export([make("?", text)], Format.HTML))
    assert page.code == code
    assert page.texts[1:] == rest
    assert [f"{block.text}\n" if block.text else "" for block in read_code_blocks(text)] == code


@pytest.mark.parametrize("name", EVERYTHING)
def test_html_keeps_every_word_of_a_text(name: str) -> None:
    """But what stands behind a fence."""
    page = Page(export([make("?", EVERYTHING[name])], Format.HTML))
    said, shown = words(sanitize(EVERYTHING[name])), words(" ".join([*page.texts, *page.code]))
    behind_fences = words(" ".join(re.findall(r"(?:```|~~~).*", EVERYTHING[name])))
    assert (said - shown).keys() <= behind_fences.keys()


def test_nothing_at_all_is_still_a_document() -> None:
    assert export([], Format.MD) == ""
    assert "</html>" in export([], Format.HTML)
    assert export([], Format.JSON) == '{\n  "llmchat": 1,\n  "conversations": []\n}\n'


@pytest.mark.parametrize(
    ("given", "file", "chosen"),
    [
        (None, None, Format.MD),
        (None, "talk.HTML", Format.HTML),
        (None, "a.b/talk.json", Format.JSON),
        (None, "talk.txt", Format.MD),
        ("json", "talk.html", Format.JSON),
        ("HTML", None, Format.HTML),
    ],
)
def test_the_format_is_the_one_that_is_named_else_that_of_the_file(
    given: str | None, file: str | None, chosen: Format
) -> None:
    assert choose_format(given, file) is chosen


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        choose_format("pdf", None)
    assert caught.value.hint == "it takes md, json, html"
