"""The actions that a slash command can return, as values; the loop carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from llmchat.app.attachments import Attachment
from llmchat.app.compaction import Compaction
from llmchat.core.turn import Turn
from llmchat.errors import CreateError
from llmchat.paths import expand_home


class Do(Enum):
    """Actions without parameters."""

    LEAVE = auto()
    CLEAR_SCREEN = auto()
    SHOW_LAST_TURN = auto()


@dataclass(frozen=True, slots=True)
class Say:
    """Prints text of llmchat's own, sanitized."""

    text: str


@dataclass(frozen=True, slots=True)
class ShowReply:
    """Prints a reply with the same layout as a streamed one."""

    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Runs a turn of the conversation, and shows it."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Compact:
    """Has the model summarize the oldest turns, and replaces them by the summary."""

    compaction: Compaction


@dataclass(frozen=True, slots=True)
class Edit:
    """Puts a question back into the editor. With `replaces` the next question replaces the newest."""

    question: str
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Attach:
    """Attaches these files, and no others, to the next question."""

    files: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Writes text to a file, ending in one newline; asks before overwriting one. ~ is the home folder."""

    name: str
    text: str

    @property
    def path(self) -> Path:
        return expand_home(self.name)

    def write(self, *, overwrite: bool) -> bool:
        """False if the file exists and may not be overwritten. Raises CreateError if it cannot be written."""
        try:
            with self.path.open("w" if overwrite else "x", encoding="utf-8", errors="replace") as file:
                file.write(self.text.rstrip("\n") + "\n")
        except FileExistsError:
            return False
        except OSError as error:
            raise CreateError(
                f"{self.path} cannot be written: {error.strerror}", hint="name another file"
            ) from error
        return True


Action = Do | Say | ShowReply | Ask | Compact | Edit | Attach | WriteFile
