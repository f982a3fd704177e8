"""What a slash command may have the loop do, as values."""

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
    """What needs no more than its name."""

    LEAVE = auto()
    CLEAR_SCREEN = auto()
    SHOW_LAST_TURN = auto()


@dataclass(frozen=True, slots=True)
class Say:
    """Prints a line or more of ours, sanitized."""

    text: str


@dataclass(frozen=True, slots=True)
class ShowReply:
    """Prints a reply as it looks when it is streamed."""

    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Runs a turn of the conversation, and shows it."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Compact:
    """Has the model write a summary, and puts it in the place of the oldest turns."""

    compaction: Compaction


@dataclass(frozen=True, slots=True)
class Edit:
    """Puts a question back into the editor. With `replaces` the next one takes the place of the newest."""

    question: str
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Attach:
    """These files go with the next question, and no others."""

    files: tuple[Attachment, ...]


@dataclass(frozen=True, slots=True)
class WriteFile:
    """Writes text into a file, ending in one newline; asks before it replaces one. ~ is the home folder."""

    name: str
    text: str

    @property
    def path(self) -> Path:
        return expand_home(self.name)

    def write(self, *, overwrite: bool) -> bool:
        """False where there is a file that may not be overwritten. Raises CreateError where it cannot."""
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
