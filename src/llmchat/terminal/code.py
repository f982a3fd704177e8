"""The code blocks of the last reply: found by their numbers, written into files. Shows nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llmchat.core.chat import Chat
from llmchat.core.conversation import Role
from llmchat.errors import CreateError, UsageError

if TYPE_CHECKING:
    from llmchat.terminal.markdown import CodeBlock


def last_reply(chat: Chat) -> str:
    """The text of the newest answer. Raises UsageError where there is none."""
    answers = (m.text for m in reversed(chat.conversation.messages) if m.role is Role.ASSISTANT and m.text)
    reply = next(answers, None)
    if reply is None:
        raise UsageError("there is no reply yet", hint="ask something first")
    return reply


def code_blocks(chat: Chat) -> Sequence[CodeBlock]:
    """The code blocks of the newest answer, in the order of the numbers shown with them."""
    from llmchat.terminal.markdown import read_code_blocks  # not on the way to the first prompt

    return read_code_blocks(last_reply(chat))


def code_block(chat: Chat, number: str) -> CodeBlock:
    """A code block of the newest answer by its number. Raises UsageError where there is none."""
    blocks = code_blocks(chat)
    if not number.isdecimal() or not 0 < int(number) <= len(blocks):
        there = f"it has {len(blocks)}" if blocks else "it has none"
        raise UsageError(f"the last reply has no code block {number}", hint=there)
    return blocks[int(number) - 1]


def expand(name: str) -> Path:
    """The file of this name; ~ is the home folder, and an unknown ~user is left as it is."""
    return Path(os.path.expanduser(name))  # noqa: PTH111 - Path.expanduser raises there


def write_code(block: CodeBlock, path: Path, *, overwrite: bool) -> bool:
    """Writes the block, ending in one newline; False where a file is there and is not to be overwritten.

    Raises CreateError where it cannot be written.
    """
    try:
        with path.open("w" if overwrite else "x", encoding="utf-8") as file:
            file.write(block.text.rstrip("\n") + "\n")
    except FileExistsError:
        return False
    except OSError as error:
        raise CreateError(f"{path} cannot be written: {error.strerror}", hint="name another file") from error
    return True
