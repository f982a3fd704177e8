"""What a reply looks like: margins, markers, bars, tables and code, as a person sees them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from llmchat.markdown import MarkdownStream, Row, load_theme


def rows_of(text: str, width: int = 40) -> tuple[Row, ...]:
    whole = MarkdownStream(width, theme=load_theme("mono"))
    whole.feed(dedent(text).lstrip("\n"))
    return whole.finish()


def screen(text: str, width: int = 40) -> str:
    return "\n".join(row.text for row in rows_of(text, width))


SCREENS = {
    "blocks stand apart by one blank row": (
        "# Title\ntext\n\n\n\nmore\n***\nend",
        "Title\n\ntext\n\nmore\n\n" + "─" * 40 + "\n\nend",
    ),
    "line breaks stay": ("Roses are red,\nviolets  \nare\\\nblue", "Roses are red,\nviolets\nare\nblue"),
    "a tight list is one block": ("- a\n- b\n  - c\n- d", "• a\n• b\n  ◦ c\n• d"),
    "a loose list looks like a tight one": ("- a\n\n- b\n\n\n- c", "• a\n• b\n• c"),
    "an item of several blocks stands apart": (
        "- a\n\n  b\n- c\n- d",
        "• a\n\n  b\n\n• c\n\n• d",
    ),
    "numbers are as wide as two digits": ("9. a\n10. b\n100. c", " 9. a\n10. b\n100. c"),
    "numbers are those that were written": ("1. a\n1. b\n7) c", " 1. a\n 1. b\n\n 7) c"),
    "items wrap behind their marker": ("- one two three", "• one\n  two\n  three", 8),
    "an empty item is its marker": ("- a\n-\n- c", "• a\n•\n• c"),
    "boxes of tasks are drawn": (
        "- [x] a\n- [ ] b [x] c\n- d [ ] e",
        "• ☑ a\n• ☐ b [x] c\n• d [ ] e",
    ),
    "quotes have a bar on every row": (
        "> a\n>\n> > b\nc",
        "│ a\n│\n│ │ b\n│ │ c",
    ),
    "code has its number and no padding": (
        "```py\nx = 1\n\n  y = 2   \n```\nend",
        "[1] py\nx = 1\n\n  y = 2\n\nend",
    ),
    "code is numbered through": ("```\na\n```\n    b", "[1]\na\n\n[2]\nb"),
    "a language is only a word": ("```&#x202e;Py&#10;x y\na\n```", "[1] \ufffdpy\na"),
    "code wraps at the last cell": ("```\nabcdefghij klm\n```", "[1]\nabcd\nefgh\nij k\nlm", 4),
    "tabs in code become spaces": ("```\n\ta\n```", "[1]\n    a"),
    "code in an item is indented with it": ("1. ```sh\n   ls\n   ```", " 1. [1] sh\n    ls"),
    "tags are text": ("<b>a</b><br>\n</kbd>", "<b>a</b><br>\n</kbd>"),
    "references are text": ("[a][1]\n\n[1]: http://b 'c'", "[a][1]\n\n[1]: http://b 'c'"),
    "lines below text are no headings": ("a\n---\nb\n===", "a\n\n" + "─" * 40 + "\n\nb\n==="),
    "formulas stay": (
        "$a*b*c$ \\(x_1 + x_2\\)\n\n$$\na*b*c\n- d\n$$",
        "$a*b*c$ \\(x_1 + x_2\\)\n\n$$\na*b*c\n- d\n$$",
    ),
    "prices are no formulas": ("$5 and *not* $6", "$5 and not $6"),
    "images are text where they are": ("- a ![b](c.png)", "• a [image: b] (c.png)"),
    "an empty heading leaves no gap": ("a\n\n#\n\nb", "a\n\nb"),
    "deep lists keep room for text": (
        "- - - - - - - - deep words",
        "• ◦ ▪ ▪ ▪ ▪\n          ▪\n          ▪\n          deep words",
        20,
    ),
    "a table aligns its columns": (
        "| a | b | c |\n|:--|:-:|--:|\n| 1 | 2 | 3 |\n| long | long | long |",
        "a    │  b   │    c\n─────┼──────┼─────\n1    │  2   │    3\nlong │ long │ long",
    ),
    "a narrow table folds its cells": (
        "| a | b |\n|---|---|\n| one two three | 4 |",
        "a       │ b\n────────┼──\none two │ 4\nthree   │",
        11,
    ),
    "no cell is lost": (
        "| a | b |\n|---|---|\n| 1 | 2 | 3 |\n| 4 |\n| x | `y || z` |",
        "a │ b\n──┼───────\n1 │ 2 | 3\n4 │\nx │ y || z",
    ),
    "a table without room becomes rows of text": (
        "| a | b |\n|---|---|\n| cde | f |",
        "a │\nb\ncde\n│ f",
        3,
    ),
}


@pytest.mark.parametrize("name", SCREENS)
def test_screens(name: str) -> None:
    text, expected, *width = SCREENS[name]
    assert screen(str(text), *map(int, width)) == expected


def test_a_table_is_as_wide_as_its_first_rows_make_it() -> None:
    table = "| a |\n|---|\n" + "| b |\n" * 30 + "| wider |\n"
    assert screen(table).split("\n")[-5:] == ["w", "i", "d", "e", "r"]


def test_rows_of_a_long_line_of_code_are_joined_but_for_the_last() -> None:
    rows = rows_of("```\nabcdefghij\n```", 4)
    assert [(row.text, row.joined) for row in rows[1:]] == [("abcd", True), ("efgh", True), ("ij", False)]


def test_joined_rows_keep_the_blanks_they_end_with() -> None:
    rows = rows_of("```\nab  cd\n```", 4)
    assert [row.text for row in rows[1:]] == ["ab  ", "cd"]


def test_a_row_that_a_wide_character_does_not_fill_is_not_joined() -> None:
    rows = rows_of("```\nabc\u65e5\n```", 4)
    assert [(row.text, row.joined) for row in rows[1:]] == [("abc", False), ("\u65e5", False)]
