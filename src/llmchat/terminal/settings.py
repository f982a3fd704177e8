"""`llmchat config`: shows the settings; creates, opens and checks config.toml."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import textwrap
from collections.abc import Mapping
from dataclasses import asdict

from llmchat.app.effective import effective
from llmchat.config.folders import Folders
from llmchat.config.layers import Value
from llmchat.config.location import ConfigPath
from llmchat.config.starter import write_starter
from llmchat.errors import ConfigError, ExitCode
from llmchat.private import restrict_to_owner
from llmchat.sanitize import sanitize_line
from llmchat.terminal.device.pager import ctrl_c_for_the_child
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.run import Run, config_path, configure

_EDITORS = ("editor", "nano", "vi", "notepad")


def show_settings(run: Run, streams: Streams, *, as_json: bool) -> ExitCode:
    """Prints every setting, where it came from and its value. Raises as `configure`."""
    values = dict(effective(configure(run, streams)))
    if as_json:
        record = {name: {"value": value.value, "origin": value.origin} for name, value in values.items()}
        streams.write(json.dumps(record, indent=2) + "\n")
        return ExitCode.OK
    columns = streams.size(streams.stdout)[0] if streams.is_terminal(streams.stdout) else None
    streams.write(settings_text(values, columns) + "\n")
    return ExitCode.OK


def settings_text(values: Mapping[str, Value], columns: int | None) -> str:
    """A line for each setting; long values are wrapped to `columns`."""
    origins = {name: sanitize_line(value.origin) for name, value in values.items()}
    widths = max(map(len, values)), max(map(len, origins.values()))
    indent = " " * (sum(widths) + 4)
    room = max(20, columns - len(indent)) if columns else None
    lines = []
    for name, value in values.items():
        shown = _shown(value)
        parts = textwrap.wrap(shown, room, break_on_hyphens=False) if room else [shown]
        before = f"{name:<{widths[0]}}  {origins[name]:<{widths[1]}}  "
        lines += [(indent if at else before) + part for at, part in enumerate(parts)]
    return "\n".join(lines)


def _shown(value: Value) -> str:
    match value.value:
        case None | ():
            return "-"
        case bool():
            return "on" if value.value else "off"
        case float():
            return f"{value.value:.10g}"
        case str():
            return sanitize_line(value.value) or '""'
        case tuple():
            return " ".join(json.dumps(sanitize_line(part), ensure_ascii=False) for part in value.value)
    return str(value.value)


def show_path(run: Run, streams: Streams, *, as_json: bool) -> ExitCode:
    """Prints the path of config.toml, or all folders as JSON; reads no file."""
    path, folders = config_path(run, streams).path.absolute(), Folders.find(streams.environ)
    there = path.exists()
    if as_json:
        kept = {name: str(folder) for name, folder in asdict(folders).items()}
        streams.write(json.dumps({"file": str(path), "exists": there, **kept}, indent=2) + "\n")
        return ExitCode.OK
    streams.write(f"{path}\n")
    if not there:
        streams.note("this file does not exist yet; llmchat config init creates it")
    return ExitCode.OK


def init(run: Run, streams: Streams) -> ExitCode:
    """Creates the commented config.toml and prints its path. Raises CreateError if it exists."""
    place = config_path(run, streams)
    _write(place, streams)
    streams.write(f"{place.path.absolute()}\n")
    return ExitCode.OK


def edit(run: Run, streams: Streams) -> ExitCode:
    """Opens config.toml in the person's editor, creating it if necessary, then checks it.

    Raises ConfigError if there is no editor, or with the line of a mistake in the file.
    """
    place = config_path(run, streams)
    if not place.path.exists():
        _write(place, streams)
    command = _editor(streams)
    try:
        with ctrl_c_for_the_child():
            code = subprocess.call([*command, str(place.path)], env=dict(streams.environ))  # noqa: S603 - the person's own
    except OSError as error:
        raise ConfigError(
            f"the editor {command[0]} cannot be started: {error.strerror}", hint="set VISUAL or EDITOR"
        ) from error
    if code != 0:
        raise ConfigError(f"the editor {command[0]} ended with {code}", hint="the file was not checked")
    for notice in ConfigPath(place.path, named=True).read().notices:
        streams.note(notice)
    streams.note(f"{place.path} is valid")
    return ExitCode.OK


def _write(place: ConfigPath, streams: Streams) -> None:
    write_starter(place.path)
    folder = place.path.parent
    if not place.named and (said := restrict_to_owner(folder, hint=f"chmod 700 {folder}")):
        streams.note(said)


def _editor(streams: Streams) -> list[str]:
    """The command in $VISUAL or $EDITOR, else an installed editor. Raises ConfigError."""
    for variable in ("VISUAL", "EDITOR"):
        if said := streams.environ.get(variable):
            try:
                if command := shlex.split(said, posix=os.name == "posix"):
                    return command
            except ValueError:
                raise ConfigError(f"{variable} has an unclosed quote", hint="fix it") from None
    found = filter(None, (shutil.which(name, path=streams.environ.get("PATH")) for name in _EDITORS))
    if (editor := next(found, None)) is None:
        raise ConfigError("no editor found", hint="set VISUAL or EDITOR")
    return [editor]
