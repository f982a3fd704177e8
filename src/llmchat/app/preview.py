"""A preview of what a question would send (/prompt, --dry-run). Sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from llmchat.core.backend import Connection, TokenCount, connected, estimate_tokens
from llmchat.core.plan import Draft, make_plan


@dataclass(frozen=True, slots=True)
class Preview:
    """The exact prompt and its number of tokens; `doubt` is a reason why the prompt may differ."""

    text: str
    count: TokenCount
    doubt: str = ""


async def make_preview(connection: Connection, draft: Draft, *, asks: bool) -> Preview:
    """The preview of this draft.

    If the server may not be asked, the history is not cut to the context window, and the number of tokens
    is an estimate. Raises UsageError for a constraint that the server does not support.
    """
    if asks:
        backend = await connected(connection)
        request = (await make_plan(draft, backend)).request
        return Preview(await backend.render(request), await backend.count(request))
    conversation = draft.conversation
    messages = conversation.messages[-1:] if draft.raw else conversation.sendable()
    backend = connection.unasked or await connected(connection)
    # Without its constraint: whether the server supports that is not known before it is asked.
    text = await backend.render(replace(draft, constraint=None).request(messages, draft.chosen))
    doubts = ["the server's API is a guess; --api sets it"] if connection.is_guess else []
    if len(messages) > 2:  # more than a system message and the question
        doubts.append("turns that do not fit would be left out")
    return Preview(text, estimate_tokens(text), "; ".join(doubts))
