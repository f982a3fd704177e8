"""Progress of a batch: counts lines, shows a bar on stderr, prints the summary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llmchat.core.conversation import Status
from llmchat.core.generation import Event, Notice, Progress
from llmchat.core.journal import Reply
from llmchat.errors import LLMChatError
from llmchat.sanitize import sanitize_line
from llmchat.terminal.device.streams import Streams

if TYPE_CHECKING:
    from rich.progress import Progress as Bar


class BatchProgress:
    """Counts lines, and shows a bar on stderr if that is a terminal and stdout is not."""

    def __init__(self, streams: Streams, *, quiet: bool) -> None:
        self.answered = self.before = self.failed = self.cut = self.tokens = 0
        self.first_failure: tuple[int, LLMChatError] | None = None
        self._streams = streams
        self._quiet = quiet
        self._bar: Bar | None = None

    @property
    def done(self) -> int:
        """Lines that have an answer."""
        return self.answered + self.before

    def count_reply(self, reply: Reply) -> None:
        self.answered += 1
        self.cut += reply.status is Status.LENGTH
        self.tokens += reply.provenance.usage.completion_tokens or 0

    def count_failure(self, line: int, error: LLMChatError) -> None:
        self.failed += 1
        if self.first_failure is None or line < self.first_failure[0]:
            self.first_failure = line, error

    def summary(self, seconds: float) -> str:
        """The summary on one line."""
        parts = [f"{self.answered:,} answered"]
        parts += [f"{self.before:,} from before"] if self.before else []
        parts += [f"{self.failed:,} failed"] if self.failed else []
        parts += [f"{self.cut:,} cut by --max-tokens"] if self.cut else []
        return ", ".join([*parts, f"{self.tokens:,} tokens", f"{seconds:.1f} s"])

    def failure(self, *, also: str | None) -> LLMChatError:
        """The error of the first failed line, with the number of failed lines; `also` is one more hint."""
        assert self.first_failure is not None, "one failed"
        line, error = self.first_failure
        lines = "1 line has" if self.failed == 1 else f"{self.failed:,} lines have"
        return type(error)(
            f"{lines} no answer; line {line}: {error.message}",
            hint="; ".join(filter(None, (error.hint, also))),
        )

    def say(self, text: str) -> None:
        """Prints a line to stderr, above the bar, unless quiet. Foreign text in it is sanitized."""
        if self._quiet:
            return
        line = f"llmchat: {sanitize_line(text)}"
        if self._bar is None:
            self._streams.say(line)
        else:
            self._bar.console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)

    def tell(self, event: Event) -> None:
        """Shows a notice or progress of a turn."""
        if isinstance(event, Notice):
            self.say(event.text)
        elif isinstance(event, Progress) and self._bar is not None:
            self._bar.update(self._bar.task_ids[0], stage=sanitize_line(event.stage))

    def advance(self, size: int) -> None:
        """A line of so many bytes is done."""
        if self._bar is not None:
            failed = f", {self.failed:,} failed" if self.failed else ""
            self._bar.update(
                self._bar.task_ids[0], advance=size, done=f"{self.done:,} answered{failed}", stage=""
            )

    @contextmanager
    def shown(self, total: int | None) -> Iterator[None]:
        """Shows the bar inside this context; `total` is in bytes."""
        streams = self._streams
        terminal = streams.is_terminal(streams.stderr) and streams.environ.get("TERM") != "dumb"
        if self._quiet or not terminal or streams.is_terminal(streams.stdout):
            yield
            return
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            BarColumn(),
            TextColumn("{task.fields[done]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[stage]}", markup=False),
        )
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            bar.add_task("", total=total, done="", stage="")
            self._bar = bar
            try:
                yield
            finally:
                self._bar = None
