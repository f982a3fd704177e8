"""A real shell in a pseudo-terminal, with llmchat in its PATH and names around it that mean harm."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from command import Llmchat
from llmchat.config.folders import Folders
from llmchat.core.conversation import Message, Role
from llmchat.store import Store
from pseudo_terminal import ENTER, PseudoTerminal

TITLES = (
    "$(touch harmed) `touch harmed`",
    "a:b\t'q' \"r\" \\x [bold] %F{red}",
    "two\x1b[31mcolours\nlines; touch harmed",
)
"""Of the conversations, oldest first."""

MODEL = "hf:$(touch harmed)`touch harmed`/a:b/it's.gguf"
"""A model on disk."""

FILES = ("note.txt", "$(touch harmed).gguf", "a space;touch harmed.gguf", "folder/inner.gguf")
"""In the working folder."""

_ARGS = "#!/bin/sh\nprintf '%s\\0' \"$@\" > said.new && mv said.new said\n"
_TO_THE_BEGINNING = "\x01"
_CLEAR_LINE = "\x05\x15"


@dataclass(frozen=True)
class Shell:
    """A shell at its prompt, in the folder `home`."""

    terminal: PseudoTerminal
    home: Path

    def words(self, line: str) -> list[str]:
        """What a program is given when this is typed, with Tabs where they stand in it, and then Enter."""
        said = self.home / "said"
        said.unlink(missing_ok=True)
        self.terminal.type(line)
        self.terminal.type(f"{_TO_THE_BEGINNING}args {ENTER}")
        self.terminal.wait_until(said.exists, f"words of {line!r}")
        return said.read_text().split("\0")[:-1]

    def list(self, line: str, *expected: str) -> None:
        """Types this, with the Tabs that make the shell list; waits for these, and clears the line."""
        self.terminal.type(line)
        for each in expected:
            self.terminal.wait_for(each)
        self.terminal.type(_CLEAR_LINE)

    def harmed(self) -> bool:
        """Whether a name was run."""
        return any(path.name == "harmed" for path in self.home.rglob("*"))


def furnish(llmchat: Llmchat) -> list[str]:
    """Makes conversations, a model and files with such names, and the programs; the ids, newest first."""
    folders = Folders.find({"LLMCHAT_HOME": str(llmchat.home / "kept")})
    ids: list[str] = []
    with Store.open(folders.database, clock=lambda: 1_800_000_000.0 + len(ids)) as store:
        for title in TITLES:
            journal = store.journal()
            journal.begin(Message(Role.USER, title))
            ids.insert(0, str(journal.conversation_id))
    for path in [folders.weights / MODEL.replace(":", "/", 1), *(llmchat.home / each for each in FILES)]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"GGUF")
    programs = llmchat.home / "bin"
    programs.mkdir()
    path = os.environ.get("PYTHONPATH", "")
    run = f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" -m llmchat "$@"\n'
    for name, text in (("llmchat", run), ("args", _ARGS)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    return ids


@contextmanager
def shell(command: Sequence[str], llmchat: Llmchat, *, columns: int = 80) -> Iterator[Shell]:
    """Starts a shell in the furnished home of this llmchat; its prompt has to be READY."""
    surroundings = {
        "HOME": str(llmchat.home),
        "PATH": f"{llmchat.home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "LLMCHAT_HOME": str(llmchat.home / "kept"),
        "LC_ALL": "C.UTF-8",
    }
    go = ["sh", "-c", 'cd "$HOME" && exec "$@"', "sh", *command]
    with PseudoTerminal(go, surroundings, columns=columns, rows=50) as terminal:
        terminal.wait_for("READY")
        yield Shell(terminal, llmchat.home)
