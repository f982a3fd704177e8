from __future__ import annotations

import os
from dataclasses import replace

from llmchat.store.writer import WriterProcess, is_alive, process

from .conftest import Spawn


def test_this_process_is_alive() -> None:
    assert is_alive(process(os.getpid()))


def test_a_process_that_was_given_the_number_of_a_dead_one_is_another() -> None:
    earlier = replace(process(os.getpid()), started="another boot:1")
    assert not is_alive(earlier)


def test_a_process_is_dead_when_it_was_killed_and_when_nobody_remembers_it(spawn: Spawn) -> None:
    child = spawn("open")
    assert child.stdout is not None
    child.stdout.readline()
    writer = WriterProcess(child.pid, "")
    assert is_alive(writer)
    child.kill()
    child.communicate()
    assert not is_alive(writer)


def test_a_zombie_writes_no_more(spawn: Spawn) -> None:
    child = spawn("open")
    assert child.stdout is not None
    child.stdout.readline()
    writer = process(child.pid)
    assert is_alive(writer)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, but not yet reaped
    assert not is_alive(writer)
