"""Where the tokens of a prompt go. The scripted backend counts a token for each word."""

from __future__ import annotations

from doubles import ScriptedBackend
from llmchat.core.backend import Limits, TokenCount
from llmchat.core.budget import SHOWN, make_budget
from llmchat.core.conversation import Conversation, Message, Role
from llmchat.core.generation import Settings
from llmchat.core.plan import Draft


def talk(*questions: str) -> Conversation:
    messages = []
    for question in questions:
        messages += [Message(Role.USER, question), Message(Role.ASSISTANT, "a b c")]
    return Conversation("be very brief", tuple(messages))


def draft_of(conversation: Conversation) -> Draft:
    return Draft(conversation, Settings(max_tokens=10), Settings())


def with_context(tokens: int) -> ScriptedBackend:
    return ScriptedBackend(limits=Limits(tokens))


async def test_every_part_of_the_prompt_has_its_share() -> None:
    conversation = talk("one two", "three")
    budget = await make_budget(draft_of(conversation), with_context(1000))
    assert (budget.system, budget.total) == (3, TokenCount(12, exact=True))
    assert [(share.first, share.last, share.question, share.tokens) for share in budget.turns] == [
        (1, 1, "one two", 5),
        (2, 2, "three", 4),
    ]
    assert (budget.reply, budget.limit, budget.left, budget.dropped) == (10, 1000, 978, 0)


async def test_turns_that_do_not_fit_have_no_share() -> None:
    conversation = talk(*["one two three"] * 4)
    budget = await make_budget(draft_of(conversation), with_context(30))
    assert budget.dropped > 0
    assert budget.turns[0].first == budget.dropped + 1
    assert sum(share.tokens for share in budget.turns) + budget.system == budget.total.tokens


async def test_the_oldest_of_many_turns_share_one_line() -> None:
    conversation = talk(*["one"] * (SHOWN + 5))
    backend = with_context(1000)
    budget = await make_budget(draft_of(conversation), backend)
    assert (budget.turns[0].first, budget.turns[0].last) == (1, 6)
    assert len(budget.turns) == SHOWN
    assert backend.counted < SHOWN + 10
