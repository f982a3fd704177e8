"""What the standard streams are, and that a broken one is said or survived."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from llmchat.errors import StorageError
from llmchat.terminal.device.streams import Streams
from piping import pipes


def test_a_pipe_a_file_and_a_socket_are_piped(tmp_path: Path) -> None:
    with pipes(b"") as ends:
        assert ends.streams.piped
        assert not ends.streams.is_terminal(ends.streams.stdout)
        assert ends.streams.size(ends.streams.stdout) == (80, 24)
    (tmp_path / "file").touch()
    with (tmp_path / "file").open("rb") as file:
        assert Streams(file, None, None, {}).piped
    here, there = socket.socketpair()
    with here, there, here.makefile("rb") as end:
        assert Streams(end, None, None, {}).piped  # type: ignore[arg-type] # a buffered reader


def test_a_terminal_the_null_device_and_a_closed_stdin_are_not() -> None:
    with Path(os.devnull).open("rb") as null:
        assert not Streams(null, None, None, {}).piped
    assert not Streams(null, None, None, {}).piped
    assert not Streams(None, None, None, {}).piped
    master, slave = os.openpty()
    with os.fdopen(slave, "r+b", buffering=0) as terminal:
        streams = Streams(terminal, terminal, None, {})  # type: ignore[arg-type] # unbuffered
        assert not streams.piped
        assert streams.is_terminal(streams.stdout)
    os.close(master)


def test_text_is_utf_8_and_half_a_surrogate_pair_no_error() -> None:
    with pipes() as ends:
        ends.streams.write("é你\ud800")
        ends.streams.say("é\udcff")
        assert (ends.out(), ends.err()) == ("é你?".encode(), "é?\n".encode())


def test_a_closed_stdout_is_an_error_and_a_closed_stderr_is_not() -> None:
    streams = Streams(None, None, None, {})
    with pytest.raises(StorageError, match="closed"):
        streams.write("x")
    streams.say("nobody hears this")


def test_a_stderr_that_nobody_reads_is_survived() -> None:
    read, write = os.pipe()
    os.close(read)
    stderr = os.fdopen(write, "wb", buffering=0)
    streams = Streams(None, None, stderr, {})  # type: ignore[arg-type] # unbuffered
    streams.say("nobody hears this")
    stderr.close()
    streams.say("nor this")
