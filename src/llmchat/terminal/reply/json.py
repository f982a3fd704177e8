"""The view for programs: a reply as JSON or JSON lines. JSON escapes control characters itself."""

from __future__ import annotations

import json
from collections.abc import Callable

from llmchat.core.constraint import Constraint, JsonSchema
from llmchat.core.conversation import Status
from llmchat.core.journal import Reply
from llmchat.errors import LLMChatError
from llmchat.scrub import scrub
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.reply.footer import reply_notes
from llmchat.terminal.reply.status import StatusLine


class JsonView:
    """One JSON object on stdout for the whole reply; with `lines`, one line for each piece before it.

    The error of a reply is part of that object; with `lines` it is a line of its own after it.
    """

    def __init__(
        self,
        streams: Streams,
        status: StatusLine | None = None,
        *,
        lines: bool,
        conversation: Callable[[], str | None],
    ) -> None:
        self.status = status or StatusLine(streams)
        self._streams = streams
        self._lines = lines
        self._conversation = conversation
        self._unprinted: Reply | None = None  # printed together with the error that follows

    def piece(self, text: str) -> None:
        self.status.clear()
        if self._lines:
            self._print({"type": "token", "text": text})

    def end(self, reply: Reply) -> None:
        self.status.clear()
        if reply.unshown:
            self.piece(reply.unshown)
        finished = reply.provenance.reason is not None
        if not (finished or reply.text):
            pass  # no text came; if that was an error, it follows
        elif (finished and not (reply.fault and not self._lines)) or reply.status is Status.STOPPED:
            self._print(self._typed("reply") | reply_record(reply, self._conversation()))
        else:
            self._unprinted = reply
        for note in reply_notes(reply):
            self.status.note(note)

    def error(self, error: LLMChatError) -> None:
        self.status.clear()
        came: dict[str, object] = {}
        if self._unprinted is not None and not self._lines:  # the lines before it have its text
            came = reply_record(self._unprinted, self._conversation())
        self._print(self._typed("error") | came | error_record(error))
        self.status.error(error)

    def suspend(self) -> None:
        self.status.clear()

    def repaint(self) -> None:
        pass

    def _typed(self, kind: str) -> dict[str, object]:
        return {"type": kind} if self._lines else {}

    def _print(self, record: dict[str, object]) -> None:
        self._streams.write(json.dumps(record) + "\n")


def reply_record(reply: Reply, conversation: str | None) -> dict[str, object]:
    """A reply as `ask --json` prints it; unknown figures are None."""
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
    """An error as `--json` prints it."""
    hint = scrub(error.hint) if error.hint else error.hint
    record = {"message": scrub(error.message), "hint": hint, "exit_code": int(error.exit_code)}
    return {"error": record}


def constraint_record(constraint: Constraint | None) -> dict[str, object] | None:
    """The constraint of an answer as `--dry-run --json` prints it."""
    match constraint:
        case None:
            return None
        case JsonSchema(schema):
            return {"type": "json_schema", "value": schema}
    return {"type": "regex", "value": constraint.pattern}
