"""The table of all settings: options, variables, keys of config.toml and `/set` are derived from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from llmchat.backends.registry import APIS
from llmchat.config.setting import Setting
from llmchat.config.urls import check_proxy, check_url
from llmchat.core.generation import DEFAULT_MAX_TOKENS, RANGES, Range
from llmchat.core.prompt_format import FORMATS

COURSE_SYSTEM = (
    "A conversation between a user and an LLM-based AI assistant. "
    "The assistant gives helpful and honest answers."
)
"""The default system message for a URL: that of the course that llmchat grew from."""

SECONDS = Range(0, 86_400, above=True)

_TABLE: Sequence[Setting] = (
    Setting(
        "model",
        str,
        "The model: a profile, an embedded model, a path to a .gguf file, hf:owner/repo/file.gguf, echo or "
        "canned. With a URL, the model's name on that server.",
        example="smollm2",
        flags=("-m", "--model"),
        metavar="MODEL",
    ),
    Setting(
        "profile",
        str,
        "The profile of config.toml to use if -m names no other.",
        example="work",
        top_only=True,
    ),
    Setting(
        "url",
        str,
        "The server, TGI or OpenAI-compatible: http(s)://host[:port][/path].",
        example="http://127.0.0.1:8080",
        flags=("--url",),
        aliases=("HF_API_FALCOM_BASE",),
        metavar="URL",
        read_text=check_url,
    ),
    Setting(
        "api",
        str,
        "The API of the server at the URL; auto detects it.",
        default="auto",
        choices=("auto", *(api.name for api in APIS)),
        flags=("--api",),
    ),
    Setting(
        "api_key",
        str,
        "The API key for the URL. No option takes it, as other users can see the options of a process.",
        example="the key",
        secret=True,
    ),
    Setting(
        "key_env",
        str,
        "The environment variable, in capitals, that holds the API key; only in config.toml.",
        example="WORK_API_KEY",
        secret=True,  # a person may put the key itself here: no error may show it
        file_only=True,
    ),
    Setting(
        "key_command",
        str,
        "The command that prints the API key, run without a shell when it is needed; only in config.toml.",
        example="pass show work/llm",
        many=True,
        words=True,
        secret=True,
        file_only=True,
    ),
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
        "The system message; empty for none. Default: a general one for a URL, else the model's own.",
        example="Answer in one sentence.",
        flags=("-s", "--system"),
        sent=True,
        metavar="TEXT",
    ),
    Setting(
        "temperature",
        float,
        "Sampling temperature: 0 is greedy, higher is more random.",
        default=0.7,
        range=RANGES["temperature"],
        flags=("-t", "--temperature"),
        live=True,
    ),
    Setting(
        "top_p",
        float,
        "Sample only from the most likely tokens that add up to this probability.",
        example=0.9,
        range=RANGES["top_p"],
        flags=("--top-p",),
        live=True,
    ),
    Setting(
        "top_k",
        int,
        "Sample only from this many of the most likely tokens.",
        example=50,
        range=RANGES["top_k"],
        flags=("--top-k",),
        live=True,
    ),
    Setting(
        "max_tokens",
        int,
        "Maximum length of a reply in tokens.",
        default=DEFAULT_MAX_TOKENS,
        range=RANGES["max_tokens"],
        flags=("-n", "--max-tokens", "--max-new-tokens"),
        live=True,
    ),
    Setting(
        "stop",
        str,
        "Stop text: the reply ends before it. Repeatable; in the variable, one per line.",
        example=("###",),
        flags=("--stop",),
        many=True,
        live=True,
        sent=True,
        metavar="TEXT",
    ),
    Setting(
        "seed",
        int,
        "Random seed: makes sampling repeatable if the server supports it.",
        example=7,
        range=RANGES["seed"],
        flags=("--seed",),
        live=True,
    ),
    Setting(
        "repetition_penalty",
        float,
        "Penalty for repeated tokens: above 1 discourages repetition.",
        example=1.1,
        range=RANGES["repetition_penalty"],
        flags=("--repetition-penalty",),
        live=True,
    ),
    Setting(
        "prompt_format",
        str,
        "The prompt template for TGI. Other servers apply the model's own chat template.",
        default="transcript",
        choices=tuple(FORMATS),
        flags=("--prompt-format",),
    ),
    Setting("offline", bool, "Never use the network.", default=False, flags=("--offline",)),
    Setting(
        "plain", bool, "Print plain text instead of formatted Markdown.", default=False, flags=("--plain",)
    ),
    Setting(
        "reasoning",
        str,
        "Show or hide the model's reasoning. It goes to stderr and is not part of the answer.",
        default="show",
        choices=("show", "hide"),
        flags=("--reasoning",),
    ),
    Setting(
        "theme",
        str,
        "Colours on a terminal; auto chooses by the terminal's background.",
        default="auto",
        choices=("auto", "dark", "light", "mono"),
        flags=("--theme",),
    ),
    Setting("quiet", bool, "Print only the answer and errors.", default=False, flags=("-q", "--quiet")),
    Setting("vi", bool, "Use vi key bindings at the prompt.", default=False, flags=("--vi",)),
    Setting(
        "threads",
        int,
        "CPU threads of the embedded engine; 1 is best on a small or busy machine.",
        default=1,
        range=Range(1, 1024),
    ),
    Setting(
        "context",
        int,
        "Context window in tokens: of the embedded engine, or of a server that does not report its own.",
        default=8192,
        range=Range(256, 10_000_000),
    ),
    Setting("connect_timeout", float, "Seconds to wait for a connection.", default=10.0, range=SECONDS),
    Setting("header_timeout", float, "Seconds to wait for a response.", default=120.0, range=SECONDS),
    Setting(
        "first_token_timeout", float, "Seconds to wait for the first token.", default=120.0, range=SECONDS
    ),
    Setting("idle_timeout", float, "Seconds to wait for the next token.", default=60.0, range=SECONDS),
    Setting(
        "wait",
        float,
        "Seconds to wait in all while a model is loading or a server is busy.",
        default=120.0,
        range=Range(0, 86_400),
    ),
    Setting(
        "allow_insecure_http",
        bool,
        "Allow a key to be sent over http:// to another machine.",
        default=False,
    ),
    Setting(
        "ca_file",
        str,
        "A PEM file of CA certificates to trust in addition to the system's.",
        example="~/ca.pem",
    ),
    Setting(
        "proxy",
        str,
        "The proxy to use. Proxies of the environment are ignored.",
        example="http://127.0.0.1:3128",
        read_text=check_proxy,
    ),
)

SETTINGS: Mapping[str, Setting] = MappingProxyType({setting.name: setting for setting in _TABLE})
"""The settings by name, in the order they are shown."""
