"""What several processes, and the sudden death of one, do to a database."""

from __future__ import annotations

import random
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from llmchat.core.conversation import Role, Status
from llmchat.store import ConversationJournal, Store

from .conftest import Spawn, is_intact

Say = Callable[[ConversationJournal, str, str], None]


@pytest.mark.parametrize("latest", [0.1, 1.0, 2.5])
def test_kill_9_costs_at_most_a_second_of_the_answer(
    latest: float, path: Path, spawn: Spawn, say: Say
) -> None:
    moment = random.uniform(0, latest)
    child = spawn("stream", path)
    assert child.stdout is not None
    conversation = child.stdout.readline().strip()
    times = [float(child.stdout.readline())]
    while times[-1] - times[0] < moment:
        times.append(float(child.stdout.readline()))
    child.kill()
    rest, _ = child.communicate()
    times += [float(line) for line in rest.split("\n")[:-1]]

    with Store.open(path) as store:
        assert is_intact(store)
        question, answer = store.load(conversation).messages
        assert question.text == "the question"
        assert answer.status is Status.INTERRUPTED
        pieces = answer.text.split()
        assert pieces == [str(number) for number in range(len(pieces))]
        missing = times[len(pieces) :]
        assert not missing or missing[-1] - missing[0] < 1, f"killed after {moment} s"
        assert store.database.connection.execute("SELECT count(*) FROM pieces").fetchone() == (0,)
        assert store.list(1)[0].model == "child"

        _, journal = store.resume(conversation)
        say(journal, "and now?", "on it goes")
        assert [m.text for m in store.load(conversation).messages[2:]] == ["and now?", "on it goes"]


def test_an_answer_whose_writer_lives_is_shown_as_interrupted_and_left_alone(
    path: Path, spawn: Spawn
) -> None:
    child = spawn("stream", path)
    assert child.stdout is not None
    conversation = child.stdout.readline().strip()
    with Store.open(path) as store:
        assert store.load(conversation).messages[1].status is Status.INTERRUPTED
        status = "SELECT status FROM messages WHERE role = 'assistant'"
        assert store.database.connection.execute(status).fetchone() == ("streaming",)
        child.kill()
        child.communicate()
        assert store.load(conversation).messages[1].status is Status.INTERRUPTED
        assert store.database.connection.execute(status).fetchone() == ("interrupted",)


def test_processes_that_open_a_fresh_database_at_once_all_get_it(tmp_path: Path, spawn: Spawn) -> None:
    children = [spawn("open"), spawn("open"), spawn("open")]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for number in range(15):
        fresh = tmp_path / str(number) / "conversations.db"
        for child in children:
            assert child.stdin is not None
            child.stdin.write(f"{fresh}\n")
            child.stdin.flush()
        assert [child.stdout.readline() for child in children if child.stdout] == ["opened\n"] * 3
        with Store.open(fresh) as store:
            assert is_intact(store)
            assert store.list(1) == ()


def test_four_processes_in_one_conversation_lose_and_mix_nothing(
    path: Path, spawn: Spawn, say: Say, store: Store
) -> None:
    journal = store.journal()
    say(journal, "first", "answer")
    conversation = journal.conversation_id
    root = store.records(str(conversation))[-1].id
    names, turns = ("anna", "ben", "cleo", "dan"), 12
    children = [spawn("converse", path, conversation, name, turns) for name in names]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        assert child.communicate()[0] == "done\n"

    rows = store.database.connection.execute(
        "SELECT id, parent, text, status FROM messages WHERE id > ? ORDER BY id", (root,)
    ).fetchall()
    assert len(rows) == len(names) * turns * 2
    assert {status for *_, status in rows} == {"complete"}
    for name in names:
        mine = [row for row in rows if row[2].startswith(name)]
        expected = [
            text
            for turn in range(turns)
            for text in (f"{name} asks {turn}", f"{name} hears {'x' * 3000} {turn}")
        ]
        assert [text for _, _, text, _ in mine] == expected
        assert [parent for _, parent, _, _ in mine] == [root, *(key for key, *_ in mine[:-1])]
    branch = store.load(str(conversation)).messages
    assert len(branch) == 2 + turns * 2
    assert len({message.text.split()[0] for message in branch[2:]}) == 1
    assert branch[2].role is Role.USER
    assert is_intact(store)


def test_who_goes_on_where_another_process_is_writing_is_told(path: Path, spawn: Spawn, store: Store) -> None:
    child = spawn("stream", path)
    assert child.stdout is not None
    conversation = child.stdout.readline().strip()
    _, journal = store.resume(conversation)
    assert [notice.text.partition(":")[0] for notice in journal.take_notices()] == [
        "another llmchat is writing to this conversation, too"
    ]
    assert journal.take_notices() == []
    child.kill()
    child.communicate()
    _, journal = store.resume(conversation)
    assert journal.take_notices() == []


def test_everything_is_private_under_umask_0(path: Path, spawn: Spawn) -> None:
    path = path.parent / "deeper" / "still" / path.name
    child = spawn("stream", path, umask=0)
    assert child.stdout is not None
    child.stdout.readline()
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {path.name: 0o600, f"{path.name}-wal": 0o600, f"{path.name}-shm": 0o600}
    for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
