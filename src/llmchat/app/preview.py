"""What a question would send, shown before it is; sends nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

from llmchat.app.target import is_guess
from llmchat.core.chat import Chat
from llmchat.core.constraint import Constraint
from llmchat.core.generation import Request, TokenCount, estimate_tokens


@dataclass(frozen=True, slots=True)
class Preview:
    """Exactly what would be sent, and how many tokens that is; `doubt` is why it may be something else."""

    text: str
    count: TokenCount
    doubt: str = ""


async def make_preview(
    chat: Chat, question: str | None, *, raw: bool, asks: bool, constraint: Constraint | None
) -> Preview:
    """What this question would send; without one, what the newest question sends.

    Unless the backend may be asked, the history is not cut to the model's context window, and the count is
    an estimate. Raises InputError where there is no question, UsageError for a `constraint` that the model
    is known not to be held to.
    """
    conversation = chat.draft(question)
    backend = chat.backend
    if asks:
        if constraint is not None:
            await backend.check_constraint(constraint, raw=raw)
        request = (await chat.plan(conversation, raw=raw)).request
        return Preview(await backend.render(request), await backend.count(request))
    messages = conversation.messages[-1:] if raw else conversation.sendable()
    text = await backend.render(Request(messages, chat.effective_settings(), raw=raw))
    doubts = ["what the server speaks is a guess, --api says it"] if is_guess(backend) else []
    if len(messages) > 2:  # more than a system message and the question
        doubts.append("turns that do not fit would be left out")
    return Preview(text, estimate_tokens(text), "; ".join(doubts))
