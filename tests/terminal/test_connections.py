"""A whole session at a terminal over one connection."""

from __future__ import annotations

from pseudo_terminal import ENTER
from servers.dictated import DictatedServer
from terminal.stories import PROMPT, Open


def test_a_session_needs_one_connection_even_if_the_question_comes_at_once(
    start: Open, server: DictatedServer
) -> None:
    terminal = start()
    terminal.wait_until(lambda: PROMPT in terminal.written, "prompt")
    terminal.type("One?" + ENTER)  # before anything else was asked
    for question, answer in (("Two?", "First."), ("/retry", "Second."), ("Three?", "Third.")):
        server.say(answer)
        server.finish()
        terminal.wait_for(f"{answer}\n2 tokens")
        terminal.type("/tokens" + ENTER)
        terminal.wait_for("context window")
        terminal.type(question + ENTER)
    server.say("Fourth.")
    server.finish()
    terminal.wait_for("Fourth.\n2 tokens")
    assert server.connections == 1
