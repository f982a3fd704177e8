"""A fingerprint of a batch, so that the same command finds the journal of an interrupted run."""

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
"""The options that do not change what is asked; all others are part of the fingerprint."""


def fingerprint(
    session: Session, run: Run, frame: BatchFrame, constraint: Constraint | None, *, source: str
) -> str:
    """A hash of the model, the settings, the text around every prompt, and the input's identity.

    The lines themselves are not in it: each answer is stored with its line's own key.
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
    """The path of this batch's journal."""
    return state / "batches" / f"{name}.jsonl"
