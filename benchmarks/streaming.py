"""Measures what showing a reply costs while it streams: llmchat, rich's Live, plain printing.

It is no test: its figures are those of a clock on a machine that does other things too. What must never
change is counted, not timed, by tests/terminal/test_cost.py.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipe import measure
from rich.console import Console
from rich.live import Live
from rich.markdown import Markdown

from llmchat.terminal.device.streams import Streams
from llmchat.terminal.reply.screen import Screen

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

COLUMNS, ROWS = 100, 40
SIZES = (200, 2_000, 20_000)  # tokens
TOKEN = 4  # characters
TOKENS_PER_S = 100
FRAMES_PER_S = 30
LIVE_HZ = 12
PIPED = 20_000  # tokens
SAMPLES = 20  # refreshes of rich's Live that are measured for each size
ROUNDS = 3  # of what is measured whole; the best one counts

REPLY = Path(__file__).parent.parent / "tests" / "terminal" / "reply" / "reply.md"

HEAD = f"""\
A reply of Markdown in tokens of {TOKEN} characters, {TOKENS_PER_S} of them a second, on a pseudo-terminal of
{COLUMNS}x{ROWS} that another thread empties. CPU is that of the writing thread, the best of {ROUNDS} rounds.
Bytes are counted where they are written to the terminal.
"""
FOOT = f"""
* Sampled: {SAMPLES} refreshes at evenly spaced sizes of the reply, their mean times the number of refreshes.
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took to show a reply: CPU seconds, and bytes written to the terminal."""

    cpu: float
    written: float

    def __mul__(self, times: float) -> Cost:
        return Cost(self.cpu * times, self.written * times)


class Terminal(io.FileIO):
    """The program's end of a pseudo-terminal; counts the bytes that are written to it."""

    written = 0

    def write(self, data: ReadableBuffer) -> int:
        taken = super().write(data)
        self.written += taken
        return taken


@contextmanager
def open_terminal() -> Iterator[Terminal]:
    """A terminal of this size whose other end takes everything."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    tty.setraw(follower)
    reader = threading.Thread(target=_empty, args=(leader,))
    reader.start()
    try:
        with Terminal(follower, "wb") as terminal:
            yield terminal
    finally:
        reader.join()
        os.close(leader)


def _empty(leader: int) -> None:
    try:
        while os.read(leader, 1 << 16):
            pass
    except OSError:  # the other end is closed
        pass


def reply(tokens: int) -> list[str]:
    """The beginning of an endless reply, in tokens."""
    section = REPLY.read_text("utf-8")
    sections = tokens * TOKEN // len(section) + 1
    text = "".join(section.replace("{n}", str(n)) for n in range(1, sections + 1))
    return [text[at : at + TOKEN] for at in range(0, tokens * TOKEN, TOKEN)]


def measured(work: Callable[[], None], terminal: Terminal) -> Cost:
    """What this work costs."""
    written, began = terminal.written, time.thread_time()
    work()
    return Cost(time.thread_time() - began, terminal.written - written)


def measured_whole(show: Callable[[Sequence[str], io.BufferedWriter], None], tokens: Sequence[str]) -> Cost:
    """What it costs to show all of these tokens."""
    costs = []
    for _ in range(ROUNDS):
        with open_terminal() as terminal:
            costs.append(measured(partial(show, tokens, io.BufferedWriter(terminal)), terminal))
    return min(costs, key=lambda cost: cost.cpu)


def show_live(tokens: Sequence[str], out: io.BufferedWriter) -> None:
    """As `terminal.live` shows it, with a frame as often as the clock would give one."""
    screen = Screen(Streams(None, out, None, {}), "dark")
    markdown, painter = screen.markdown(), screen.painter()
    frames = 0
    for number, token in enumerate(tokens, 1):
        markdown.feed(token)
        if number * FRAMES_PER_S // TOKENS_PER_S > frames:
            frames += 1
            screen.size()
            frame = markdown.frame()
            painter.paint(frame.done, frame.tail)
    painter.paint((*markdown.frame().done, *markdown.finish()), ())
    painter.finish()


def show_plain(tokens: Sequence[str], out: io.BufferedWriter) -> None:
    """As a script would: print(token, end="", flush=True)."""
    text = io.TextIOWrapper(out, "utf-8")
    for token in tokens:
        print(token, end="", flush=True, file=text)
    text.detach()


def one_refresh(tokens: Sequence[str]) -> Cost:
    """The mean cost of showing a prefix of these tokens by rich's Live, all of it anew."""
    with open_terminal() as terminal:
        text = io.TextIOWrapper(io.BufferedWriter(terminal), "utf-8")
        console = Console(file=text, width=COLUMNS, height=ROWS, color_system="standard", force_terminal=True)
        prefixes = ["".join(tokens[: len(tokens) * (2 * n + 1) // (2 * SAMPLES)]) for n in range(SAMPLES)]
        with Live(console=console, auto_refresh=False) as live:

            def refresh() -> None:
                for prefix in prefixes:
                    live.update(Markdown(prefix), refresh=True)

            cost = measured(refresh, terminal)
        text.detach().detach()
    return cost * (1 / SAMPLES)


def measure_all() -> dict[str, list[Cost]]:
    """The costs of every way to show a reply, for each size."""
    costs: dict[str, list[Cost]] = {}
    for size in SIZES:
        tokens = reply(size)
        refresh = one_refresh(tokens)
        for way, cost in (
            ("llmchat, 30 frames a second", measured_whole(show_live, tokens)),
            ("Live(Markdown(all)), 12 a second *", refresh * (size * LIVE_HZ / TOKENS_PER_S)),
            ("Live(Markdown(all)), every token *", refresh * size),
            ("print, every token", measured_whole(show_plain, tokens)),
        ):
            costs.setdefault(way, []).append(cost)
    return costs


def table(title: str, costs: dict[str, list[Cost]], figure: Callable[[Cost, int], float]) -> str:
    """One figure of all costs, a row for each way, a column for each size."""
    rows = [f"{title:<38}" + "".join(f"{size:>12,}" for size in SIZES)]
    for way, row in costs.items():
        figures = (figure(cost, size) for cost, size in zip(row, SIZES, strict=True))
        rows.append(f"{way:<38}" + "".join(f"{each:>12,.3f}" for each in figures))
    return "\n".join(rows)


def cpu(cost: Cost, size: int) -> float:
    """CPU seconds per 1,000 tokens."""
    return cost.cpu / size * 1000


def spread(cost: Cost, size: int) -> float:
    """Bytes written per byte of text."""
    return cost.written / len("".join(reply(size)).encode())


def goals(ours: Sequence[Cost], piped: float) -> list[tuple[str, float, float]]:
    """What is wanted: in words, at most, and what it is. `piped`: CPU by the bare client's."""
    slowest = max(cpu(cost, size) for cost, size in zip(ours, SIZES, strict=True))
    widest = max(spread(cost, size) for cost, size in zip(ours, SIZES, strict=True))
    growth = cpu(ours[2], SIZES[2]) / cpu(ours[1], SIZES[1])
    return [
        ("CPU a token at 20,000 tokens by that at 2,000", 1.2, growth),
        ("CPU seconds per 1,000 tokens, any size", 0.25, slowest),
        ("bytes written per byte of text, any size", 12, widest),
        ("CPU a token into a pipe, by the bare client's", 1.3, piped),
    ]


def main() -> int:
    """Prints all figures; 1 if llmchat misses a goal."""
    say = sys.stdout.write
    say(f"{HEAD}\n")
    sys.stdout.flush()
    measured_whole(show_live, reply(SIZES[0]))  # imports and lexers are loaded once, whatever is shown
    one_refresh(reply(SIZES[0]))
    costs = measure_all()
    say(f"{table('CPU seconds per 1,000 tokens, at', costs, cpu)}\n\n")
    say(f"{table('bytes per byte of text, at', costs, spread)}\n{FOOT}\n")
    ours, bare = measure(PIPED)
    say(f"{PIPED:,} tokens from a TGI endpoint into a pipe, microseconds of CPU a token:\n")
    say(f"llmchat {ours * 1e6:.1f}, the bare text_generation.AsyncClient {bare * 1e6:.1f}\n\n")
    say(f"{'goals of llmchat':<48}{'at most':>9}{'measured':>12}\n")
    missed = 0
    for words, most, figure in goals(next(iter(costs.values())), ours / bare):
        missed += figure > most
        say(f"{words:<48}{most:>9}{figure:>12.3f}  {'MISSED' if figure > most else 'met'}\n")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
