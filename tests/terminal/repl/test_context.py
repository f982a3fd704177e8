"""Stories of what is sent: its budget, what is left out, and a summary in its place."""

from __future__ import annotations

import asyncio
import re

from opened import Open
from pseudo_terminal import ENTER
from servers import json_reply
from servers.tgi import TgiServer


def test_the_budget_is_explained_turn_by_turn(start: Open) -> None:
    terminal = start("-m", "echo", "-s", "Be brief.", "-n", "50")
    terminal.wait_for("new")
    terminal.type("/tokens" + ENTER)
    terminal.wait_for("this conversation is empty")
    terminal.type("one two three" + ENTER)
    terminal.wait_for("3 tokens")
    terminal.type("/tokens and four" + ENTER)
    terminal.wait_for("the model's context window")
    for row in (
        r"system message +\d+",
        r"turn 1 \(one two three\) +\d+",
        r"turn 2 \(and four\) +\d+",
        r"the whole prompt +about \d+",
        r"the reply, at most +50",
        r"the model's context window +1,000,000",
    ):
        assert re.search(row, terminal.text), row
    terminal.type("/stats" + ENTER)
    terminal.wait_for("1 question, 1 answer\n")
    terminal.wait_for("written 3\n")
    terminal.wait_for("answered by echo\n")


def test_a_summary_takes_the_place_of_old_turns_until_it_is_undone(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("/compact" + ENTER)
    terminal.wait_for("there is nothing to summarize")
    for word in ("first", "second", "third"):
        terminal.type(word + ENTER)
        terminal.wait_for(f"\n{word}\n1 tokens")
    terminal.type("/compact" + ENTER)
    terminal.wait_for("From now on this summary is sent instead of turn 1.")
    terminal.type("/prompt now" + ENTER)
    terminal.wait_for("\nUser: second\nAssistant: second\nUser: third\nAssistant: third\nUser: now\n")
    prompt = terminal.text.rpartition("/prompt now")[2]
    assert "Assistant: Summarize our conversation" in prompt  # echo's idea of a summary
    assert "User: first" not in prompt
    terminal.type("/undo" + ENTER)
    terminal.wait_for("The original turns are sent again.")
    terminal.type("/prompt then" + ENTER)
    terminal.wait_for("\nUser: first\nAssistant: first\nUser: second\n")
    terminal.type("/tree" + ENTER)
    terminal.wait_for("You: Summarize our conversation")
    terminal.wait_for("You: third\n")


async def test_turns_that_do_not_fit_are_named_and_the_toolbar_counts_from_the_start(start: Open) -> None:
    async with TgiServer() as server:
        server.always("/info", json_reply({"model_id": "m", "max_total_tokens": 60}))
        terminal = start("--url", server.url, "--api", "tgi", "-s", "", "-n", "10")
        await asyncio.to_thread(terminal.wait_for, "of 60")
        for number in range(4):
            terminal.type(f"question {number} " + "word " * 12 + ENTER)
            await asyncio.to_thread(
                terminal.wait_until,
                lambda answered=number + 1: terminal.text.count("3 tokens") == answered,
                "an answer",
            )
        said = " ".join(terminal.text.replace("\n", "").split())
        assert "llmchat: turn 1 does not fit the model's context window and will not be sent" in said
        assert "(question 0 word" in said
        terminal.type("/tokens" + ENTER)
        await asyncio.to_thread(terminal.wait_for, "not sent")
        again = start("--url", server.url, "--api", "tgi", "-n", "10", "-c")
        counted = re.compile(r"about [1-9]\d+ tokens of 60")
        await asyncio.to_thread(again.wait_until, lambda: bool(counted.search(again.text)), "a count")
