"""The composition root every front end shares: opens configuration, store, backend and conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from llmchat import weights
from llmchat.backends import BUILT_IN, Target
from llmchat.config.folders import Folders
from llmchat.config.resolve import Config, Layer, defaults
from llmchat.config.settings import COURSE_SYSTEM, SETTINGS, SettingValue
from llmchat.core.chat import Chat, Journal, MemoryJournal, Planned, Reply
from llmchat.core.conversation import Conversation
from llmchat.core.generation import Backend, Limits, Request, TokenCount, estimate_tokens
from llmchat.core.prompt_format import FORMATS
from llmchat.errors import CreateError, DeniedError, LLMChatError, MissingError, StorageError, TryLaterError, UsageError

if TYPE_CHECKING:
    from llmchat.store import ConversationJournal, Store

Fetching = Callable[[weights.Model], AbstractContextManager[weights.Progress]]
"""Shows that weights are being fetched while the context lasts."""

DEFAULT_MODEL = next(iter(weights.CATALOGUE))


@dataclass(frozen=True, slots=True)
class Target:
    """What answers: a built-in, a model on this machine, or the server at a URL."""

    model: str | None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversation a run is about: a new one, or a kept one by `last`, its id or a beginning of it."""

    conversation: str | None = None
    save: bool = True


def choose(config: Config) -> Target:
    """What the settings mean: a URL, unless a model of this machine was named on a higher layer."""
    url, model = config.text("url"), config.text("model")
    here = model is not None and (model in BUILT_IN or weights.resolve(model) is not None)
    if url and not (here and config.values["model"].layer > config.values["url"].layer):
        return Target(model, url)
    return Target(model or DEFAULT_MODEL)
