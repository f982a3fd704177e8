"""The code blocks of the last reply: found by their numbers. Shows nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llmchat.core.chat import Chat
from llmchat.core.conversation import Role
from llmchat.errors import UsageError

if TYPE_CHECKING:
    from llmchat.markdown import CodeBlock


def last_reply(chat: Chat) -> str:
    """The text of the newest answer. Raises UsageError where there is none."""
    answers = (m.text for m in reversed(chat.conversation.messages) if m.role is Role.ASSISTANT and m.text)
    reply = next(answers, None)
    if reply is None:
        raise UsageError("there is no reply yet", hint="ask something first")
    return reply


def code_blocks(chat: Chat) -> Sequence[CodeBlock]:
    """The code blocks of the newest answer, in the order of the numbers shown with them."""
    from llmchat.markdown import read_code_blocks  # not on the way to the first prompt

    return read_code_blocks(last_reply(chat))


def code_block(chat: Chat, number: str) -> CodeBlock:
    """A code block of the newest answer by its number. Raises UsageError where there is none."""
    blocks = code_blocks(chat)
    if not number.isdecimal() or not 0 < int(number) <= len(blocks):
        there = f"it has {len(blocks)}" if blocks else "it has none"
        raise UsageError(f"the last reply has no code block {number}", hint=there)
    return blocks[int(number) - 1]
