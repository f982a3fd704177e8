"""Lays out streaming Markdown as rows for a terminal. A row that was given out never changes."""

from llmchat.markdown.reader import CodeBlock as CodeBlock
from llmchat.markdown.reader import read_code_blocks as read_code_blocks
from llmchat.markdown.reader import split_code as split_code
from llmchat.markdown.rows import Row as Row
from llmchat.markdown.stream import MarkdownStream as MarkdownStream
from llmchat.markdown.theme import THEMES as THEMES
from llmchat.markdown.theme import load_theme as load_theme
