"""Checks the header of a GGUF file; reads only its first bytes.

The layout is that of ggml/docs/gguf.md: magic, version, number of tensors, number of metadata pairs.
llmchat leaves it to llama.cpp to check that all tensors are there, which takes milliseconds.
"""

from __future__ import annotations

import struct
from pathlib import Path

from llmchat.errors import DeniedError, InputError, MissingError, StorageError

_HEADER = struct.Struct("<4sIQQ")
_VERSIONS = range(
    2, 100
)  # llama.cpp no longer reads version 1; a big-endian file seems to have a huge version
_LEAST_TENSOR_ENTRY = 24  # bytes: name length, dimensions, type, offset


def check_gguf(path: Path) -> None:
    """Raises MissingError, DeniedError or InputError if this cannot be a GGUF model."""
    if path.is_dir():
        raise InputError(f"{path} is a folder", hint="name the .gguf file in it")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEADER.size)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingError(
            f"there is no file {path}", hint="list the available models: llmchat models"
        ) from error
    except PermissionError as error:
        raise DeniedError(
            f"{path} cannot be read: permission denied", hint="check its permissions"
        ) from error
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    _check_header(path, head, size)


def _check_header(path: Path, head: bytes, size: int) -> None:
    if not head:
        raise InputError(f"{path} is empty", hint="download it again")
    if head[:4] != b"GGUF":
        raise InputError(f"{path} is not a GGUF file", hint="llmchat runs models in llama.cpp's GGUF format")
    if len(head) < _HEADER.size:
        raise InputError(f"{path} is cut short", hint="download it again")
    _, version, tensors, _pairs = _HEADER.unpack(head)
    if version not in _VERSIONS:
        raise InputError(f"{path} has an unsupported GGUF version", hint="look for a newer conversion")
    if not tensors:
        raise InputError(
            f"{path} contains no weights", hint="it may be a vocabulary or a part of a split model"
        )
    if tensors * _LEAST_TENSOR_ENTRY > size:
        raise InputError(f"{path} is cut short or damaged", hint="download it again")
