"""Highlights code line by line, by Pygments.

Pygments needs a whole program. Here each line is lexed once, from the state after the line before, so that
the colours of a line are final as soon as it is complete. A construct that a lexer recognizes only as a
whole, over several lines, is coloured line by line; block comments are tracked separately.

The loop of Pygments is copied, because its own (a LexerContext also shows its states) goes one step too
far: at the end of a text it applies rules that match nothing, and so leaves a state that the next line needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from llmchat.markdown.rows import PLAIN, Run, Runs
from llmchat.markdown.theme import Theme

LINE_LIMIT = 1000
"""Longest line, in characters, that is coloured; a longer one is data, and shown plain."""

_COMMENTS = {"/*": "*/", "<!--": "-->"}
_QUOTED = ("Comment", "Literal.String")
_BLOCK_COMMENTS = frozenset(
    {"c", "c++", "c#", "objective-c", "java", "javascript", "typescript", "jsx", "tsx", "css", "scss", "less"}
    | {"go", "rust", "kotlin", "swift", "scala", "php", "dart", "groovy", "sql", "glsl", "html", "xml"}
)

Stack = tuple[str, ...]
Rule = tuple[Callable[[str, int], re.Match[str] | None], object, object]


class Lexer(Protocol):
    """The part of a Pygments lexer that is used here; Pygments has no type annotations."""

    name: str

    def get_tokens_unprocessed(self, text: str) -> Iterable[tuple[int, object, str]]: ...


class RuleLexer(Lexer, Protocol):
    """A RegexLexer: its rules by state, as its metaclass compiles them."""

    _tokens: Mapping[str, Sequence[Rule]]


@dataclass(frozen=True, slots=True)
class State:
    """The state after a line of code: the lexer's states, and the open comment."""

    stack: Stack = ("root",)
    comment: str = ""  # the end of the comment


BEGIN = State()


class Highlighter:
    """Colours code line by line. Imports Pygments and finds a lexer at the first line."""

    def __init__(self, theme: Theme, find_lexer: Callable[[str], Lexer | None] | None = None) -> None:
        self._theme = theme
        self._find_lexer = find_lexer or _find_lexer
        self._lexers: dict[str, Lexer | None] = {}

    def runs(self, language: str, line: str, state: State) -> tuple[Runs, State]:
        """The line, without newline, as styled runs; and the state for the next one."""
        if not language or len(line) > LINE_LIMIT:
            return ((line, PLAIN),), state
        if language not in self._lexers:
            self._lexers[language] = self._find_lexer(language)
        lexer = self._lexers[language]
        if lexer is None:
            return ((line, PLAIN),), state
        runs, after = _Line(self._theme, lexer, line).read(state)
        left = len(line)
        fitting: list[Run] = []  # without the newline that ended the line
        for text, style in runs:
            fitting.append((text[:left], style))
            left -= len(text[:left])
        return tuple(fitting), after


def _find_lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        found: Lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return None
    return found


class _Line:
    """One line being coloured."""

    def __init__(self, theme: Theme, lexer: Lexer, line: str) -> None:
        self._theme = theme
        self._lexer = lexer
        self._line = f"{line}\n"
        self._comments = lexer.name.lower() in _BLOCK_COMMENTS
        self._runs: list[Run] = []

    def read(self, state: State) -> tuple[list[Run], State]:
        at = 0
        while at < len(self._line):
            at, state = self._read_comment(at, state) if state.comment else self._read_code(at, state)
        return self._runs, state

    def _read_comment(self, at: int, state: State) -> tuple[int, State]:
        found = self._line.find(state.comment, at)
        end = len(self._line) if found < 0 else found + len(state.comment)
        self._runs.append((self._line[at:end], self._theme.token("Comment.Multiline")))
        return end, state if found < 0 else replace(state, comment="")

    def _read_code(self, at: int, state: State) -> tuple[int, State]:
        """Reads up to the end of the line, or into a comment that continues on the next."""
        for start, kind, text, stack in _lex(self._lexer, self._line, at, state.stack):
            if self._comments and (opener := self._unclosed(start, kind, text)):
                return start, State(state.stack, _COMMENTS[opener])
            if text:
                self._runs.append((text, self._theme.token(kind)))
            state = State(stack)
        return len(self._line), state

    def _unclosed(self, start: int, kind: str, text: str) -> str | None:
        if kind.startswith("Comment.Multiline"):
            opener = next((mark for mark in _COMMENTS if text.startswith(mark)), None)
            return opener if opener and not text.rstrip().endswith(_COMMENTS[opener]) else None
        if kind.startswith(_QUOTED):
            return None
        for opener, closer in _COMMENTS.items():
            if self._line.startswith(opener, start) and closer not in self._line[start + len(opener) :]:
                return opener
        return None


def _lex(lexer: Lexer, text: str, at: int, stack: Stack) -> Iterator[tuple[int, str, str, Stack]]:
    """The tokens from `at` on: start, kind and text, and the states after each."""
    from pygments.lexer import ExtendedRegexLexer, RegexLexer

    if isinstance(lexer, RegexLexer) and not isinstance(lexer, ExtendedRegexLexer):
        yield from _lex_from_state(lexer, text, at, list(stack))
    else:  # this lexer does not show its state
        for start, kind, value in lexer.get_tokens_unprocessed(text[at:]):
            yield at + start, _kind(kind), value, stack


def _lex_from_state(
    lexer: RuleLexer, text: str, at: int, stack: list[str]
) -> Iterator[tuple[int, str, str, Stack]]:
    """Like `RegexLexer.get_tokens_unprocessed`, which does not return the states at its end."""
    while at < len(text):
        found, action = _apply_rule(lexer._tokens[stack[-1]], text, at, stack)
        if found is None:
            if text[at] == "\n":
                stack[:] = ["root"]
            yield at, "Text" if text[at] == "\n" else "Error", text[at], tuple(stack)
            at += 1
            continue
        if isinstance(action, tuple):  # the kind of a token, which Pygments has as a tuple of names
            yield at, _kind(action), found[0], tuple(stack)
        elif callable(action):
            for start, kind, value in action(lexer, found):
                yield start, _kind(kind), value, tuple(stack)
        at = found.end()


def _apply_rule(
    rules: Sequence[Rule], text: str, at: int, stack: list[str]
) -> tuple[re.Match[str] | None, object]:
    """Applies the first rule that matches here and advances the text or changes the states."""
    for match, action, new_state in rules:
        if found := match(text, at):
            before = tuple(stack)
            _change_state(stack, new_state)
            if found.end() > at or tuple(stack) != before:
                return found, action
    return None, None


def _kind(token: object) -> str:
    return str(token).removeprefix("Token").lstrip(".")


def _change_state(stack: list[str], new: object) -> None:
    """Changes the states as a rule of RegexLexer says: push, pop, or nothing."""
    if isinstance(new, tuple):
        for state in new:
            if state == "#pop":
                del stack[max(1, len(stack) - 1) :]
            else:
                stack.append(stack[-1] if state == "#push" else state)
    elif isinstance(new, int):  # how many to pop, below zero
        del stack[max(1, len(stack) + new) :]
    elif new is not None:
        stack.append(stack[-1])
