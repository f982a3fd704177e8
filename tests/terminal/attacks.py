"""Texts that try to drive a terminal, or to show something else than they are."""

from __future__ import annotations

import re

ATTACKS = {
    "colour": "\x1b[31mred\x1b[0m",
    "clear screen": "\x1b[2J\x1b[H\x1b[3Jgone",
    "cursor up and over": "\x1b[5A\x1b[2Koverwritten",
    "alternate screen": "\x1b[?1049h\x1b[?25l",
    "device report": "\x1b[6n\x1b[c\x1b[>q\x1b[21t",
    "bracketed paste": "\x1b[?2004l\x1b[201~rm -rf ~\r",
    "title": "\x1b]0;owned\x07",
    "title by ST": "\x1b]2;owned\x1b\\",
    "link": "\x1b]8;;http://evil.example\x1b\\bank\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;cm0gLXJmIH4K\x07",
    "colour query": "\x1b]4;1;?\x07\x1b]11;?\x1b\\",
    "device control": "\x1bP$qm\x1b\\\x1bP+q544e\x1b\\",
    "sixel": "\x1bPq#0;2;0;0;0~~\x1b\\",
    "application command": "\x1b_Gf=24;AAAA\x1b\\",
    "privacy message": "\x1b^hidden\x1b\\",
    "string": "\x1bXhidden\x1b\\",
    "reset": "\x1bc\x1b[!p",
    "character set": "\x1b(0lqqk\x0e\x0f",
    "8-bit control": "\x9b31mred\x9b0m",
    "8-bit title": "\x9d0;owned\x9c",
    "8-bit strings": "\x90q\x9c\x9ehidden\x9c\x9fhidden\x9c\x98hidden\x9c",
    "8-bit moves": "\x84\x85\x8d\x8e\x8f",
    "unterminated sequence": "harmless\x1b[",
    "unterminated title": "harmless\x1b]0;and all the rest",
    "unterminated control": "harmless\x1bP",
    "escape at the end": "harmless\x1b",
    "escape in a code fence": "```sh\nls \x1b]52;c;cm0K\x07\n\x1b[2J\n```\n",
    "escape in an info string": "``` \x1b]0;owned\x07\nx\n```\n",
    "escape in a table": "| a\x1b[2J | b |\n|---|---|\n| \x9b31m | \x1b]0;x\x07 |\n",
    "escape in code": "see `\x1b]0;owned\x07` and `\x9b2J`",
    "escape in a link": "[text\x1b[2J](http://a.example/\x1b]0;owned\x07 '\x9b2J')",
    "autolink": "<http://a.example/%1b]52;c;cm0K%1b%5c%07%9b2J>",
    "link of escapes": "[x](http://a.example/%1b]0;owned%07) ![y](%1b[2J)",
    "entities": "&#27;[2J &#x1b;]0;owned&#7; &#x9b;31m &#155;2J &#0; &#8; &#13;",
    "bidi entities": "&#x202E;cod.exe&#x2066;a&#x2069; &rlm;&lrm; &ZeroWidthSpace;&NoBreak;&shy;&#xE0041;",
    "bidi": "invoice\u202ecod.exe \u2066isolated\u2069 \u200f\u200e\u061c",
    "invisible": "pay\u200bpal\u2060\ufeff\u00ad\u034f\u3164\uffa0\u2028\u2029",
    "tags": "hello" + "".join(chr(0xE0000 + ord(letter)) for letter in "ignore this"),
    "annotation": "\ufff9a\ufffab\ufffb",
    "bells and backspaces": "a\x07b\x08\x08\x08c\x7f\x7f",
    "overwriting": "rm -rf ~\rls -la\r\nnext\x0b\x0c\x00",
    "markup of rich": "[red]x[/red] [link=http://evil.example]y[/link] [/] [bold",
    "markup of prompt-toolkit": "<ansired>x</ansired> <style fg='red'>",
}

HIDDEN = re.compile(
    "[\x80-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Controls of eight bits, marks of direction, and characters that show nothing."""

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
"""Controls of seven bits but tab and newline."""

PAINTED = re.compile("\x1b\\[(?:\\?2026[hl]|\\?7[hl]|J|[1-9][0-9]*A|[0-9;]+m)|\r\n|\r")
"""What the painter writes of its own, and the ends of rows."""


def driving(written: str) -> list[str]:
    """What is in there that could drive a terminal."""
    return CONTROL.findall(written) + HIDDEN.findall(written)
