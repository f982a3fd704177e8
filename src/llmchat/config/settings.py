"""Every setting, declared once; flags, variables, keys of config.toml and `/set` derive from this table."""

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
"""The system message of the course that llmchat grew from; the default on a URL."""

SECONDS = Range(0, 86_400, above=True)

_TABLE: Sequence[Setting] = (
    Setting(
        "model",
        str,
        "What to chat with: a profile, an embedded model, a path to a .gguf file, hf:owner/repo/file.gguf, "
        "echo or canned; with a URL, the name sent to that server.",
        example="smollm2",
        flags=("-m", "--model"),
        metavar="MODEL",
    ),
    Setting(
        "profile",
        str,
        "The profile of config.toml to use where no other is named.",
        example="work",
        top_only=True,
    ),
    Setting(
        "url",
        str,
        "A TGI endpoint or any OpenAI-compatible server: http(s)://host[:port][/path].",
        example="http://127.0.0.1:8080",
        flags=("--url",),
        aliases=("HF_API_FALCOM_BASE",),
        metavar="URL",
        read_text=check_url,
    ),
    Setting(
        "api",
        str,
        "What the server at the URL speaks; auto asks it.",
        default="auto",
        choices=("auto", *(api.name for api in APIS)),
        flags=("--api",),
    ),
    Setting(
        "api_key",
        str,
        "The key sent to the URL. There is no option for it.",
        example="the key",
        secret=True,
    ),
    Setting(
        "key_env",
        str,
        "The environment variable, in capitals, that holds the key; only in config.toml.",
        example="WORK_API_KEY",
        secret=True,  # who mistakes it for the key itself must not see that in an error
        file_only=True,
    ),
    Setting(
        "key_command",
        str,
        "The command that prints the key, run without a shell when the key is needed; only in config.toml.",
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
        "The system message; empty for none. Default: the course's on a URL, the model's own here.",
        example="Answer in one sentence.",
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
        example=0.9,
        range=RANGES["top_p"],
        flags=("--top-p",),
        live=True,
    ),
    Setting(
        "top_k",
        int,
        "Sample only from this many of the likeliest tokens.",
        example=50,
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
        "Makes sampling repeatable where the server can.",
        example=7,
        range=RANGES["seed"],
        flags=("--seed",),
        live=True,
    ),
    Setting(
        "repetition_penalty",
        float,
        "Above 1 discourages repetition.",
        example=1.1,
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
        "reasoning",
        str,
        "What a model thinks before it replies, where its server tells: dim on stderr, or not at all.",
        default="show",
        choices=("show", "hide"),
        flags=("--reasoning",),
    ),
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
        "Tokens of context: what the embedded engine keeps, or what a server takes that does not say it.",
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
    Setting("ca_file", str, "A file of certificates to trust besides the system's.", example="~/ca.pem"),
    Setting(
        "proxy",
        str,
        "The proxy to go through; the environment's proxies are not used.",
        example="http://127.0.0.1:3128",
        read_text=check_proxy,
    ),
)

SETTINGS: Mapping[str, Setting] = MappingProxyType({setting.name: setting for setting in _TABLE})
"""The settings by name, in the order they are shown."""
