"""Run as a process of its own by the tests: opens, streams or converses, and says on stdout how far it is."""

from __future__ import annotations

import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import Settings
from llmchat.core.journal import Provenance
from llmchat.store import Store, schema

PROVENANCE = Provenance("echo", "child", Settings())


def open_each() -> None:
    """Opens every database named on a line of stdin, closes it, and answers "opened"."""
    say("ready")
    for line in sys.stdin:
        with Store.open(Path(line.strip()), patience=20):
            pass
        say("opened")


def migrate(path: str) -> None:
    """Brings an older database up to date, but for the last step of it; says so, and waits."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        schema.migrate(connection)
        say("migrated")
        sys.stdin.readline()


def stream(path: str) -> None:
    """Streams pieces "0 1 2 ..." without end; says the time before each append when it has returned."""
    with Store.open(Path(path)) as store:
        journal = store.journal()
        journal.begin(Message(Role.USER, "the question"))
        journal.begin(Message(Role.ASSISTANT, ""), PROVENANCE)
        say(journal.conversation_id)
        number = 0
        while True:
            started = time.monotonic()
            journal.append(f"{number} ")
            say(started)
            number += 1
            time.sleep(0.002)  # the pace of a model


def converse(path: str, conversation: str, name: str, turns: str) -> None:
    """Goes on with a conversation for so many turns, once a line came on stdin."""
    with Store.open(Path(path), patience=20) as store:
        _, journal = store.resume(conversation)
        say("ready")
        sys.stdin.readline()
        for turn in range(int(turns)):
            journal.begin(Message(Role.USER, f"{name} asks {turn}"))
            journal.begin(Message(Role.ASSISTANT, ""), PROVENANCE)
            journal.append(f"{name} hears ")
            journal.append("x" * 3000)
            journal.append(f" {turn}")
            journal.end(Status.COMPLETE, PROVENANCE)
    say("done")


def say(what: object) -> None:
    print(what, flush=True)


if __name__ == "__main__":
    {"open": open_each, "migrate": migrate, "stream": stream, "converse": converse}[sys.argv[1]](
        *sys.argv[2:]
    )
