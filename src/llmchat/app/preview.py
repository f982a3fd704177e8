"""What a question would send, shown before it is; sends nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

from llmchat.core.backend import Connection, TokenCount, connected, estimate_tokens
from llmchat.core.plan import Draft, make_plan


@dataclass(frozen=True, slots=True)
class Preview:
    """Exactly what would be sent, and how many tokens that is; `doubt` is why it may be something else."""

    text: str
    count: TokenCount
    doubt: str = ""


async def make_preview(connection: Connection, draft: Draft, *, asks: bool) -> Preview:
    """What this draft would send.

    Unless the server may be asked, the history is not cut to the model's context window, and the count is
    an estimate. Raises UsageError for a constraint that the model is known not to be held to.
    """
    if asks:
        backend = await connected(connection)
        request = (await make_plan(draft, backend)).request
        return Preview(await backend.render(request), await backend.count(request))
    conversation = draft.conversation
    messages = conversation.messages[-1:] if draft.raw else conversation.sendable()
    backend = connection.unasked or await connected(connection)
    text = await backend.render(draft.request(messages, draft.chosen))
    doubts = ["what the server speaks is a guess, --api says it"] if connection.is_guess else []
    if len(messages) > 2:  # more than a system message and the question
        doubts.append("turns that do not fit would be left out")
    return Preview(text, estimate_tokens(text), "; ".join(doubts))
