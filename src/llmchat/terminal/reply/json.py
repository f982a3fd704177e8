"""What a program reads of a reply: JSON, or JSON lines. Sanitizes nothing: JSON escapes what it must."""

from __future__ import annotations

import json
from collections.abc import Callable

from llmchat.core.constraint import Constraint, JsonSchema
from llmchat.core.conversation import Status
from llmchat.core.generation import Progress
from llmchat.core.journal import Reply
from llmchat.errors import LLMChatError
from llmchat.scrub import scrub
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.reply.status import StatusLine
from llmchat.terminal.reply.view import error_lines, reply_notes


class JsonView:
    """One JSON object on stdout for the whole reply; with `lines`, a line for each piece before it.

    The error of a reply with a fault, or that broke off, is in that object too; with `lines` it is the line
    behind it.
    """

    def __init__(
        self,
        streams: Streams,
        aside: StatusLine | None = None,
        *,
        lines: bool,
        conversation: Callable[[], str | None],
    ) -> None:
        self._streams = streams
        self._aside = aside or StatusLine(streams)
        self._lines = lines
        self._conversation = conversation
        self._broken: Reply | None = None  # it broke off, with some text

    def progress(self, progress: Progress) -> None:
        self._aside.progress(progress)

    def note(self, text: str) -> None:
        self._aside.note(text)

    def thought(self, text: str) -> None:
        self._aside.thought(text)

    def piece(self, text: str) -> None:
        self._aside.clear()
        if self._lines:
            self._print({"type": "token", "text": text})

    def end(self, reply: Reply) -> None:
        self._aside.clear()
        if reply.unshown:
            self.piece(reply.unshown)
        fault = reply.fault
        if reply.provenance.reason is None and not reply.text:
            pass  # nothing came; where that was a fault, its error follows
        elif reply.provenance.reason is None and reply.status is not Status.STOPPED:
            self._broken = reply  # an error follows
        else:
            told = error_record(fault) if fault and not self._lines else {}
            self._print(self._typed("reply") | reply_record(reply, self._conversation()) | told)
        for note in reply_notes(reply):
            self.note(note)
        if fault and self._lines:
            self.error(fault)
        elif fault:
            self._streams.say(error_lines(fault))

    def error(self, error: LLMChatError) -> None:
        self._aside.clear()
        came: dict[str, object] = {}
        if self._broken is not None and not self._lines:  # the lines before have its text
            came = reply_record(self._broken, self._conversation())
        self._print(self._typed("error") | came | error_record(error))
        self._streams.say(error_lines(error))

    def resized(self) -> None:
        pass

    def suspend(self) -> None:
        self._aside.clear()

    def resume(self) -> None:
        pass

    def _typed(self, kind: str) -> dict[str, object]:
        return {"type": kind} if self._lines else {}

    def _print(self, record: dict[str, object]) -> None:
        self._streams.write(json.dumps(record) + "\n")


def reply_record(reply: Reply, conversation: str | None) -> dict[str, object]:
    """What `ask --json` prints of a reply; unknown figures are None."""
    source = reply.provenance
    return {
        "text": reply.text,
        "finish_reason": source.reason,
        "backend": source.backend,
        "model": source.model,
        "conversation": conversation,
        "usage": {
            "prompt_tokens": source.usage.prompt_tokens,
            "completion_tokens": source.usage.completion_tokens,
        },
        "timings": {"first_token_s": source.first_token_s, "total_s": source.total_s},
    }


def error_record(error: LLMChatError) -> dict[str, object]:
    """What `--json` prints of an error."""
    hint = scrub(error.hint) if error.hint else error.hint
    told = {"message": scrub(error.message), "hint": hint, "exit_code": int(error.exit_code)}
    return {"error": told}


def constraint_record(constraint: Constraint | None) -> dict[str, object] | None:
    """What `--dry-run --json` prints of what an answer has to be."""
    match constraint:
        case None:
            return None
        case JsonSchema(schema):
            return {"type": "json_schema", "value": schema}
    return {"type": "regex", "value": constraint.pattern}
