"""Inline markup becomes styles; addresses stay visible; nothing that is decoded drives a terminal."""

from __future__ import annotations

import pytest

from llmchat.markdown import load_theme
from llmchat.markdown.inline import Inline
from llmchat.markdown.rows import PLAIN, plain
from llmchat.sanitize import sanitize
from markdown.documents import EVERYTHING

THEME = load_theme("dark")
INLINE = Inline(THEME)


def text_of(source: str) -> str:
    return plain(INLINE.runs(source, PLAIN))


def test_markup_becomes_styles() -> None:
    runs = INLINE.runs("a *b **c*** `d` ~~e~~", PLAIN)
    styles = {text.strip(): style for text, style in runs if text.strip()}
    assert styles["a"] == PLAIN
    assert styles["b"] == THEME["emphasis"]
    assert styles["c"] == THEME["emphasis"] + THEME["strong"]
    assert styles["d"] == THEME["code"]
    assert styles["e"] == THEME["strike"]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("[a](http://b)", "a (http://b)"),
        ('[a](http://b "c")', 'a (http://b "c")'),
        ("[http://b](http://b)", "http://b"),
        ("<http://b>", "http://b"),
        ("<me@b.example>", "me@b.example"),
        ("[a](http://b/%1b%5d52;c)", "a (http://b/%1b%5d52;c)"),
        ("<http://b/%1b%5d52;c>", "http://b/%1b%5d52;c"),
        ("[a]()", "a"),
        ("![a](b)", "[image: a] (b)"),
        ("[a](javascript:b)", "[a](javascript:b)"),
    ],
)
def test_addresses_are_shown_as_they_were_written(source: str, shown: str) -> None:
    assert text_of(source) == shown


DECODED = (
    *("&#x202E;a", "&ZeroWidthSpace;a", "&#27;[31m", "&#x9b;31m", "[a](&#x202E;b '&#27;c')"),
    *("![&#27;a](&#10;b)", "`\x1b`", "$\x1b$", "<http://a\u202eb>", "&#13;&#8;"),
)


@pytest.mark.parametrize("source", DECODED)
def test_what_entities_decode_to_is_harmless(source: str) -> None:
    assert text_of(source) == sanitize(text_of(source))
    assert "\n" not in text_of(source)


@pytest.mark.parametrize(
    "source", ["a", "*a* `b`", "2 * 3", "\\*a", "[a](b)", "a[0]", "]", "$5 and $6 " + "x" * 300]
)
def test_closed_markup_is_settled(source: str) -> None:
    assert INLINE.is_settled(f"{source} ")


@pytest.mark.parametrize(
    "source", ["*a", "**a*", "`a", "[a", "![a", "[a](b", "~~a", "$a", "\\(a", "_a *b*", "``a`"]
)
def test_open_markup_is_not_settled(source: str) -> None:
    assert not INLINE.is_settled(f"{source} ")


@pytest.mark.parametrize("name", EVERYTHING)
def test_settled_text_is_not_changed_by_what_follows(name: str) -> None:
    text = " ".join(EVERYTHING[name].split())
    for end in range(1, len(text)):
        if text[end - 1] == " " and INLINE.is_settled(text[:end]):
            assert text_of(text[:end]) + text_of(text[end:]) == text_of(text)
