"""Reading a line at a time finds the blocks that markdown-it-py finds in the whole document."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from llmchat.markdown import blocks, structure
from llmchat.markdown.blocks import Blocks
from llmchat.markdown.structure import Close, Enter, Event, Leave, Open, Text
from markdown.documents import EVERYTHING

Node = tuple[object, ...]

FORMULA = re.compile(r"^[ >\-0-9.]*(\$\$|\\\[)", re.MULTILINE)  # markdown-it-py does not know them


def read(text: str) -> list[Event]:
    state, events = Blocks(), []
    for line in text.removesuffix("\n").split("\n"):
        state, more = state.read(line)
        events += more
    return events + state.end()


def ours(text: str) -> list[Node]:
    """The tree of the blocks read line by line."""
    path: list[list[Node]] = [[]]
    lines: list[str] = []
    leaf: structure.Leaf | None = None
    for event in read(text):
        match event:
            case Enter(structure.ListOf(kind)):
                path.append([])
                path[-2].append(("list", kind, path[-1]))
            case Enter():
                path.append([])
                name = "quote" if isinstance(event.container, structure.Quote) else "item"
                path[-2].append((name, path[-1]))
            case Leave():
                path.pop()
            case Open():
                leaf, lines = event.leaf, []
            case Text(line):
                lines.append(line)
            case Close():
                path[-1].append(our_leaf(leaf, lines))
    return path[0]


def our_leaf(leaf: structure.Leaf | None, lines: list[str]) -> Node:
    match leaf:
        case structure.Heading(level, text):
            return ("heading", level, text)
        case structure.Code(fence):
            return ("code", fence.info if fence else "", [line.rstrip() for line in lines])
        case structure.Rule():
            return ("rule",)
        case structure.Table(columns):
            return ("table", len(columns), len(lines) - 1)
        case _:
            return ("paragraph", lines)


def dialect() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 100}).enable("table")
    return parser.disable(["lheading", "reference", "html_block"])


def theirs(text: str) -> list[Node]:
    """The tree of the blocks that markdown-it-py finds."""
    path: list[list[Node]] = [[]]
    tokens = iter(dialect().parse(text))
    for token in tokens:
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                path.append([])
                path[-2].append(("list", token.markup, path[-1]))
            case "blockquote_open" | "list_item_open":
                path.append([])
                path[-2].append(("quote" if token.type == "blockquote_open" else "item", path[-1]))
            case "bullet_list_close" | "ordered_list_close" | "blockquote_close" | "list_item_close":
                path.pop()
            case "heading_open":
                path[-1].append(("heading", int(token.tag[1]), next(tokens).content))
            case "paragraph_open":
                path[-1].append(("paragraph", [line.strip() for line in next(tokens).content.split("\n")]))
            case "table_open":
                path[-1].append(their_table(tokens))
            case "fence" | "code_block":
                lines = [line.rstrip() for line in token.content.split("\n")[:-1]]
                path[-1].append(("code", token.info.strip(), lines))
            case "hr":
                path[-1].append(("rule",))
    return path[0]


def their_table(tokens: object) -> Node:
    columns = rows = 0
    for token in tokens:  # type: ignore[attr-defined] # an iterator of Token
        assert isinstance(token, Token)
        columns += token.type == "th_open"
        rows += token.type == "tr_open"
        if token.type == "table_close":
            break
    return ("table", columns, rows - 1)


@pytest.mark.parametrize("name", [name for name, text in EVERYTHING.items() if not FORMULA.search(text)])
def test_blocks_are_those_of_markdown_it(name: str) -> None:
    text = EVERYTHING[name].replace("\r\n", "\n").removesuffix("\n") + "\n"
    assert ours(text) == theirs(text)


ASTRAY = re.compile(  # where markdown-it-py strays from CommonMark
    r"(?:^|>)[> ]*(?:\t|    )[ \t]*(?:[->#*]|\d)"  # marks indented by four columns
    r"|(?:[-*]|\d[.)])\s*\n[> ]*\n"  # blank lines below an empty item
    r"|>\s*\t",
    re.MULTILINE,
)
SCRAPS = ["- ", "* ", "1. ", "2) ", "> ", ">", "  ", "    ", "\t", "# ", "```", "~~~", "---", "***", "a", "b"]
SCRAPS += ["\n", "\n", "\n", "\n\n", "- a\n", "  b\n", "> c\n", "```\n", "    d\n", "10. e\n"]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(SCRAPS), max_size=14).map(lambda scraps: "".join(scraps) + "\n"))
def test_blocks_of_random_scraps_are_those_of_markdown_it(text: str) -> None:
    assume(not ASTRAY.search(text))
    assert ours(text) == theirs(text)


def test_deep_nesting_is_text_in_the_end() -> None:
    tree = ours(">" * 5000 + " deep")
    for _ in range(blocks.NESTING):
        assert tree[0][0] == "quote"
        tree = tree[0][1]  # type: ignore[assignment] # the blocks in the quote
    assert tree[0][0] == "paragraph"
