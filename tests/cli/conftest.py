"""The command in a home of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from command import Llmchat

collect_ignore = [f"completion/test_{shell}.py" for shell in ("zsh", "fish") if not shutil.which(shell)]


@pytest.fixture
def llmchat(tmp_path: Path) -> Llmchat:
    return Llmchat(tmp_path)


@pytest.fixture
def echo(llmchat: Llmchat) -> Llmchat:
    """The same with the model that answers with the question."""
    return llmchat.with_environ(LLMCHAT_MODEL="echo")
