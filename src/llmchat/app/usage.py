"""Tokens used of the context window: the last reply's count, else an estimate. Asks no server."""

from __future__ import annotations

from llmchat.core.backend import Limits, TokenCount, estimate_tokens
from llmchat.core.conversation import Conversation, Message
from llmchat.core.generation import Usage


class ContextUsage:
    """The usage of one conversation."""

    def __init__(self) -> None:
        self._tokens = TokenCount(0, exact=True)
        self._of: tuple[Message, ...] = ()  # number of messages that were counted

    def after(self, usage: Usage, conversation: Conversation) -> None:
        """Takes the token counts of the newest reply."""
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            self._estimate(conversation)
            return
        self._of = conversation.messages
        self._tokens = TokenCount(usage.prompt_tokens + usage.completion_tokens, exact=True)

    def shown(self, conversation: Conversation, limits: Limits | None) -> str:
        """Used and available tokens as text; "" while the limit is not known."""
        if limits is None:
            return ""
        if self._of is not conversation.messages:
            self._estimate(conversation)
        return f"{self._tokens} of {limits.context:,}"

    def _estimate(self, conversation: Conversation) -> None:
        self._of = conversation.messages
        self._tokens = estimate_tokens("".join(message.text for message in self._of))
