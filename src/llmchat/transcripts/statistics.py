"""Statistics of a conversation (/stats) as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmchat.core.journal import Provenance


def statistics_lines(questions: int, answers: Sequence[Provenance]) -> Iterator[str]:
    """Turns, tokens as counted by the servers, times, and models. Foreign text."""
    yield f"{_some(questions, 'question')}, {_some(len(answers), 'answer')}"
    written = [(a, a.usage.completion_tokens) for a in answers if a.usage.completion_tokens is not None]
    read = [a.usage.prompt_tokens for a in answers if a.usage.prompt_tokens is not None]
    if read or written:
        yield f"tokens read {sum(read):,}, written {sum(tokens for _, tokens in written):,}"
    totals = [a.total_s for a in answers if a.total_s is not None]
    firsts = [a.first_token_s for a in answers if a.first_token_s is not None]
    if totals:
        mean = f", the first token after {sum(firsts) / len(firsts):.1f} s on average" if firsts else ""
        yield f"time {sum(totals):.1f} s{mean}"
    timed = [(tokens, a.total_s - a.first_token_s) for a, tokens in written if a.total_s and a.first_token_s]
    seconds = sum(second for _, second in timed)
    if seconds > 0:
        yield f"speed {sum(tokens for tokens, _ in timed) / seconds:.0f} tokens/s"
    if models := dict.fromkeys(a.model or a.backend for a in answers):
        yield f"answered by {', '.join(models)}"


def _some(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
