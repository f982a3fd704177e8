"""What the answers of a conversation cost, in lines."""

from __future__ import annotations

from llmchat.core.generation import Settings, Usage
from llmchat.core.journal import Provenance
from llmchat.transcripts.statistics import statistics_lines


def test_tokens_times_and_models_are_added_up() -> None:
    answers = [
        Provenance("tgi", "falcon", Settings(), None, Usage(100, 20), 0.5, 2.5),
        Provenance("openai", "", Settings(), None, Usage(None, 10), 1.5, 2.5),
    ]
    assert list(statistics_lines(2, answers)) == [
        "2 questions, 2 answers",
        "tokens read 100, written 30",
        "time 5.0 s, the first token after 1.0 s on average",
        "speed 10 tokens/s",
        "answered by falcon, openai",
    ]


def test_what_nobody_measured_is_left_out() -> None:
    assert list(statistics_lines(1, [Provenance("tgi", "m", Settings())])) == [
        "1 question, 1 answer",
        "answered by m",
    ]
    assert list(statistics_lines(0, [])) == ["0 questions, 0 answers"]
