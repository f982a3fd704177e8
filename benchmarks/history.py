"""How long kept conversations take to open, to save to and to search: `python benchmarks/history.py`.

Prints milliseconds, the median of several runs, side by side for databases that hold one conversation of
so many messages. The goals: 10,000 messages open in under a second, saving does not depend on how many
there are, and a search over 100,000 messages answers in under 0.2 s.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import Settings
from llmchat.core.journal import Provenance
from llmchat.store import Store

SIZES = (100, 10_000, 100_000)
RUNS = 7
WORDS_A_MESSAGE = 60
PROVENANCE = Provenance("echo", "benchmark", Settings())
CONVERSATION = "benchmark0"
SAMPLE = """
the of and a to in is you that it he was for on are as with his they I at be this have from or one
had by word but not what all were we when your can said there use an each which she do how their if
will up other about out many then them these so some her would make like him into time has look two
more write go see number no way could people my than first water been call who oil its now find long
down day did get come made may part function return import class model token python shell terminal
answer question message
"""


def fill(store: Store, messages: int) -> None:
    """One conversation of this many messages, begun with the same ones whatever their number."""
    chosen = random.Random(1)  # noqa: S311 - the same texts in every run
    connection = store.database.connection
    with store.database.writing():
        connection.execute(
            "INSERT INTO conversations (id, created_at, updated_at, system) VALUES (?, 0, 0, '')",
            (CONVERSATION,),
        )
        connection.executemany(
            """INSERT INTO messages (conversation_id, parent, depth, role, text, status, created_at,
                writer_pid, writer_started, backend, model, settings)
            VALUES (?, ?, ?, ?, ?, 'complete', 0, 1, '', 'echo', 'benchmark', '{}')""",
            rows(chosen, messages),
        )
        connection.execute("UPDATE conversations SET head = ?", (messages,))


def rows(chosen: random.Random, messages: int) -> Iterator[tuple[str | int | None, ...]]:
    """Questions and answers in turn; the second message is the only one with the words that are rare."""
    words = SAMPLE.split()
    for number in range(1, messages + 1):
        text = " ".join(chosen.choices(words, k=WORDS_A_MESSAGE))
        rare = " a zymurgist 今天天气" if number == 2 else ""
        role = Role.USER if number % 2 else Role.ASSISTANT
        yield CONVERSATION, number - 1 or None, number, role, text + rare


def milliseconds(work: Callable[[], object]) -> float:
    """The median of several runs."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


def measure(path: Path, messages: int) -> dict[str, float]:
    """Each figure by what it measures, in milliseconds."""
    with Store.open(path) as store:
        fill(store, messages)

    def open_store() -> None:
        with Store.open(path) as opened:
            opened.list(20)

    def erase_a_short_one() -> None:
        with Store.open(path) as opened:
            journal = opened.journal()
            journal.begin(Message(Role.USER, "forget this"))
            opened.delete(str(journal.conversation_id))

    with Store.open(path) as store:
        _, journal = store.resume(CONVERSATION)

        def save_turn() -> None:
            journal.begin(Message(Role.USER, "What is the capital of France?"))
            journal.begin(Message(Role.ASSISTANT, ""), PROVENANCE)
            journal.append("The capital of France is Paris. " * 20)
            journal.end(Status.COMPLETE, PROVENANCE)

        figures = {
            "open the store, list 20": milliseconds(open_store),
            "open the conversation": milliseconds(lambda: store.resume(CONVERSATION)),
            "save a turn": milliseconds(save_turn),
            "search a common word": milliseconds(lambda: store.search("function", 20)),
            "search a rare word": milliseconds(lambda: store.search("zymurgist", 20)),
            "search three common words": milliseconds(lambda: store.search("python shell function", 20)),
            "search for common parts of words": milliseconds(lambda: store.search("hereturn", 20)),
            "search a word that is nowhere": milliseconds(lambda: store.search("quetzalcoatl", 20)),
            "search a rare word of 2 letters": milliseconds(lambda: store.search("天气", 20)),
        }
    return {**figures, "erase another conversation": milliseconds(erase_a_short_one)}


def main() -> None:
    figures = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            figures.append(measure(Path(folder) / "data" / "conversations.db", size))
    heads = "".join(f"{size:>12,}" for size in SIZES)
    lines = [f"{'milliseconds, by messages':<34}{heads}"]
    lines += [f"{name:<34}" + "".join(f"{each[name]:>12.1f}" for each in figures) for name in figures[0]]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
