"""Which batch this is: what it shares with no other, so that one that was interrupted is found again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path

from llmchat.app import Session
from llmchat.app.target import choose
from llmchat.core.constraint import Constraint
from llmchat.terminal.batch.prompts import BatchFrame
from llmchat.terminal.reply.json import constraint_record
from llmchat.terminal.run import Run

_HOW = frozenset(
    (
        *("flags", "continue_", "conversation", "no_save", "no_stream", "raw", "json", "jsonl", "dry_run"),
        *("report", "debug", "batch", "concurrency", "unordered", "schema", "regex"),
    )
)
"""What a run is told of how to go about it; whatever else it is told decides what is asked."""


def fingerprint(
    session: Session, run: Run, frame: BatchFrame, constraint: Constraint | None, *, source: str
) -> str:
    """Who is asked, how, and what is in every question; and where the lines come from.

    The lines themselves are not in it: an answer is kept with its line's own key.
    """
    config = session.config
    asked = (
        asdict(choose(config)),
        [config.text(name) for name in ("api", "prompt_format")],
        asdict(session.model.effective_settings()),
        session.conversation.system,
        asdict(frame),
        constraint_record(constraint),
        {each.name: repr(getattr(run, each.name)) for each in fields(run) if each.name not in _HOW},
        source,
    )
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:32]


def journal_path(state: Path, name: str) -> Path:
    """Where the answers of this batch are until all are there."""
    return state / "batches" / f"{name}.jsonl"
