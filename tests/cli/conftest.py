"""The command in a home of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from command import Llmchat


@pytest.fixture
def llmchat(tmp_path: Path) -> Llmchat:
    return Llmchat(tmp_path)


@pytest.fixture
def echo(llmchat: Llmchat) -> Llmchat:
    """The same with the model that answers with the question."""
    return llmchat.with_environ(LLMCHAT_MODEL="echo")
