"""Lays out streaming Markdown as rows for a terminal. A row that was given out never changes.

stream.py     MarkdownStream: what the painter uses
reader.py     source text -> block events; what is code and what is not
blocks.py     source lines -> block events: CommonMark's block rules, one line at a time
open_blocks.py  what is open, and the events of opening and ending it
syntax.py     what a single line looks like: headings, fences, list markers, table rows
layout.py     block events -> rows: margins, list markers, quote bars
leaves.py     the blocks that hold text: paragraphs, code, formulas
table.py      the block whose widths have to be decided: a table
inline.py     a paragraph's source -> styled runs, by markdown-it-py
highlight.py  a line of code -> styled runs, by Pygments
rows.py       styled runs -> rows of a given width
theme.py      names -> styles
"""

from llmchat.markdown.reader import CodeBlock as CodeBlock
from llmchat.markdown.reader import read_code_blocks as read_code_blocks
from llmchat.markdown.reader import split_code as split_code
from llmchat.markdown.rows import Row as Row
from llmchat.markdown.stream import MarkdownStream as MarkdownStream
from llmchat.markdown.theme import THEMES as THEMES
from llmchat.markdown.theme import load_theme as load_theme
