"""Makes the JSON answer of each line: from the journal, from the model, or an error. Prints nothing."""

from __future__ import annotations

import json
from dataclasses import KW_ONLY, dataclass

from llmchat.app.batch.journal import BatchJournal
from llmchat.app.batch.run import Batch
from llmchat.errors import LLMChatError, StorageError
from llmchat.terminal.batch.lines import BatchLine
from llmchat.terminal.batch.progress import BatchProgress
from llmchat.terminal.batch.prompts import BadLine, BatchFrame, BatchPrompt, read_prompt
from llmchat.terminal.reply.json import error_record, reply_record


@dataclass(slots=True)
class BatchAnswers:
    """The JSON answer of each line, without a newline. An exception stops the batch."""

    batch: Batch
    frame: BatchFrame
    tally: BatchProgress
    _: KW_ONLY
    preview: bool  # an answer is what would be sent
    journal: BatchJournal | None = None

    def kept(self, line: BatchLine) -> bytes | None:
        """The answer that this line got in an earlier run, if any."""
        found = self.journal.find(line.number, line.key) if self.journal else None
        if found is not None:
            self.tally.before += 1
        return found

    async def ask(self, line: BatchLine) -> bytes:
        """Asks, journals the answer and returns it; or returns the error of this line."""
        prompt = read_prompt(line)
        told: dict[str, object] = {"line": line.number}
        if prompt.id is not None:
            told["id"] = prompt.id
        if isinstance(prompt, BadLine):
            return self._failed(line, told, prompt.error)
        if not self.preview:
            await self.batch.connect()
            return await self._replied(line, told, prompt)
        question = self.frame.around(prompt.text)
        preview = await self.batch.preview(question, prompt.settings, system=prompt.system)
        count = preview.count
        return _encode(told | {"prompt": preview.text, "tokens": count.tokens, "exact": count.exact})

    async def _replied(self, line: BatchLine, told: dict[str, object], prompt: BatchPrompt) -> bytes:
        question = self.frame.around(prompt.text)
        reply, fault = await self.batch.ask(question, prompt.settings, system=prompt.system)
        if fault is not None:
            return self._failed(line, told | (reply_record(reply, None) if reply.text else {}), fault)
        self.tally.count_reply(reply)
        answer = _encode(told | reply_record(reply, None))
        self._keep(line, answer)
        return answer

    def _failed(self, line: BatchLine, told: dict[str, object], error: LLMChatError) -> bytes:
        self.tally.count_failure(line.number, error)
        return _encode(told | error_record(error))

    def _keep(self, line: BatchLine, answer: bytes) -> None:
        if self.journal is not None:
            try:
                self.journal.keep(line.number, line.key, answer)
            except StorageError as error:
                self.tally.say(f"this batch cannot be resumed later: {error.message}")
                self.journal.close()
                self.journal = None


def _encode(record: dict[str, object]) -> bytes:
    return json.dumps(record).encode()
