"""Which bytes are text that may be sent."""

from __future__ import annotations

import pytest

from llmchat.core.input_text import decode


@pytest.mark.parametrize("content", [b"a\r\n", "\ufeffa\r\n".encode()])
def test_bytes_become_text_without_a_byte_order_mark(content: bytes) -> None:
    assert decode(content, "it") == "a\r\n"
