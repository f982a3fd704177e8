"""The view of a terminal on its own: when it paints, and what a note, a pause or its end leave behind."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import termios
from collections.abc import AsyncGenerator, Callable

import pytest

from emulator import Emulator
from llmchat.core.conversation import Status
from llmchat.core.generation import Settings
from llmchat.core.journal import Provenance, Reply
from llmchat.errors import BrokenReply
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.reply.live import FRAME_S, LiveView
from llmchat.terminal.reply.screen import Screen
from llmchat.terminal.reply.status import StatusLine

WHOLE = Reply("shown before", Status.COMPLETE, Provenance("x", "y", Settings()))


class Terminal:
    """A pseudo-terminal that a view in this process writes to, read by the event loop."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        self.resize(40, 10)
        self.writer = os.fdopen(slave, "wb")
        self.emulator = Emulator(40, 10)
        self.written = ""
        self._grown = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def _read(self) -> None:
        data = os.read(self._master, 1 << 16).decode()  # a frame is short enough to come whole
        self.written += data
        self.emulator.feed(data)
        self._grown.set()

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self._grown.clear()
                await self._grown.wait()

    async def wait_for(self, expected: str) -> None:
        await self.wait_until(lambda: expected in "\n".join(self.emulator.text()))

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        self.writer.close()
        os.close(self._master)


@pytest.fixture
async def terminal() -> AsyncGenerator[Terminal]:
    opened = Terminal()
    yield opened
    opened.close()


@pytest.fixture
def view(terminal: Terminal) -> LiveView:
    streams = Streams(None, terminal.writer, terminal.writer, {"TERM": "xterm"})
    screen = Screen.find(streams, theme="dark")
    assert screen is not None
    return LiveView(screen, StatusLine(screen.streams), footer=False)


async def test_at_most_thirty_frames_a_second_are_painted(terminal: Terminal, view: LiveView) -> None:
    loop = asyncio.get_running_loop()
    began, pieces = loop.time(), 0
    while loop.time() < began + 0.5:
        view.piece(f"word *{pieces}*\n\n")
        pieces += 1
        await asyncio.sleep(0.001)  # the pace of the pieces
    view.end(WHOLE)
    frames = terminal.written.count("\x1b[?2026h")
    assert pieces > 60
    assert 2 <= frames <= 30 * (loop.time() - began) + 2


async def test_a_note_in_the_middle_of_a_reply_leaves_it_whole(terminal: Terminal, view: LiveView) -> None:
    view.piece("Done.\n\nThis is *not* yet")
    await terminal.wait_for("yet")
    view.status.note("the server is slow")
    await terminal.wait_for("This is not yet")
    view.piece(" done.")
    view.end(WHOLE)
    await terminal.wait_for("done.\n")
    assert terminal.emulator.text() == [
        "Done.",
        "llmchat: the server is slow",
        "",
        "This is not yet done.",
        "",
    ]


async def test_nothing_unfinished_is_on_the_screen_while_it_is_somebody_elses(
    terminal: Terminal, view: LiveView
) -> None:
    view.piece("Done.\n\nThis is *not* yet")
    await terminal.wait_for("yet")
    view.suspend()
    await terminal.wait_until(lambda: terminal.emulator.text() == ["Done.", ""])
    view.repaint()
    await terminal.wait_for("This is not yet")
    view.end(WHOLE)
    await terminal.wait_for("This is not yet\n")
    assert terminal.emulator.text() == ["Done.", "", "This is not yet", ""]


async def test_nothing_is_painted_once_the_reply_is_over(terminal: Terminal, view: LiveView) -> None:
    view.piece("This *is* it.")
    view.end(WHOLE)
    await terminal.wait_for("This is it.\n")
    written = terminal.written
    terminal.resize(20, 10)
    view.repaint()
    await asyncio.sleep(2 * FRAME_S)  # by then it would have been
    terminal.writer.write(b"after")
    terminal.writer.flush()
    await terminal.wait_for("after")
    assert terminal.written == f"{written}after"


async def test_what_was_not_painted_yet_is_there_at_the_end(terminal: Terminal, view: LiveView) -> None:
    view.piece("One, ")
    await terminal.wait_for("One,")
    view.piece("two, ")
    view.piece("three")
    view.end(WHOLE)
    await terminal.wait_for("One, two, three\n")


async def test_what_is_wrong_with_a_reply_is_below_it(terminal: Terminal, view: LiveView) -> None:
    view.piece("4")
    view.end(WHOLE)
    view.error(BrokenReply("not a word", hint="ask again"))
    await terminal.wait_for("hint")
    assert terminal.emulator.text() == ["4", "llmchat: error: not a word", "llmchat: hint: ask again", ""]
