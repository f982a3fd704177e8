"""Exports, imports and erases saved conversations; asks before it erases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import BinaryIO

from llmchat.errors import CreateError, ExitCode, InputError, MissingError, UsageError
from llmchat.paths import expand_home
from llmchat.sanitize import sanitize_line
from llmchat.store import ConversationExport, Store
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.history.show import open_store
from llmchat.transcripts.formats import choose_format, export
from llmchat.transcripts.headings import title_of
from llmchat.transcripts.interchange import from_json

_BLOCK = 1 << 20  # bytes
_ALL = -1  # no limit, in SQLite


def export_history(
    given: Sequence[str], streams: Streams, *, every: bool, format_: str | None, file: str | None
) -> ExitCode:
    """Exports these conversations, or all, to a file or stdout; by default the latest one.

    Raises UsageError, MissingError if one is not there, CreateError if the file cannot be written.
    """
    if every and given:
        raise UsageError("--all and an id cannot be used together", hint="give one of them")
    chosen = choose_format(format_, file)
    with open_store(streams) as store:
        ids = [each.id for each in store.list(_ALL)] if every else _resolve(store, given or ["last"])
        text = export([store.export(each) for each in ids], chosen)
    if file is None or file == "-":
        streams.write(text)
    else:
        try:
            expand_home(file).write_text(text, "utf-8", errors="replace", newline="\n")
        except OSError as error:
            raise CreateError(
                f"{file} cannot be written: {error.strerror}", hint="name another file"
            ) from error
        streams.note(f"{_count(len(ids))} written to {file}")
    return ExitCode.OK


def import_history(file: str, streams: Streams, *, as_json: bool) -> ExitCode:
    """Imports the conversations of a JSON export; prints which ones got another id.

    Raises MissingError for a file that is not there, InputError for what is no export of llmchat.
    """
    given = from_json(_read_file(file, streams), file if file != "-" else "standard input")
    with open_store(streams) as store:
        ids = store.restore(given)
    if as_json:
        records = [{"conversation": each.id, "kept_as": key} for each, key in zip(given, ids, strict=True)]
        streams.write(json.dumps(records, indent=2) + "\n")
        return ExitCode.OK
    there = ids.count(None)
    streams.write(f"{_count(len(ids) - there)} imported, {there} already present.\n")
    for each, key in zip(given, ids, strict=True):
        if key not in (None, each.id):
            streams.write(f"{sanitize_line(each.id)} is saved as {key}: another conversation has that id.\n")
    return ExitCode.OK


def erase_history(given: Sequence[str], streams: Streams, *, sure: bool, as_json: bool) -> ExitCode:
    """Erases conversations permanently, after asking for confirmation.

    Raises UsageError without a terminal to ask at, MissingError if one is not there; then none is erased.
    """
    with open_store(streams) as store:
        ids = _resolve(store, given)
        if not sure and not _agreed([store.export(each) for each in ids], streams):
            streams.note("nothing was erased")
            return ExitCode.OK
        store.delete(*ids)
    if as_json:
        streams.write(json.dumps({"erased": ids}) + "\n")
    else:
        streams.note(f"{_count(len(ids))} erased")
    return ExitCode.OK


def _agreed(conversations: Sequence[ConversationExport], streams: Streams) -> bool:
    if not streams.is_terminal(streams.stdin) or streams.stdin is None:
        raise UsageError(
            "erasing needs a confirmation, and there is no terminal", hint="--yes erases without asking"
        )
    for each in conversations:
        streams.say(f"{each.id}  {len(each.records):>4} messages  {title_of(each)}")
    streams.tell(f"Erase {_count(len(conversations))} permanently? [y/N] ")
    return streams.stdin.readline().strip().lower() in (b"y", b"yes")


def _resolve(store: Store, given: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(store.resolve(each) for each in given))


def _count(conversations: int) -> str:
    return f"{conversations} conversation{'' if conversations == 1 else 's'}"


def _read_file(name: str, streams: Streams) -> str:
    """Reads a whole file of any size: an archive, not a prompt."""
    try:
        if name != "-":
            with expand_home(name).open("rb") as archive:
                content = _read_bytes(archive, name)
        elif streams.stdin is not None:
            content = _read_bytes(streams.stdin, "standard input")
        else:
            raise UsageError("standard input is closed", hint="name a file")
        return content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise MissingError(f"there is no file {name}", hint="check its name") from error
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}", hint="name a JSON export") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not an llmchat export: not UTF-8", hint="name a JSON export") from error


def _read_bytes(archive: BinaryIO, name: str) -> bytes:
    """Reads everything; stops at a zero byte, which no text has, so that /dev/zero cannot fill the memory."""
    content = bytearray()
    while block := archive.read(_BLOCK):
        if b"\0" in block:
            raise InputError(f"{name} is not an llmchat export: binary", hint="name a JSON export")
        content += block
    return bytes(content)
