"""Downloads weights from the Hugging Face hub, and resumes interrupted downloads; sends no key.

Files are at `/{repo}/resolve/{revision}/{file}`, which redirects to a content network; its size and
SHA-256 come from `/api/models/{repo}/revision/{revision}?blobs=true` (huggingface_hub, HfApi.model_info).
"""

from __future__ import annotations

import http.client
import json
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from urllib.parse import quote

from llmchat.errors import MissingError, UnavailableError
from llmchat.weights import route
from llmchat.weights.catalogue import Model
from llmchat.weights.disk import Part, Progress

HUB = "https://huggingface.co"
ANSWER_S = 3.0  # do not wait long for a hub that cannot be reached
IDLE_S = 30.0  # seconds between two blocks
_TRIES = 5
_BLOCK = 1 << 18  # bytes
_LONGEST_DESCRIPTION = 8 << 20  # bytes


class _Broken(UnavailableError):  # noqa: N818 - it is the line that broke
    """The connection was lost; a new one can resume."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub. Every method raises UnavailableError if it does not answer within `answer_s` seconds."""

    url: str = HUB
    _: KW_ONLY
    proxy: str | None = None
    ca_file: Path | None = None
    answer_s: float = ANSWER_S

    def describe(self, model: Model) -> Model:
        """The model with its commit, size and SHA-256 from the hub. Raises MissingError, too."""
        address = f"/api/models/{quote(model.repo)}/revision/{quote(model.revision)}?blobs=true"
        with self._open(address, {}, unknown=MissingError) as response, _translating():
            text = response.read(_LONGEST_DESCRIPTION)
        try:
            told = json.loads(text)
            files = {each["rfilename"]: each for each in told["siblings"]}
            revision = str(told["sha"])
            if model.repo_file not in files:
                raise MissingError(
                    f"{model.repo} has no file {model.repo_file}", hint=f"it has: {_choice(files)}"
                )
            blob = files[model.repo_file]["lfs"]
            return replace(model, revision=revision, size=int(blob["size"]), sha256=str(blob["sha256"]))
        except (ValueError, KeyError, TypeError) as error:
            raise UnavailableError("the hub sent an invalid answer") from error

    def check(self, model: Model) -> None:
        """Requests the file's first byte, in the same way as a download."""
        with self._open(_address(model), {"Range": "bytes=0-0"}):
            pass

    def download(self, model: Model, part: Part, progress: Progress) -> None:
        """Completes the download. Raises StorageError if it cannot be written."""
        for tries_left in reversed(range(_TRIES)):
            before = part.size
            try:
                self._transfer(model, part, progress)
            except _Broken:
                if not tries_left or part.size == before:
                    raise
            else:
                return

    def _transfer(self, model: Model, part: Part, progress: Progress) -> None:
        size = model.size
        if part.size > size:
            part.restart()
        headers = {"Range": f"bytes={part.size}-"} if 0 < part.size < size else {}
        if part.size == size:
            return
        with self._open(_address(model), headers) as response:
            if response.status != http.HTTPStatus.PARTIAL_CONTENT:
                part.restart()
            if response.length not in (None, size - part.size):
                raise UnavailableError("the hub has a different file there")
            while block := _read(response):
                part.write(block)
                progress(min(part.size, size), size)
                if part.size > size:
                    part.restart()
                    raise UnavailableError("the hub sent more bytes than the file has")
        if part.size < size:
            raise _Broken("the connection to the hub was lost")

    @contextmanager
    def _open(
        self,
        address: str,
        headers: dict[str, str],
        *,
        unknown: type[MissingError | UnavailableError] = UnavailableError,
    ) -> Iterator[http.client.HTTPResponse]:
        request = urllib.request.Request(self.url + address, headers=headers)  # noqa: S310 - our own scheme
        try:
            with _translating():
                response = self._answer(request)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in (401, 403, 404):
                raise unknown(
                    f"the hub has no such public file ({error.code})", hint="check its name"
                ) from error
            raise UnavailableError(f"the hub answers {error.code}") from error
        try:
            yield response
        finally:
            response.close()

    def _answer(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Opens a URL in a thread: urllib's timeout covers neither DNS nor the sum of all steps."""
        opener = route.opener(self.proxy, self.ca_file)
        answers: queue.SimpleQueue[http.client.HTTPResponse | Exception] = queue.SimpleQueue()
        late = threading.Event()

        def ask() -> None:
            try:
                response: http.client.HTTPResponse = opener.open(request, timeout=IDLE_S)
            except (OSError, http.client.HTTPException, UnavailableError, ValueError) as error:
                answers.put(error)
            else:
                response.close() if late.is_set() else answers.put(response)

        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = answers.get(timeout=self.answer_s)
        except queue.Empty:
            late.set()
            raise UnavailableError(f"the hub did not answer in {self.answer_s:g} s") from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _address(model: Model) -> str:
    return f"/{quote(model.repo)}/resolve/{quote(model.revision)}/{quote(model.repo_file)}"


def _read(response: http.client.HTTPResponse) -> bytes:
    with _translating():
        return response.read(_BLOCK)


def _choice(files: dict[str, object]) -> str:
    models = [name for name in files if name.lower().endswith(".gguf")]
    return ", ".join(models[:5]) + (", ..." if len(models) > 5 else "") if models else "no .gguf file"


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except urllib.error.HTTPError:
        raise
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise _Broken(f"the hub cannot be reached: {reason}") from error
