"""A story: the process dies at any moment of a turn, without a chance to say goodbye."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from command import Llmchat
from llmchat.config.folders import Folders
from llmchat.core.conversation import Message, Role, Status
from llmchat.store import Store
from waiting import is_running, wait_until

TURNS = Path(__file__).with_name("turns.py")
QUESTION = "the question"
AT_ONCE, ROUNDS, LONGEST_S = 10, 5, 2.2


@pytest.fixture
def server() -> Iterator[subprocess.Popen[str]]:
    """Starts a turn for each home that it is told of, and answers with the process."""
    with subprocess.Popen(
        [sys.executable, str(TURNS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def start(server: subprocess.Popen[str], home: Path) -> int:
    home.mkdir()
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(f"{home}\n")
    server.stdin.flush()
    return int(server.stdout.readline())


def kill_each_in_time(server: subprocess.Popen[str], homes: dict[Path, float]) -> None:
    """Runs a turn in each of these homes and kills it so many seconds after its start."""
    running: list[tuple[float, int]] = []
    for home, lifetime in homes.items():
        child = start(server, home)
        running.append((time.monotonic() + lifetime, child))
    for deadline, child in sorted(running):
        wait_until(lambda deadline=deadline: time.monotonic() >= deadline)
        os.kill(child, signal.SIGKILL)
    wait_until(lambda: not any(is_running(child) for _, child in running))


def check(home: Path) -> bool:
    """Finds what was said before the end; False where it came before the question was kept."""
    said = (home / "out").read_text().splitlines() if (home / "out").exists() else []
    with Store.open(Folders.find({"LLMCHAT_HOME": str(home)}).database) as store:
        with store.database.reading() as connection:
            assert connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
        latest = next((each.id for each in store.list(1)), None)
        if latest is None:
            assert said == [], "the question was begun and is not there"
            return False
        question, *answers = store.load(latest).messages
        assert question == Message(Role.USER, QUESTION)
        times = [float(line) for line in said[1:] if "." in line]
        if not times:  # between the question and the first piece of the answer, at the latest
            assert all(answer.status is Status.INTERRUPTED for answer in answers)
            return False
        (answer,) = answers
        assert answer.status is Status.INTERRUPTED
        pieces = answer.text.split()
        assert pieces == [str(number) for number in range(len(pieces))]
        missing = times[len(pieces) :]
        assert not missing or missing[-1] - missing[0] < 1
    return True


def test_kill_9_at_fifty_moments_of_a_turn_loses_no_question_and_a_second_of_text_at_most(
    server: subprocess.Popen[str], tmp_path: Path
) -> None:
    chosen = random.Random()
    homes = {tmp_path / str(number): chosen.uniform(0, LONGEST_S) for number in range(AT_ONCE * ROUNDS)}
    for begin in range(0, len(homes), AT_ONCE):
        kill_each_in_time(server, dict(list(homes.items())[begin : begin + AT_ONCE]))
    streamed = [home for home in homes if check(home)]
    assert len(streamed) > len(homes) / 2

    for home in chosen.sample(streamed, 3):
        llmchat = Llmchat(home).with_environ(LLMCHAT_HOME=str(home), LLMCHAT_MODEL="echo")
        ran = llmchat("ask", "-c", "and now?")
        assert (ran.code, ran.out) == (0, b"and now?\n")
        messages = llmchat.history()["messages"]
        assert isinstance(messages, list)
        assert [each["status"] for each in messages] == ["complete", "interrupted", "complete", "complete"]
        assert messages[0]["text"] == QUESTION
        assert messages[2]["text"] == "and now?"
