"""The token budget of a prompt (/tokens): system message, turns, reply, what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmchat.core.backend import Backend, TokenCount
from llmchat.core.conversation import Message
from llmchat.core.generation import Request
from llmchat.core.plan import Draft, make_plan

SHOWN = 20
"""How many of the newest turns are counted one by one; older ones are counted together."""


@dataclass(frozen=True, slots=True)
class Share:
    """The tokens of some turns, by number from 1."""

    first: int
    last: int
    question: str  # of the last turn
    tokens: int


@dataclass(frozen=True, slots=True)
class Budget:
    """The tokens of each part of a prompt, and what is left. The shares may not add up exactly."""

    system: int
    turns: tuple[Share, ...]
    dropped: int  # how many of the oldest turns are not sent
    newest_dropped: str  # the question of the newest of them
    total: TokenCount  # of the prompt
    reply: int  # at most
    limit: int
    assumed: bool  # the server does not report the limit

    @property
    def left(self) -> int:
        return max(0, self.limit - self.total.tokens - self.reply)


async def make_budget(draft: Draft, backend: Backend) -> Budget:
    """The budget of this draft, which has at least one turn and is not raw. Raises as `make_plan`."""
    conversation = draft.conversation
    plan = await make_plan(draft, backend)
    assert plan.window is not None, "what is not raw has a window"
    assert plan.limits is not None, "what is not raw has limits"
    dropped = plan.window.dropped_turns
    turns = conversation.turns()[dropped:]
    settings = plan.request.settings

    async def count(messages: Sequence[Message]) -> int:
        return (await backend.count(Request(tuple(messages), settings))).tokens

    system = 0
    if conversation.system:
        alone = replace(conversation, system="").sendable(turns[:1])
        system = max(0, await count(conversation.sendable(turns[:1])) - await count(alone))
    shares: list[Share] = []
    before = system
    for last in range(max(1, len(turns) - SHOWN + 1), len(turns) + 1):
        tokens = await count(conversation.sendable(turns[:last]))
        first = shares[-1].last + 1 if shares else dropped + 1
        share = Share(first, dropped + last, turns[last - 1][0].text, max(0, tokens - before))
        shares.append(share)
        before = tokens
    return Budget(
        system=system,
        turns=tuple(shares),
        dropped=dropped,
        newest_dropped=plan.window.newest_dropped,
        total=await backend.count(plan.request),
        reply=settings.max_tokens or 0,
        limit=plan.limits.context,
        assumed=plan.limits.assumed,
    )
