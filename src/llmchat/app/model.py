"""The chosen model: its target, connection and settings. Knows no conversation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from llmchat.app.download import Fetching, stoppable
from llmchat.app.target import Target, choose, model_names, open_connection, point_at, system_message
from llmchat.backends import BUILT_IN
from llmchat.config.folders import Folders
from llmchat.config.resolve import Config, defaults
from llmchat.config.setting import SettingValue
from llmchat.config.settings import SETTINGS
from llmchat.core.backend import Connected, Connection, Limits, ModelInfo, connected
from llmchat.core.constraint import Constraint
from llmchat.core.conversation import Message, Role
from llmchat.core.generation import Event, NoticesSaid, Request, Settings
from llmchat.core.prompt_format import FORMATS
from llmchat.errors import UsageError


class ModelChoice:
    """The current model. A change that fails raises its error before anything has changed."""

    def __init__(
        self, config: Config, folders: Folders, *, fetching: Fetching, connection: Connection | None = None
    ) -> None:
        """Downloads weights that are not on disk; connects to nothing. Raises as `open_connection`.

        A given `connection` is used instead of the target's.
        """
        self.config = config
        self.target: Target = choose(config)
        self.connection: Connection = connection or open_connection(
            self.target, config, folders, fetching=fetching
        )
        self.settings: Settings = config.chosen()
        """The settings that the person set. The others come from the model's card, then from `defaults`."""
        self.defaults = defaults()
        self.limits: Limits | None = None
        """The limits of the context window, once known."""
        self.notices = NoticesSaid()
        self._folders = folders
        self._fetching = fetching
        self._set: dict[str, SettingValue | None] = {}  # by set_value

    @property
    def info(self) -> ModelInfo:
        """What is known about the model so far."""
        return self.connection.info

    @property
    def system(self) -> str:
        """The system message of a new conversation with this model."""
        return system_message(self.config, self.info.system, url=self.target.url)

    @property
    def withheld_key(self) -> str | None:
        """Why a configured key is not sent to this server, in words."""
        return self.config.withheld_key(self.target.url) if self.target.url else None

    @property
    def is_remote(self) -> bool:
        """True if the model is on a server."""
        return self.target.url is not None

    @property
    def formats_prompts(self) -> bool:
        """True if llmchat itself formats prompts as one text."""
        return self.info.prompt_format is not None or self.target.model in BUILT_IN

    @property
    def shown(self) -> str:
        """The model's name, with its server's name if it has one; foreign text."""
        name = self.info.model or self.target.model or self.info.backend
        return f"{name} at {self.target.url}" if self.target.url else name

    def names(self) -> list[str]:
        """The names that `-m` takes."""
        return model_names(self.config, self._folders)

    def effective_settings(self) -> Settings:
        return self.settings.over(self.info.defaults).over(self.defaults)

    async def connect(
        self, constraint: Constraint | None = None, *, raw: bool = False, tell: Callable[[Event], None]
    ) -> None:
        """Connects before a question is asked; yields progress and notices.

        Raises UsageError if the server does not support this constraint, and what a request raises.
        """
        async for event in self.connection.connect():
            if isinstance(event, Connected):
                if constraint is not None:
                    question = (Message(Role.USER, ""),)
                    await event.backend.render(Request(question, Settings(), raw=raw, constraint=constraint))
            elif self.notices.is_news(event):
                tell(event)

    async def warm(self) -> None:
        """Imports and starts what the first question needs, and asks for the model's limits."""
        self.limits = (await connected(self.connection)).info.limits

    async def can_continue(self) -> bool:
        """True if the model can continue an unfinished answer."""
        return await (await connected(self.connection)).can_continue()

    def shown_value(self, name: str) -> str:
        """The value of a sampling setting, and whether it is a default."""
        value = getattr(self.effective_settings(), name)
        if value in (None, ()):
            return "the server's default"
        shown = " ".join(map(repr, value)) if isinstance(value, tuple) else f"{value:g}"
        chosen = getattr(self.settings, name) not in (None, ())
        return shown if chosen else f"{shown} (default)"

    def set_value(self, name: str, text: str) -> None:
        """Changes a sampling setting for this session; `default` resets it.

        Raises UsageError for an invalid value.
        """
        setting = SETTINGS[name]
        try:
            value = (() if setting.many else None) if text == "default" else setting.parse(text)
        except ValueError as error:
            raise UsageError(f"{name} cannot be {text}", hint=str(error)) from None
        self._apply({**self._set, name: value})

    async def switch(self, name: str) -> None:
        """Switches to another model, or to a profile with all its settings. Raises as `open_connection`."""
        config, target = point_at(name, self.config)
        with stoppable(self._fetching) as fetching:
            connection = await asyncio.to_thread(
                open_connection, target, config, self._folders, fetching=fetching
            )
        old, self.connection = self.connection, connection
        self.config, self.target, self.limits = config, target, None
        said = config.file.profiles.get(name, {})
        self._apply({name: value for name, value in self._set.items() if name not in said})
        await old.aclose()

    async def set_format(self, name: str) -> None:
        """Changes the prompt format. Raises UsageError if the model applies its own chat template."""
        if name not in FORMATS:
            raise UsageError(f"there is no prompt format {name}", hint=f"choose {', '.join(FORMATS)}")
        if not self.formats_prompts:
            raise UsageError(
                f"{self.shown} applies its own chat template", hint="only TGI takes a prompt format"
            )
        config = self.config.changed("prompt_format", name)
        connection = open_connection(self.target, config, self._folders, fetching=self._fetching)
        old, self.connection, self.config = self.connection, connection, config
        await old.aclose()

    def _apply(self, changed: dict[str, SettingValue | None]) -> None:
        """Applies the settings of the configuration, and those changed since."""
        self.settings = replace(self.config.chosen(), **changed)  # type: ignore[arg-type] # parsed as declared
        self._set = changed
