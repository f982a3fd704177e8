"""Parses inline Markdown into styled runs, by markdown-it-py.

The dialect drops nothing, and nothing depends on later text: no link references, tags are text, a line
break stays one, formulas and addresses are shown as written, and a link shows its address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.common.utils import unescapeAll
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from rich.style import Style

from llmchat.markdown.rows import Run, Runs
from llmchat.markdown.theme import Theme
from llmchat.sanitize import sanitize

NESTING = 20
"""Maximum nesting of inline markup; deeper markup is text. Limits the time for open brackets."""

_FORMULAS = {"$$": "$$", "$": "$", "\\(": "\\)", "\\[": "\\]"}
_FORMULA_LIMIT = 300
_STYLES = {"strong_open": "strong", "em_open": "emphasis", "s_open": "strike"}


class Inline:
    """A parser of inline Markdown, without state."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._parser = _dialect()

    def runs(self, source: str, base: Style) -> Runs:
        """The styled text of this source. Its only control characters are newlines, which end a row."""
        return _Runs(self._theme, base).add(self._parse(source).tokens) if source else ()

    def is_settled(self, source: str) -> bool:
        """True if no markup is open at the end of this source, so that later text cannot change it."""
        state = self._parse(source)
        if "open" in state.env or any(mark.open and mark.end < 0 for mark in state.delimiters):
            return False
        text = "".join(token.content for token in state.tokens if token.type == "text")
        if "`" in text or "](" in text or "<" in source[source.rstrip().rfind(" ") + 1 :]:
            return False
        depth = 0
        for bracket in re.findall(r"[\[\]]", text):
            depth = depth + 1 if bracket == "[" else max(depth - 1, 0)
        return depth == 0

    def completed(self, source: str) -> str:
        """The source with its open markup closed, so that marks do not flash while it grows."""
        source = source.rstrip(" \n*_~`")
        state = self._parse(source)
        text = "".join(token.content for token in state.tokens if token.type == "text")
        if ticks := re.findall("`+", text):
            return source + str(ticks[-1])
        marks = [chr(mark.marker) for mark in state.delimiters if mark.open and mark.end < 0]
        return source + "".join("~~" if mark == "~" else mark for mark in reversed(marks))

    def _parse(self, source: str) -> StateInline:
        state = StateInline(source, self._parser, {}, [])
        self._parser.inline.tokenize(state)
        for rule in self._parser.inline.ruler2.getRules(""):
            rule(state)
        return state


class _Runs:
    """Converts tokens of markdown-it-py to runs."""

    def __init__(self, theme: Theme, base: Style) -> None:
        self._theme = theme
        self._styles = [base]
        self._links: list[tuple[Token, int]] = []
        self._runs: list[Run] = []

    def add(self, tokens: Sequence[Token]) -> Runs:
        for token in tokens:
            match token.type:
                case "softbreak" | "hardbreak":
                    self._add("\n")
                case "code_inline":
                    self._add(_clean(token.content), "code")
                case "formula":
                    self._add(sanitize(token.content).replace("\t", " "), "math")
                case "image":
                    self._add(f"[image: {_clean(token.content)}]", "emphasis")
                    self._add_address(token, "src")
                case "link_open":
                    self._links.append((token, len(self._runs)))
                    self._styles.append(self._styles[-1] + self._theme["link"])
                case "link_close":
                    self._close_link()
                case kind if kind in _STYLES:
                    self._styles.append(self._styles[-1] + self._theme[_STYLES[kind]])
                case "strong_close" | "em_close" | "s_close":
                    self._styles.pop()
                case _:
                    self._add(_clean(token.content))
        return tuple(self._runs)

    def _add(self, text: str, style: str | None = None) -> None:
        if text:
            self._runs.append((text, self._styles[-1] + self._theme[style] if style else self._styles[-1]))

    def _add_address(self, token: Token, name: str) -> None:
        address, title = _clean(_attribute(token, name)), _clean(_attribute(token, "title"))
        if address:
            self._add(f' ({address} "{title}")' if title else f" ({address})", "url")

    def _close_link(self) -> None:
        self._styles.pop()
        token, start = self._links.pop()
        text = "".join(text for text, _ in self._runs[start:])
        if _clean(_attribute(token, "href")) not in (text, f"mailto:{text}"):
            self._add_address(token, "href")


def language_in(info: str) -> str:
    """The language in the info string of a fence, in lower case; empty if there is none."""
    words = unescapeAll(info).split()
    return sanitize(words[0]).strip("{}.").lower() if words else ""


def _attribute(token: Token, name: str) -> str:
    return str(token.attrs.get(name, ""))


def _clean(text: str) -> str:
    """Sanitized text: entities can decode to any character."""
    return sanitize(text).replace("\n", " ").replace("\t", " ")


def _dialect() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING})
    parser.enable("strikethrough").disable("html_inline")
    parser.inline.ruler.before("escape", "formula", _formula)
    # Shown as written: a decoded address could contain control characters.
    setattr(parser, "normalizeLink", str)  # noqa: B010 - the hook it documents, a method to mypy
    setattr(parser, "normalizeLinkText", str)  # noqa: B010 - likewise
    return parser


def _formula(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the signature of an inline rule
    r"""`$x$`, `$$x$$`, `\(x\)` and `\[x\]`, as Pandoc delimits them, of at most 300 characters."""
    source, start = state.src, state.pos
    opener = next((mark for mark in _FORMULAS if source.startswith(mark, start)), None)
    if opener is None:
        return False
    closer = _FORMULAS[opener]
    begin = start + len(opener)
    if opener == "$" and source[begin : begin + 1].isspace():
        return False
    end = _formula_end(source, begin, closer)
    if end < 0:
        if len(source) - begin <= _FORMULA_LIMIT:
            state.env["open"] = True
        return False
    if not silent:
        state.push("formula", "", 0).content = source[start : end + len(closer)]
    state.pos = end + len(closer)
    return True


def _formula_end(source: str, begin: int, closer: str) -> int:
    end = begin
    while (end := source.find(closer, end, begin + _FORMULA_LIMIT)) >= 0:
        after = source[end + 1 : end + 2]
        if end > begin and (closer != "$" or not (source[end - 1] in " \n\\" or after.isdigit())):
            return end
        end += 1
    return -1
