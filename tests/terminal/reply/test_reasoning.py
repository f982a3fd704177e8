"""What a model thinks before it replies: apart from the answer, harmless, and only where it is wanted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from command import Llmchat
from pseudo_terminal import ENTER
from servers import Reply
from servers.dictated import DictatedServer
from servers.openai import CHAT, OpenAIServer, chunk, thought
from terminal.stories import PROMPT, Open

THINKS = Reply(
    [thought("Let me\x1b[2J see"), thought(".\nYes."), chunk("It is **4**."), chunk(finish="stop")]
)


@pytest.mark.parametrize(
    ("arguments", "err"),
    [
        ([], "Let me␛[2J see.\nYes.\n"),
        (["--jsonl"], "Let me␛[2J see.\nYes.\n"),
        (["--reasoning", "hide"], ""),
        (["-q"], ""),
    ],
)
async def test_thoughts_go_to_stderr_and_are_not_kept(arguments: list[str], err: str, tmp_path: Path) -> None:
    async with OpenAIServer() as server:
        server.always(CHAT, THINKS)
        llmchat = Llmchat(tmp_path, {"LLMCHAT_URL": server.url})
        ran = await llmchat.beside("ask", *arguments, "2 + 2?")
        assert (ran.code, ran.err) == (0, err)
        assert b"Let me" not in ran.out
        assert b"It is **4**." in ran.out
        kept = await asyncio.to_thread(llmchat.history)
        assert "Let me" not in str(kept)


def test_thoughts_are_dim_above_the_reply(start: Open, server: DictatedServer) -> None:
    terminal = start()
    terminal.wait_until(lambda: PROMPT in terminal.written, "prompt")
    terminal.type("2 + 2?" + ENTER)
    server.think("Let me see.", " Two and two")
    terminal.wait_for("Let me see. Two and two")
    assert b"\x1b[2mLet me see.\x1b[22m" in terminal.written
    server.say("It is **4**.")
    terminal.wait_for("Let me see. Two and two\nIt is 4.")
    server.think("A late thought")
    terminal.wait_for("A late thought")
    server.say(" Sure.")
    server.finish()
    terminal.wait_for("It is 4. Sure.\n")
    assert terminal.text.count("It is 4.") == 1
