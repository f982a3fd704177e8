"""Plans a request: the turns that fit the context window, and the tokens reserved for the reply. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmchat.core.attempts import Retry
from llmchat.core.backend import Attempt, Backend, Limits
from llmchat.core.constraint import Constraint
from llmchat.core.conversation import Conversation, Message, Role, Window
from llmchat.core.generation import DEFAULT_MAX_TOKENS, Notice, Request, Settings
from llmchat.errors import ContextOverflow, InputError, LLMChatError


@dataclass(frozen=True, slots=True)
class Draft:
    """A question with its conversation, before it is cut to the context window.

    `chosen` are the settings that the person set; others come from the model's card, then from `defaults`.
    With `continues` the conversation ends with an unfinished answer to continue.
    """

    conversation: Conversation
    chosen: Settings
    defaults: Settings
    raw: bool = False
    stream: bool = True
    continues: bool = False
    constraint: Constraint | None = None

    def request(self, messages: tuple[Message, ...], settings: Settings) -> Request:
        """The request with these messages."""
        return Request(
            messages, settings, self.raw, self.stream, self.continues, self.constraint, chosen=self.chosen
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A request, and what was left out of it; without a window for a raw prompt."""

    request: Request
    window: Window | None = None
    limits: Limits | None = None

    def notices(self) -> list[Notice]:
        """The notices to show before it is sent."""
        said = []
        if self.limits and self.limits.assumed:
            guess = f"assuming {self.limits.context} tokens (LLMCHAT_CONTEXT sets it)"
            said.append(Notice(f"the server does not report its context window: {guess}", once=True))
        if self.window and self.window.dropped_turns:
            dropped = self.window.dropped_turns
            which = "turn 1 does" if dropped == 1 else f"turns 1 to {dropped} do"
            until = f"({first_words(self.window.newest_dropped)})"
            said.append(Notice(f"{which} not fit the model's context window and will not be sent {until}"))
        return said


def first_words(text: str, most: int = 40) -> str:
    """The beginning of a text on one line; a long one is cut between words."""
    line = " ".join(text[: 20 * most].split())
    if len(line) <= most:
        return line
    head, space, _ = line[:most].rpartition(" ")
    return f"{head if space else line[:most]} ..."


async def make_plan(
    draft: Draft, backend: Backend, *, within: Limits | None = None, settings: Settings | None = None
) -> Plan:
    """The request for this draft, cut to the context window; a raw prompt is not cut.

    Reserves the reply's tokens: all if the person set max_tokens, else at most half the window. `within`
    replaces the model's limits, `settings` the effective ones. Raises InputError if the reply leaves no room,
    ContextOverflow if the question does not fit, and what counting raises.
    """
    settings = settings or draft.chosen.over(backend.info.defaults).over(draft.defaults)
    if draft.raw:
        return Plan(draft.request(draft.conversation.messages[-1:], settings))
    limits = within or backend.info.limits
    assert limits is not None, "a connected model has limits"
    wanted = settings.max_tokens or DEFAULT_MAX_TOKENS
    reserve = wanted if draft.chosen.max_tokens else min(wanted, limits.context // 2)
    room = min(limits.context - reserve, limits.prompt or limits.context)
    if room < 1:
        raise InputError(
            f"{wanted} tokens for the reply leave no room in a context window of {limits.context}",
            hint="lower --max-tokens",
        )
    window = await _window(backend, draft.conversation, settings, room=room, surely=limits.context - wanted)
    if window.tokens is not None:
        settings = replace(settings, max_tokens=max(1, min(wanted, limits.context - window.tokens)))
    return Plan(draft.request(window.messages, settings), window, limits)


async def _window(
    backend: Backend, conversation: Conversation, settings: Settings, *, room: int, surely: int
) -> Window:
    """Chooses the turns. Counts tokens only if the number of bytes does not show that all fit."""
    everything = conversation.sendable()
    # A token has at least one byte, and no format adds more than 16 tokens to a message.
    most = sum(len(m.text.encode("utf-8", "surrogatepass")) + 16 for m in everything)
    if most <= min(room, surely):
        return Window(everything, 0)

    exact = True

    async def count(messages: Sequence[Message]) -> int:
        nonlocal exact
        counted = await backend.count(Request(tuple(messages), settings))
        exact = exact and counted.exact
        return counted.tokens

    try:
        return await conversation.window(room, count)
    except ContextOverflow as error:
        if exact:
            raise
        guess = error.message.replace("the question has ", "the question has about ")
        raise ContextOverflow(guess, hint=error.hint) from error


class WithLess:
    """The recovery from a prompt that was too long: once more, with fewer turns or a shorter reply."""

    def __init__(self, draft: Draft, plan: Plan) -> None:
        self._draft = draft
        self._plan: Plan | None = plan

    async def recover(self, failed: Attempt, error: LLMChatError) -> Retry[Attempt] | LLMChatError | None:
        if self._plan is None or not isinstance(error, ContextOverflow):
            return None
        plan, self._plan = self._plan, None
        chosen = self._draft.chosen.max_tokens is not None
        limits, settings = await _shrink(failed.backend, plan, error, reply_chosen=chosen)
        try:
            smaller = await make_plan(self._draft, failed.backend, within=limits, settings=settings)
        except InputError:
            return error  # the server's own message is the best one
        if smaller.request == failed.request:
            return None
        return Retry(Attempt(failed.backend, smaller.request), events=smaller.notices())


async def _shrink(
    backend: Backend, plan: Plan, overflow: ContextOverflow, *, reply_chosen: bool
) -> tuple[Limits, Settings]:
    """Limits and settings with which a prompt that was too long may fit.

    By the server's limit, else a quarter less than was sent, as it may count more tokens than llmchat. The
    reply becomes shorter only if the person did not set its length.
    """
    ours = (await backend.count(plan.request)).tokens
    known = overflow.limit or (plan.limits or backend.info.limits or Limits(ours)).context
    wanted = plan.request.settings.max_tokens or DEFAULT_MAX_TOKENS
    theirs = overflow.prompt_tokens or ours
    reserve = wanted if reply_chosen else min(wanted, known // 2)
    if not reply_chosen and _asks_once(plan.request):  # there is no turn to leave out
        reserve = min(wanted, max(1, known - theirs))
    if overflow.limit or overflow.prompt_limit:
        most = min(known - reserve, overflow.prompt_limit or known) * ours / max(ours, theirs)
    else:
        most = ours * 0.75
    settings = replace(plan.request.settings, max_tokens=max(1, reserve))
    return Limits(known, max(1, round(most))), settings


def _asks_once(request: Request) -> bool:
    return sum(message.role is Role.USER for message in request.messages) <= 1
