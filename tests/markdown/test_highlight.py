"""Code is coloured line by line, from the state the line before left."""

from __future__ import annotations

import pytest
from pygments.lexer import RegexLexer
from pygments.lexers import get_lexer_by_name
from rich.style import Style

from llmchat.markdown import load_theme
from llmchat.markdown.highlight import BEGIN, LINE_LIMIT, Highlighter, _lex
from llmchat.markdown.rows import PLAIN

THEME = load_theme("dark")


def styles(language: str, code: str) -> dict[str, Style]:
    """The style of each piece of text, by that text."""
    highlighter, state = Highlighter(THEME), BEGIN
    found: dict[str, Style] = {}
    for line in code.split("\n"):
        runs, state = highlighter.runs(language, line, state)
        assert "".join(text for text, _ in runs) == line
        found |= {text.strip(): style for text, style in runs}
    return found


def test_a_string_goes_on_over_lines() -> None:
    found = styles("python", 'x = """one\ntwo\n""" + three\nreturn')
    assert found["two"] == THEME.token("Literal.String")
    assert found["three"] == PLAIN
    assert found["return"] == THEME.token("Keyword")


def test_a_value_goes_on_in_the_next_line() -> None:
    found = styles("toml", 'ages = [\n  1,\n  "two",\n]\nthree = 4')
    assert found["1"] == found["4"] == THEME.token("Literal.Number")
    assert found["two"] == THEME.token("Literal.String")


@pytest.mark.parametrize("language", ["python", "c", "rust", "toml", "html", "bash", "sql"])
def test_a_line_has_the_tokens_that_pygments_finds(language: str) -> None:
    """Its table of rules is private: this holds for the versions in pyproject.toml, 2.19 to 2.x."""
    lexer, line = get_lexer_by_name(language), "let x = f(\"a\", 1) # <b c='d'>\n"
    assert isinstance(lexer, RegexLexer)
    expected = [(at, str(kind), text) for at, kind, text in RegexLexer.get_tokens_unprocessed(lexer, line)]
    found = [(at, f"Token.{kind}", text) for at, kind, text, _ in _lex(lexer, line, 0, ("root",))]
    assert found == expected


@pytest.mark.parametrize(
    "language", ["c", "javascript", "java", "css", "go", "rust", "sql", "php", "typescript"]
)
def test_a_block_comment_goes_on_over_lines(language: str) -> None:
    found = styles(language, "<?php\n/* one\nreturn */ x" if language == "php" else "/* one\nreturn */ x")
    assert found["/* one"] == found["return */"] == THEME.token("Comment")
    assert found["x"] != THEME.token("Comment")


def test_what_looks_like_a_comment_in_a_string_is_none() -> None:
    found = styles("c", 'char *s = "/* no";\nreturn 1;')
    assert found["return"] == THEME.token("Keyword")


LANGUAGES = (
    "python c cpp javascript typescript bash html css json yaml toml sql rust go java kotlin swift ruby "
    "php perl lua r diff makefile dockerfile ini markdown rst xml console pycon powershell haskell latex "
    "jinja vim no-such"
)


@pytest.mark.parametrize("language", LANGUAGES.split())
def test_no_character_is_lost_or_added_in_any_language(language: str) -> None:
    styles(
        language,
        'def f(x): # a\n\n  \'b\' "c /* d\n<p a="b">{{ x }} $y `z`\n*/ - k: [v] \\\n\tend\n=== <!-- \n-->',
    )


def test_a_line_of_data_is_plain() -> None:
    runs, state = Highlighter(THEME).runs("python", "1" * (LINE_LIMIT + 1), BEGIN)
    assert runs == (("1" * (LINE_LIMIT + 1), PLAIN),)
    assert state == BEGIN


def test_a_lexer_is_looked_for_once() -> None:
    asked: list[str] = []
    highlighter = Highlighter(THEME, lambda name: asked.append(name))
    for _ in range(3):
        highlighter.runs("x", "line", BEGIN)
    assert asked == ["x"]
