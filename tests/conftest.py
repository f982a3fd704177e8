"""What many tests need: the real small model."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from llmchat import weights


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The embedded model's file, fetched once into a folder that outlives the tests."""
    folder = os.environ.get("LLMCHAT_TEST_WEIGHTS") or platformdirs.user_cache_path("llmchat")
    return weights.fetch(weights.CATALOGUE["smollm2"], Path(folder), progress=lambda _done, _total: None)
