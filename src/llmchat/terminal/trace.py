"""Where an error came from, for --debug and the log, without the keys that may stand in foreign words."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path

from llmchat.config.keys import known_secrets
from llmchat.sanitize import sanitize
from llmchat.scrub import scrub


def trace_text(environ: Mapping[str, str], directory: Path = Path(), *, secrets: Iterable[str] = ()) -> str:
    """The traceback of the error that is being handled, fit for a terminal.

    `secrets`, `environ` and the user's files of settings say what must not stand in it.
    """
    known = known_secrets(environ, directory)
    return sanitize(scrub(traceback.format_exc(), [*secrets, *known]))
