"""A database in a folder of its own, a time of day that only moves when told to, and child processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import FinishReason, Settings, Usage
from llmchat.core.journal import Provenance
from llmchat.store import ConversationJournal, Store

CHILD = Path(__file__).with_name("child.py")


@dataclass
class Clock:
    """Seconds, standing still until moved."""

    seconds: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "conversations.db"


@pytest.fixture
def store(path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(path, clock=clock, patience=0.05) as opened:
        yield opened


@pytest.fixture
def provenance() -> Provenance:
    return Provenance(
        "tgi",
        "a/model",
        Settings(temperature=0.5, stop=("\nUser:", "é"), seed=7),
        FinishReason.LENGTH,
        Usage(12, 34),
        0.25,
        1.5,
    )


@pytest.fixture
def say(provenance: Provenance) -> Callable[[ConversationJournal, str, str], None]:
    """Journals a whole turn."""

    def turn(journal: ConversationJournal, question: str, answer: str) -> None:
        journal.begin(Message(Role.USER, question))
        journal.begin(Message(Role.ASSISTANT, ""), provenance)
        journal.append(answer)
        journal.end(Status.COMPLETE, provenance)

    return turn


def is_intact(store: Store) -> bool:
    """Whether SQLite finds no damage in the file."""
    with store.database.reading() as connection:
        return connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)


Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Starts `child.py` with these arguments; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, umask: int = -1) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, str(CHILD), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            umask=umask,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()
