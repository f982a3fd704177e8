"""Where an error came from, for --debug and the log, without the keys that may stand in foreign words."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path

from llmchat.config.dotenv import secrets_in_dotenv
from llmchat.scrub import scrub, secrets_in
from llmchat.terminal.sanitize import sanitize


def trace_text(environ: Mapping[str, str], directory: Path = Path(), *, secrets: Iterable[str] = ()) -> str:
    """The traceback of the error that is being handled, fit for a terminal.

    `environ`, the .env of the working directory and `secrets` say what must not stand in it.
    """
    secrets = [*secrets, *secrets_in(environ), *secrets_in_dotenv(directory / ".env")]
    return sanitize(scrub(traceback.format_exc(), secrets))
