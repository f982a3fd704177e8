"""Draws docs/chat.svg: a chat in a real pseudo-terminal, as it stands on the screen at its end.

The program is real, so is the terminal it runs in; the model is a server on loopback that says docs/chat.md.
Two recordings differ in the speed below the reply, the server's port and the name of the conversation.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
import tempfile
from itertools import groupby
from pathlib import Path

import pyte
from pyte.graphics import FG_AIXTERM, FG_ANSI
from pyte.screens import Char
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import MONOKAI
from rich.text import Text

from pseudo_terminal import CTRL_D, ENTER, PseudoTerminal
from servers import Reply, json_reply
from servers.tgi import TgiServer, final, token

HERE = Path(__file__).parent
COLUMNS, ROWS = 80, 31
QUESTION = "Which addresses send the most requests to my server? The log is huge."
PAUSE_S = 0.01  # between two tokens

_DONE = re.compile(r"first after .*\n>.*[1-9]\d* tokens of ", re.DOTALL)
_COLOURS = {
    name: name.replace("brown", "yellow").replace("bright", "bright_")
    for name in (*FG_ANSI.values(), *FG_AIXTERM.values())
}
"""rich's names for the colours that pyte names; it writes all others as digits."""

_FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


class Emulator(pyte.Screen):
    """A terminal's screen. It keeps dim text, which pyte does not know, as blinking text."""

    def select_graphic_rendition(self, *attributes: int, **options: bool) -> None:
        super().select_graphic_rendition(*(5 if each == 2 else each for each in attributes), **options)


def written(pause: float) -> bytes:
    """What the program writes to the terminal until the reply is there, with this pause between tokens."""
    return asyncio.run(_serve_and_chat(pause))


def draw(output: bytes) -> str:
    """The screen after this output, as an SVG that fetches nothing from the web."""
    screen = Emulator(COLUMNS, ROWS)
    pyte.ByteStream(screen).feed(output)
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), color_system="truecolor", legacy_windows=False
    )
    for y in range(ROWS):
        cells = [screen.buffer[y][x] for x in range(COLUMNS)]
        words = groupby(cells, lambda cell: (_style(cell), cell.data == " "))
        runs = (("".join(cell.data for cell in word), style) for (style, _), word in words)
        console.print(Text.assemble(*runs), no_wrap=True)
    return _FONT.sub("", console.export_svg(title="llmchat", theme=MONOKAI, unique_id="chat"))


def _style(cell: Char) -> Style:
    return Style(
        color=_COLOURS.get(cell.fg, f"#{cell.fg}"),
        bgcolor=_COLOURS.get(cell.bg, f"#{cell.bg}"),
        bold=cell.bold,
        dim=cell.blink,
        italic=cell.italics,
        underline=cell.underscore,
        strike=cell.strikethrough,
        reverse=cell.reverse,
    )


async def _serve_and_chat(pause: float) -> bytes:
    async with TgiServer() as server:
        limits = {"model_id": "demo", "max_input_tokens": 3072, "max_total_tokens": 4096}
        server.always("/info", json_reply(limits))
        pieces = re.findall(r"\s?\S{1,4}|\s", (HERE / "chat.md").read_text("utf-8"))
        end = final(generated_tokens=len(pieces))
        server.always("/", Reply([*map(token, pieces), end], pause=pause))
        return await asyncio.to_thread(_chat, server.url)


def _chat(url: str) -> bytes:
    with tempfile.TemporaryDirectory() as home:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        command = [sys.executable, "-m", "llmchat", "--url", url, "--api", "tgi", "--theme", "dark"]
        environ = {**kept, "LLMCHAT_HOME": home}
        with PseudoTerminal(command, environ, columns=COLUMNS, rows=ROWS) as terminal:
            terminal.wait_for(" new ")
            terminal.type(QUESTION)
            terminal.wait_for(QUESTION)
            terminal.type(ENTER)
            terminal.wait_until(lambda: bool(_DONE.search(terminal.screen)), "a prompt after the reply")
            shown = terminal.written
            terminal.type(CTRL_D)
            terminal.wait_exit()
            return shown


def main() -> None:
    """Records, draws, and writes the picture."""
    (HERE / "chat.svg").write_text(draw(written(PAUSE_S)), "utf-8")
    sys.stdout.write("wrote docs/chat.svg\n")


if __name__ == "__main__":
    main()
