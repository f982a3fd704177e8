"""How much of the context window a chat uses: as its last reply counted, else an estimate. Asks nobody."""

from __future__ import annotations

from llmchat.core.chat import Chat
from llmchat.core.conversation import Message
from llmchat.core.generation import Limits, TokenCount, Usage, estimate_tokens


class ContextUsage:
    """Follows one chat; `limits` is what its model can take, once that is known."""

    def __init__(self, chat: Chat) -> None:
        self.limits: Limits | None = None
        self._chat = chat
        self._tokens = TokenCount(0, exact=True)
        self._of: tuple[Message, ...] = ()  # the messages that were counted

    def after(self, usage: Usage) -> None:
        """The newest reply counted the prompt and itself so."""
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            self._estimate()
            return
        self._of = self._chat.conversation.messages
        self._tokens = TokenCount(usage.prompt_tokens + usage.completion_tokens, exact=True)

    def __str__(self) -> str:
        """Tokens used of those there are; "" while nobody has said how many these are."""
        if self.limits is None:
            return ""
        if self._of is not self._chat.conversation.messages:
            self._estimate()
        return f"{self._tokens} of {self.limits.context:,}"

    def _estimate(self) -> None:
        self._of = self._chat.conversation.messages
        self._tokens = estimate_tokens("".join(message.text for message in self._of))
