"""Prompt formats for servers that take raw text, as data; and rendering messages with them. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from llmchat.core.conversation import Message, Role

# The control tokens of the templates below, and the form `<|...|>` of most others.
_CONTROL_TOKEN = re.compile(
    r"<(?=\|[^<>\s]*\|>)|<(?=/?s>|bos>|eos>|pad>|unk>|(?:start|end)_of_turn>)|\[(?=/?INST\])|<(?=</?SYS>>)",
)


def indent_speaker_lines(text: str, speakers: Sequence[str]) -> str:
    """Puts a space before every line that starts like a speaker's line.

    Lines are those of `str.splitlines`, as a model may read any of its separators as a newline.
    """
    words = "|".join(map(re.escape, speakers))
    return re.sub(rf"(?:\A|(?<=[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]))(?=(?:{words}):)", " ", text)


def break_control_tokens(text: str) -> str:
    """Puts a space after the first character of everything that a tokenizer may read as a control token."""
    return _CONTROL_TOKEN.sub(lambda found: f"{found[0]} ", text)


@dataclass(frozen=True, slots=True)
class PromptFormat:
    """A template for messages as one text, and the stop texts that show that the model continues as another.

    Each of the three patterns contains `{text}` once; with `system=None` the system message is put before
    the first question.
    """

    name: str
    system: str | None
    user: str
    assistant: str
    opening: str  # of the requested reply
    stop: tuple[str, ...]
    separator: str = ""  # between messages, and before the opening
    speakers: tuple[str, ...] = ()  # the words that mark a speaker's line, if roles are not control tokens

    def render(self, messages: Sequence[Message], *, continues: bool = False) -> str:
        """The prompt: every message in its pattern, ending exactly where the reply starts.

        With `continues` it ends with the text of the last message, an unfinished answer.
        """
        if continues:
            *messages, unfinished = messages
            before = self.assistant.partition("{text}")[0]
            return self._join(messages, before + self._guard(unfinished.text))
        return self._join(messages, self.opening)

    def _join(self, messages: Sequence[Message], end: str) -> str:
        parts: list[str] = []
        preface = ""
        for message in messages:
            text = self._guard(message.text)
            match message.role:
                case Role.SYSTEM:
                    if self.system is None:
                        preface = f"{text}\n\n"
                    else:
                        parts.append(self.system.replace("{text}", text))
                case Role.USER:
                    parts.append(self.user.replace("{text}", preface + text))
                    preface = ""
                case Role.ASSISTANT:
                    parts.append(self.assistant.replace("{text}", text))
        return self.separator.join([*parts, end])

    def _guard(self, text: str) -> str:
        return indent_speaker_lines(text, self.speakers) if self.speakers else break_control_tokens(text)


_FORMATS = (
    PromptFormat(  # the course's own
        "transcript",
        system="System: {text}",
        user="User: {text}",
        assistant="Assistant: {text}",
        opening="Assistant:",
        separator="\n",
        stop=("\nUser:", "\nSystem:", "\nAssistant:", "<|endoftext|>"),
        speakers=("System", "User", "Assistant"),
    ),
    PromptFormat(  # Qwen, SmolLM, Yi: the ChatML of OpenAI's early chat models
        "chatml",
        system="<|im_start|>system\n{text}<|im_end|>\n",
        user="<|im_start|>user\n{text}<|im_end|>\n",
        assistant="<|im_start|>assistant\n{text}<|im_end|>\n",
        opening="<|im_start|>assistant\n",
        stop=("<|im_end|>", "<|im_start|>", "<|endoftext|>"),
    ),
    PromptFormat(  # Llama 3 model card, "Prompt template"; the tokenizer of TGI adds <|begin_of_text|> itself
        "llama3",
        system="<|start_header_id|>system<|end_header_id|>\n\n{text}<|eot_id|>",
        user="<|start_header_id|>user<|end_header_id|>\n\n{text}<|eot_id|>",
        assistant="<|start_header_id|>assistant<|end_header_id|>\n\n{text}<|eot_id|>",
        opening="<|start_header_id|>assistant<|end_header_id|>\n\n",
        stop=("<|eot_id|>", "<|start_header_id|>", "<|end_of_text|>"),
    ),
    PromptFormat(  # Mistral-Instruct v0.1 to v0.3: no system role; <s> is added by the tokenizer
        "mistral",
        system=None,
        user="[INST] {text} [/INST]",
        assistant=" {text}</s>",
        opening="",
        stop=("</s>", "[INST]"),
    ),
    PromptFormat(  # Gemma model card: no system role; <bos> is added by the tokenizer
        "gemma",
        system=None,
        user="<start_of_turn>user\n{text}<end_of_turn>\n",
        assistant="<start_of_turn>model\n{text}<end_of_turn>\n",
        opening="<start_of_turn>model\n",
        stop=("<end_of_turn>", "<start_of_turn>"),
    ),
    PromptFormat(  # zephyr-7b-beta model card
        "zephyr",
        system="<|system|>\n{text}</s>\n",
        user="<|user|>\n{text}</s>\n",
        assistant="<|assistant|>\n{text}</s>\n",
        opening="<|assistant|>\n",
        stop=("</s>", "<|user|>", "<|system|>", "<|assistant|>"),
    ),
    PromptFormat(  # falcon-180B-chat model card
        "falcon",
        system="System: {text}",
        user="User: {text}",
        assistant="Falcon: {text}",
        opening="Falcon:",
        separator="\n",
        stop=("\nUser:", "\nSystem:", "\nFalcon:", "<|endoftext|>"),
        speakers=("System", "User", "Falcon"),
    ),
)

FORMATS: Mapping[str, PromptFormat] = MappingProxyType({each.name: each for each in _FORMATS})
"""The formats by name."""
