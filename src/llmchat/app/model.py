"""What answers now and how it is asked: the target, its connection, the settings. Knows no conversation."""

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
    """One model at a time. What a change raises it raises before anything has changed."""

    def __init__(
        self, config: Config, folders: Folders, *, fetching: Fetching, connection: Connection | None = None
    ) -> None:
        """Fetches weights that are not on disk; connects to nothing. Raises as `open_connection`.

        A `connection` stands in for that of the target.
        """
        self.config = config
        self.target: Target = choose(config)
        self.connection: Connection = connection or open_connection(
            self.target, config, folders, fetching=fetching
        )
        self.settings: Settings = config.chosen()
        """What the person set; the rest is the model's card's, else `defaults`."""
        self.defaults = defaults()
        self.limits: Limits | None = None
        """What it can take, once it was asked."""
        self.notices = NoticesSaid()
        self._folders = folders
        self._fetching = fetching
        self._set: dict[str, SettingValue | None] = {}  # by set_value

    @property
    def info(self) -> ModelInfo:
        """What is known of it so far."""
        return self.connection.info

    @property
    def system(self) -> str:
        """The system message that a new conversation with it begins with."""
        return system_message(self.config, self.info.system, url=self.target.url)

    @property
    def withheld_key(self) -> str | None:
        """Why a key there is does not go to this server, in words."""
        return self.config.withheld_key(self.target.url) if self.target.url else None

    @property
    def is_remote(self) -> bool:
        """Whether a server answers."""
        return self.target.url is not None

    @property
    def formats_prompts(self) -> bool:
        """Whether prompts are one text that is put together here."""
        return self.info.prompt_format is not None or self.target.model in BUILT_IN

    @property
    def shown(self) -> str:
        """The model's name, with its server's if it has one; foreign text."""
        name = self.info.model or self.target.model or self.info.backend
        return f"{name} at {self.target.url}" if self.target.url else name

    def names(self) -> list[str]:
        """What `-m` takes here by name."""
        return model_names(self.config, self._folders)

    def effective_settings(self) -> Settings:
        return self.settings.over(self.info.defaults).over(self.defaults)

    async def connect(
        self, constraint: Constraint | None = None, *, raw: bool = False, tell: Callable[[Event], None]
    ) -> None:
        """Connects before a question is asked, and tells meanwhile what the person should know.

        Raises UsageError where the model cannot be held to this constraint, and what a request raises.
        """
        async for event in self.connection.connect():
            if isinstance(event, Connected):
                if constraint is not None:
                    question = (Message(Role.USER, ""),)
                    await event.backend.render(Request(question, Settings(), raw=raw, constraint=constraint))
            elif self.notices.is_news(event):
                tell(event)

    async def warm(self) -> None:
        """Imports and starts what the first question needs, and learns the model's limits."""
        self.limits = (await connected(self.connection)).info.limits

    async def can_continue(self) -> bool:
        """Whether the model can go on with an unfinished answer."""
        return await (await connected(self.connection)).can_continue()

    def shown_value(self, name: str) -> str:
        """What a sampling setting is now, and whether that is somebody's default."""
        value = getattr(self.effective_settings(), name)
        if value in (None, ()):
            return "the server's default"
        shown = " ".join(map(repr, value)) if isinstance(value, tuple) else f"{value:g}"
        chosen = getattr(self.settings, name) not in (None, ())
        return shown if chosen else f"{shown} (default)"

    def set_value(self, name: str, text: str) -> None:
        """Changes a sampling setting for this session; `default` leaves it open again.

        Raises UsageError where the setting does not take it.
        """
        setting = SETTINGS[name]
        try:
            value = (() if setting.many else None) if text == "default" else setting.parse(text)
        except ValueError as error:
            raise UsageError(f"{name} cannot be {text}", hint=str(error)) from None
        self._apply({**self._set, name: value})

    async def switch(self, name: str) -> None:
        """Goes on with another model, or with all that a profile says. Raises as `open_connection`."""
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
        """Another format of prompts that are one text. Raises UsageError for a model that has its own."""
        if name not in FORMATS:
            raise UsageError(f"there is no prompt format {name}", hint=f"there are {', '.join(FORMATS)}")
        if not self.formats_prompts:
            raise UsageError(f"{self.shown} formats its prompts itself", hint="a prompt format is for TGI")
        config = self.config.changed("prompt_format", name)
        connection = open_connection(self.target, config, self._folders, fetching=self._fetching)
        old, self.connection, self.config = self.connection, connection, config
        await old.aclose()

    def _apply(self, changed: dict[str, SettingValue | None]) -> None:
        """Generates with the settings of the configuration and these, which the person changed since."""
        self.settings = replace(self.config.chosen(), **changed)  # type: ignore[arg-type] # parsed as declared
        self._set = changed
