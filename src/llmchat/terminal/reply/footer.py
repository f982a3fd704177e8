"""The line below a reply with its tokens and times, and notes about how it ended."""

from __future__ import annotations

from llmchat.core.conversation import Status
from llmchat.core.generation import FinishReason
from llmchat.core.journal import Reply


def reply_notes(reply: Reply, *, footer: bool = False) -> list[str]:
    """Notes about how a reply ended, except what the `footer` shows."""
    notes = []
    if reply.status is Status.LENGTH and not footer and not reply.fault:
        limit = reply.provenance.settings.max_tokens
        notes.append(f"the reply was cut at {limit} tokens; --max-tokens sets the limit")
    if reply.provenance.reason is FinishReason.FILTER:
        notes.append("the server's content filter ended the reply")
    if not reply.text and reply.status is Status.COMPLETE:
        notes.append("the reply is empty")
    if reply.unsaved is not None:
        notes.append(f"the reply could not be saved: {reply.unsaved.message}")
    return notes


def summary(reply: Reply) -> str:
    """Tokens, tokens per second, seconds to the first token, and how the reply ended if not naturally."""
    source, parts = reply.provenance, []
    tokens, first, total = source.usage.completion_tokens, source.first_token_s, source.total_s
    if tokens is not None:
        parts.append(f"{tokens} tokens")
        if first is not None and total is not None and total > first:
            parts.append(f"{tokens / (total - first):.0f}/s")
    if first is not None:
        parts.append(f"first after {first:.1f} s")
    if reply.status is not Status.COMPLETE:
        parts.append(
            {Status.LENGTH: "cut by --max-tokens, /continue continues it"}.get(reply.status, reply.status)
        )
    return " \N{MIDDLE DOT} ".join(parts)
