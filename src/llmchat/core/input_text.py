"""Checks text that is sent to a model: UTF-8 without NUL, at most 16 MiB. No I/O."""

from __future__ import annotations

from llmchat.errors import InputError

INPUT_CAP = 16 * 1024 * 1024
"""Maximum size of a prompt in bytes."""


def decode(content: bytes, name: str) -> str:
    """Decodes bytes, without a byte order mark; `name` is the input's name in errors.

    Raises InputError for more than INPUT_CAP bytes, or if they are not UTF-8 text.
    """
    try:
        return check_text(content.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        if len(content) > INPUT_CAP:  # the text may be cut inside a character
            raise _too_large(name) from error
        if b"\0" in content:
            raise _binary(name) from error
        hint = "convert it, for example with iconv"
        raise InputError(f"{name} is not UTF-8 (byte {error.start})", hint=hint) from error


def check_text(text: str, name: str) -> str:
    """Returns the text if it can be sent. Raises InputError as `decode` does."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise InputError(f"{name} is not UTF-8", hint="check the encoding it was typed in") from error
    if size > INPUT_CAP:
        raise _too_large(name)
    if "\0" in text:
        raise _binary(name)
    return text


def _too_large(name: str) -> InputError:
    return InputError(f"{name} is over {INPUT_CAP >> 20} MiB", hint="send a part of it")


def _binary(name: str) -> InputError:
    return InputError(f"{name} is binary, not text", hint="convert it to text first")
