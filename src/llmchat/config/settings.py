"""Every setting, declared once; flags, variables, `/set` and `.env.example` derive from this table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from llmchat.core.generation import DEFAULT_MAX_TOKENS, RANGES, Range
from llmchat.core.prompt_format import FORMATS

Scalar = str | int | float | bool
SettingValue = Scalar | tuple[str, ...]

COURSE_SYSTEM = (
    "A conversation between a user and an LLM-based AI assistant. "
    "The assistant gives helpful and honest answers."
)
"""The system message of the course that llmchat grew from; the default on a URL."""

SECONDS = Range(0, 86_400, above=True)


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing a person can set. `kind` is str, int, float or bool; `many` makes it a list of them."""

    name: str
    kind: type[str] | type[int] | type[float] | type[bool]
    help: str
    default: SettingValue | None = None
    range: Range | None = None
    choices: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()  # spellings on the command line; none: not settable there
    many: bool = False
    secret: bool = False
    live: bool = False  # `/set` changes it in the REPL
    sent: bool = False  # text for the model, not a name on this machine: it has to be UTF-8
    aliases: tuple[str, ...] = ()  # other environment variables with the same meaning
    metavar: str | None = None

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return f"LLMCHAT_{self.name.upper()}"

    def parse(self, text: str) -> SettingValue:
        """Reads the setting as it stands in a variable or behind `/set`.

        Raises ValueError that says what it takes; never quotes a secret.
        """
        if self.many:
            return self.check(tuple(part for part in text.split("\n") if part))
        if self.kind is bool:
            return _parse_switch(text)
        return self.check(text if self.kind is str else _parse_number(text, self.kind))

    def check(self, value: SettingValue) -> SettingValue:
        """The value, if it is one of the choices and in range. Raises ValueError that says what it takes."""
        if self.choices and value not in self.choices:
            raise ValueError(f"it takes {', '.join(self.choices)}")
        if self.range and isinstance(value, int | float) and value not in self.range:
            raise ValueError(f"it takes {self.range}")
        if self.sent and isinstance(value, str | tuple) and not _is_utf_8("".join(value)):
            raise ValueError("it takes UTF-8 text")
        return value

    def takes(self) -> str:
        """What it takes, in words: for help and errors."""
        if self.choices:
            return " | ".join(self.choices)
        return str(self.range) if self.range else {str: "text", bool: "on | off"}.get(self.kind, "a number")


def _is_utf_8(text: str) -> bool:
    """False where it came as other bytes, which Python keeps as surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _parse_switch(text: str) -> bool:
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("", "0", "false", "no", "off"):
        return False
    raise ValueError("it takes on or off")


def _parse_number(text: str, kind: type[int | float | str | bool]) -> int | float:
    try:
        return int(text) if kind is int else float(text)
    except ValueError:
        raise ValueError(f"it takes {'a whole number' if kind is int else 'a number'}") from None


_TABLE: Sequence[Setting] = (
    Setting(
        "model",
        str,
        "What to chat with: an embedded model, a path to a .gguf file, hf:owner/repo/file.gguf, echo or "
        "canned; with a URL, the name sent to that server.",
        flags=("-m", "--model"),
        metavar="MODEL",
    ),
    Setting(
        "url",
        str,
        "A TGI endpoint or any OpenAI-compatible server: http(s)://host[:port][/path].",
        flags=("--url",),
        aliases=("HF_API_FALCOM_BASE",),
        metavar="URL",
    ),
    Setting(
        "api",
        str,
        "What the server at the URL speaks; auto asks it.",
        default="auto",
        choices=("auto", "tgi", "openai"),
        flags=("--api",),
    ),
    Setting("api_key", str, "The key sent to the URL. There is no option for it.", secret=True),
    Setting(
        "auth",
        str,
        "How the key is sent: Authorization: Bearer KEY or Basic KEY.",
        default="bearer",
        choices=("bearer", "basic"),
    ),
    Setting(
        "system",
        str,
        "The system message; empty for none. Default: the course's on a URL, the model's own here.",
        flags=("-s", "--system"),
        sent=True,
        metavar="TEXT",
    ),
    Setting(
        "temperature",
        float,
        "0 is greedy, above 0 samples.",
        default=0.7,
        range=RANGES["temperature"],
        flags=("-t", "--temperature"),
        live=True,
    ),
    Setting(
        "top_p",
        float,
        "Sample only from the likeliest tokens that make up this probability.",
        range=RANGES["top_p"],
        flags=("--top-p",),
        live=True,
    ),
    Setting(
        "top_k",
        int,
        "Sample only from this many of the likeliest tokens.",
        range=RANGES["top_k"],
        flags=("--top-k",),
        live=True,
    ),
    Setting(
        "max_tokens",
        int,
        "Tokens a reply may have.",
        default=DEFAULT_MAX_TOKENS,
        range=RANGES["max_tokens"],
        flags=("-n", "--max-tokens", "--max-new-tokens"),
        live=True,
    ),
    Setting(
        "stop",
        str,
        "A text at which the reply ends; may be given more than once (a line each in the variable).",
        flags=("--stop",),
        many=True,
        live=True,
        sent=True,
        metavar="TEXT",
    ),
    Setting(
        "seed",
        int,
        "Makes sampling repeatable where the server can.",
        range=RANGES["seed"],
        flags=("--seed",),
        live=True,
    ),
    Setting(
        "repetition_penalty",
        float,
        "Above 1 discourages repetition.",
        range=RANGES["repetition_penalty"],
        flags=("--repetition-penalty",),
        live=True,
    ),
    Setting(
        "prompt_format",
        str,
        "How messages become one text on TGI; an OpenAI-compatible server formats them itself.",
        default="transcript",
        choices=tuple(FORMATS),
        flags=("--prompt-format",),
    ),
    Setting("offline", bool, "Never touch the network.", default=False, flags=("--offline",)),
    Setting("plain", bool, "No Markdown: the text as it comes.", default=False, flags=("--plain",)),
    Setting(
        "theme",
        str,
        "Colours of Markdown on a terminal; auto goes by its background.",
        default="auto",
        choices=("auto", "dark", "light", "mono"),
        flags=("--theme",),
    ),
    Setting("quiet", bool, "Say nothing but the answer and errors.", default=False, flags=("-q", "--quiet")),
    Setting("vi", bool, "vi keys at the prompt.", default=False, flags=("--vi",)),
    Setting(
        "threads",
        int,
        "Threads the embedded engine generates with; 1 is best on a small or busy machine.",
        default=1,
        range=Range(1, 1024),
    ),
    Setting(
        "context",
        int,
        "Tokens of context the embedded engine keeps; at most what the model was trained for.",
        default=8192,
        range=Range(256, 10_000_000),
    ),
    Setting("connect_timeout", float, "Seconds to reach the server.", default=10.0, range=SECONDS),
    Setting("header_timeout", float, "Seconds until it begins to answer.", default=120.0, range=SECONDS),
    Setting("first_token_timeout", float, "Seconds until the first token.", default=120.0, range=SECONDS),
    Setting("idle_timeout", float, "Seconds between two tokens.", default=60.0, range=SECONDS),
    Setting(
        "wait",
        float,
        "Seconds to wait in all for a model that loads or a server that is busy.",
        default=120.0,
        range=Range(0, 86_400),
    ),
    Setting(
        "allow_insecure_http",
        bool,
        "Send a key over http:// to hosts other than this machine.",
        default=False,
    ),
    Setting("ca_file", str, "A file of certificates to trust besides the system's.", metavar="FILE"),
    Setting("proxy", str, "The proxy to go through; the environment's proxies are not used.", metavar="URL"),
)

SETTINGS: Mapping[str, Setting] = MappingProxyType({setting.name: setting for setting in _TABLE})
"""The settings by name, in the order they are shown."""
