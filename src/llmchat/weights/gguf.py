"""Tells whether a file begins like a GGUF; reads no more than its first bytes.

The layout is that of ggml/docs/gguf.md: magic, version, number of tensors, number of metadata pairs.
Whether the tensors are all there is for llama.cpp to say: it sees that in milliseconds.
"""

from __future__ import annotations

import struct
from pathlib import Path

from llmchat.errors import DeniedError, InputError, MissingError, StorageError

_HEADER = struct.Struct("<4sIQQ")
_VERSIONS = range(2, 100)  # 1 is not read by llama.cpp any more; a big-endian file shows a huge one
_LEAST_TENSOR_ENTRY = 24  # bytes: name length, dimensions, type, offset


def check_gguf(path: Path) -> None:
    """Raises MissingError, DeniedError or InputError where this cannot be a GGUF model."""
    if path.is_dir():
        raise InputError(f"{path} is a folder", hint="name the .gguf file in it")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEADER.size)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingError(
            f"there is no file {path}", hint="see what there is with: llmchat models"
        ) from error
    except PermissionError as error:
        raise DeniedError(f"{path} may not be read", hint="look at its permissions") from error
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    _check_header(path, head, size)


def _check_header(path: Path, head: bytes, size: int) -> None:
    if not head:
        raise InputError(f"{path} is empty", hint="fetch it again")
    if head[:4] != b"GGUF":
        raise InputError(f"{path} is not a GGUF file", hint="llmchat runs models in llama.cpp's GGUF format")
    if len(head) < _HEADER.size:
        raise InputError(f"{path} is cut short", hint="fetch it again")
    _, version, tensors, _pairs = _HEADER.unpack(head)
    if version not in _VERSIONS:
        raise InputError(
            f"{path} is a GGUF of a kind that is not supported", hint="look for a newer conversion"
        )
    if not tensors:
        raise InputError(f"{path} holds no weights", hint="it may be a vocabulary or a part of a split model")
    if tensors * _LEAST_TENSOR_ENTRY > size:
        raise InputError(f"{path} is cut short or damaged", hint="fetch it again")
