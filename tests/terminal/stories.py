"""What stories at a terminal share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from llmchat.markdown import MarkdownStream, load_theme
from pseudo_terminal import PseudoTerminal
from servers.dictated import DictatedServer

Open = Callable[..., PseudoTerminal]
PROMPT = b"\x1b[0;1m>"


def environment(home: Path, server: DictatedServer) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "LLMCHAT_HOME": str(home), "LLMCHAT_URL": server.url, "LLMCHAT_API": "openai"}


def rendered(text: str, columns: int) -> str:
    """A reply as it is to stand in the terminal."""
    markdown = MarkdownStream(columns, theme=load_theme("mono"))
    markdown.feed(text)
    return "\n".join(row.text.rstrip() for row in markdown.finish())


def pieces(text: str) -> list[str]:
    return [text[at : at + 6] for at in range(0, len(text), 6)]
