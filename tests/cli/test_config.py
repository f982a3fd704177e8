"""`llmchat config` as a process: what counts and why, and the file that people write."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from command import Llmchat, Ran
from llmchat.config.settings import SETTINGS
from llmchat.config.starter import starter
from pseudo_terminal import PseudoTerminal

SECRET = "topsecret-1234"
TOML = f"""\
temperature = 0.3

[profiles.work]
url = "https://work.example/v1"
model = "big"
api_key = "{SECRET}"
system = "Answer as my colleague would, in a few words, and say it if you do not know."
"""


@pytest.fixture
def path(llmchat: Llmchat) -> Path:
    """The config.toml of this home, which has its folder already."""
    path = llmchat.home / "kept" / "config" / "config.toml"
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700)  # parents=True would leave the upper one to the umask
    path.touch(mode=0o600)
    return path


def table(ran: Ran) -> dict[str, tuple[str, str]]:
    """Origin and value of each setting in what `config show` printed."""
    assert ran.code == 0, ran.err
    lines = [line.split("  ", 1) for line in ran.out.decode().splitlines()]
    rows = {name: [part.strip() for part in rest.strip().split("  ", 1)] for name, rest in lines}
    return {name: (row[0], row[1]) for name, row in rows.items()}


def test_every_setting_is_shown_with_its_value_and_where_it_came_from(llmchat: Llmchat, path: Path) -> None:
    path.write_text(TOML)
    (llmchat.home / ".env").write_text("LLMCHAT_SEED=7\n")
    shell = llmchat.with_environ(LLMCHAT_TOP_P="0.9")
    shown = table(shell("-m", "work", "config", "show", "-n", "5", "--stop", "a b", "--stop", "c"))
    assert list(shown) == list(SETTINGS)
    expected = {
        "model": ("profile work (config.toml:5)", "big"),
        "profile": ("--model", "work"),
        "url": ("profile work (config.toml:4)", "https://work.example/v1"),
        "api_key": ("profile work (config.toml:6)", "set (from profile work (config.toml:6))"),
        "temperature": ("config.toml:1", "0.3"),
        "top_p": ("LLMCHAT_TOP_P", "0.9"),
        "max_tokens": ("--max-tokens", "5"),
        "stop": ("--stop", '"a b" "c"'),
        "seed": (".env", "7"),
        "offline": ("default", "off"),
        "proxy": ("default", "-"),
    }
    assert {name: shown[name] for name in expected} == expected


def test_as_json_each_setting_has_value_and_origin(llmchat: Llmchat, path: Path) -> None:
    path.write_text(TOML)
    record = llmchat("config", "show", "--json", "-m", "work", "--stop", "x").json
    assert list(record) == list(SETTINGS)
    assert record["temperature"] == {"value": 0.3, "origin": "config.toml:1"}
    assert record["stop"] == {"value": ["x"], "origin": "--stop"}
    assert record["offline"] == {"value": False, "origin": "default"}
    assert record["seed"] == {"value": None, "origin": "default"}
    assert SECRET not in json.dumps(record)


def test_two_shells_with_different_environments_show_why_they_differ(llmchat: Llmchat, path: Path) -> None:
    path.write_text(TOML)
    one = llmchat.with_environ(LLMCHAT_PROFILE="work", LLMCHAT_TEMPERATURE="0")
    other = llmchat.with_environ(LLMCHAT_URL="http://127.0.0.1:9", LLMCHAT_API_KEY="k")
    shown = table(one("config", "show")), table(other("config", "show"))
    differing = {
        name: (shown[0][name], shown[1][name]) for name in SETTINGS if shown[0][name] != shown[1][name]
    }
    assert set(differing) == {"model", "profile", "url", "api_key", "system", "temperature"}
    assert differing["url"] == (
        ("profile work (config.toml:4)", "https://work.example/v1"),
        ("LLMCHAT_URL", "http://127.0.0.1:9"),
    )
    assert differing["profile"] == (("LLMCHAT_PROFILE", "work"), ("default", "-"))
    assert differing["temperature"] == (("LLMCHAT_TEMPERATURE", "0"), ("config.toml:1", "0.3"))
    assert differing["api_key"][1] == ("LLMCHAT_API_KEY", "set (from LLMCHAT_API_KEY)")


@pytest.mark.parametrize(
    ("environ", "dotenv", "toml", "origin", "value"),
    [
        ({"LLMCHAT_API_KEY": SECRET}, "", "", "LLMCHAT_API_KEY", "set (from LLMCHAT_API_KEY)"),
        ({}, f"LLMCHAT_API_KEY={SECRET}", "", ".env", "set (from LLMCHAT_API_KEY)"),
        ({"HF_API_KEY": SECRET}, "", 'url = "https://huggingface.co"', "HF_API_KEY", "set (from HF_API_KEY)"),
        ({"K": SECRET}, "", 'key_env = "K"', "config.toml:1", "set (from K)"),
        ({}, "", 'url = "https://x.example"\nkey_env = "K"', "default", "refused: K is not set"),
        ({}, "", f'key_command = "evil {SECRET}"', "config.toml:1", "set (from key_command evil)"),
        ({}, "", f'api_key = "{SECRET}"', "config.toml:1", "set (from config.toml:1)"),
        ({"LLMCHAT_PROXY": f"http://me:{SECRET}@p"}, "", "", "default", "-"),
    ],
)
def test_no_character_of_a_key_is_shown(
    llmchat: Llmchat,
    path: Path,
    environ: dict[str, str],
    dotenv: str,
    toml: str,
    origin: str,
    value: str,
) -> None:
    path.write_text(toml)
    (llmchat.home / ".env").write_text(dotenv)
    for arguments in (["config", "show"], ["config", "show", "--json"]):
        ran = llmchat.with_environ(**environ)(*arguments)
        assert "1234" not in f"{ran.out.decode()}{ran.err}"
    assert ran.json["api_key"] == {"value": None if value == "-" else value, "origin": origin}


def test_on_a_narrow_terminal_the_columns_stay_aligned(llmchat: Llmchat, path: Path) -> None:
    path.write_text(TOML)
    environ = {"PATH": os.environ["PATH"], "LLMCHAT_HOME": str(llmchat.home / "kept")}
    environ |= {"PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
    command = [sys.executable, "-m", "llmchat", "-m", "work", "config", "show"]
    with PseudoTerminal(command, environ, columns=80, rows=60) as terminal:
        assert terminal.wait_exit() == 0
        lines = terminal.screen.splitlines()
    (at,) = (number for number, line in enumerate(lines) if line.startswith("system "))
    column = lines[at].index("Answer")
    assert lines[at + 1].startswith(" " * column + "in a few words, and say it if")
    assert all(line[column - 1] == " " and line[column] != " " for line in lines)


# Notices and errors


def test_what_nobody_knows_is_one_line_on_stderr_each(echo: Llmchat, path: Path) -> None:
    path.write_text("temprature = 1\n")
    shell = echo.with_environ(LLMCHAT_TEMPRATURE="1")
    ran = shell("ask", "Hi")
    assert (ran.code, ran.out) == (0, b"Hi\n")
    assert ran.err.splitlines() == [
        "llmchat: config.toml:1: there is no setting temprature; did you mean temperature ?",
        "llmchat: there is no setting LLMCHAT_TEMPRATURE; did you mean LLMCHAT_TEMPERATURE ?",
    ]
    assert shell("ask", "-q", "Hi").err == ""
    path.write_text("quiet = true\ntemprature = 1\n")
    assert shell("ask", "Hi").err == ""


@pytest.mark.parametrize(
    ("text", "code", "error"),
    [
        ("\ntemperature = 3\n", 78, "config.toml:2: temperature is 3"),
        ("seed =\n", 78, "config.toml:1: invalid value"),
    ],
)
def test_a_mistake_in_the_file_has_its_line_and_exit_code(
    echo: Llmchat, path: Path, text: str, code: int, error: str
) -> None:
    path.write_text(text)
    ran = echo("ask", "--json", "Hi")
    assert (ran.code, ran.error) == (code, f"{path.parent}/{error}")
    assert ran.json["error"]
    for fine in (["--help"], ["config", "path"], ["history", "list"]):
        assert echo(*fine).code == 0


def test_a_file_that_others_can_write_to_is_refused(echo: Llmchat, path: Path) -> None:
    path.chmod(0o666)
    assert echo("ask", "Hi").code == 77


def test_another_file_can_be_named_before_and_behind_the_command_and_by_a_variable(echo: Llmchat) -> None:
    (echo.home / "other.toml").write_text("max_tokens = 1\n")
    named = ["--config", "other.toml"]
    for ran in (
        echo(*named, "ask", "One two"),
        echo("ask", *named, "One two"),
        echo.with_environ(LLMCHAT_CONFIG="other.toml")("ask", "One two"),
        echo.with_environ(LLMCHAT_CONFIG="missing.toml")("ask", *named, "One two"),
    ):
        assert (ran.code, ran.out) == (0, b"One\n")
    for command in (["models"], ["history", "list"], ["config", "show"], ["config", "path"]):
        assert echo(*command, *named).code == 0
    assert (echo("ask", "--config", "missing.toml", "Hi").code, echo("--config", "", "ask", "Hi").code) == (
        66,
        2,
    )


def test_a_model_that_nobody_knows_may_be_a_misspelt_profile(llmchat: Llmchat, path: Path) -> None:
    path.write_text(TOML)
    ran = llmchat("ask", "-m", "wrok", "Hi")
    assert (ran.code, ran.error) == (2, "there is no model wrok here")
    assert ran.err.splitlines()[1] == "llmchat: hint: did you mean work ?"
    assert "choose work, smollm2" in llmchat("ask", "-m", "gpt-4", "Hi").err


def test_profiles_are_listed_with_the_models(llmchat: Llmchat, path: Path) -> None:
    path.write_text(f"{TOML}[profiles.a-name-of-some-length]\nseed = 1\n")
    lines = llmchat("models").out.decode().splitlines()
    assert lines[0].split() == ["work", "profile", "big", "at", "https://work.example/v1"]
    assert lines[1].split(maxsplit=2) == ["a-name-of-some-length", "profile", "the settings of config.toml"]
    assert (
        len(
            {
                line.index(kind)
                for line, kind in zip(lines[:3], ["profile", "profile", "download"], strict=True)
            }
        )
        == 1
    )
    first = json.loads(llmchat("models", "--json").out)[0]
    assert (first["name"], first["kind"], first["path"]) == ("work", "profile", "https://work.example/v1")


# The file


def test_path_says_where_it_is_and_whether_it_is_there(llmchat: Llmchat) -> None:
    path = llmchat.home / "kept" / "config" / "config.toml"
    ran = llmchat("config", "path")
    assert (ran.code, ran.out.decode()) == (0, f"{path}\n")
    assert "llmchat config init" in ran.err
    record = llmchat("config", "path", "--json").json
    kept = {name: str(llmchat.home / "kept" / name) for name in ("config", "data", "state", "cache")}
    assert record == {"file": str(path), "exists": False, **kept}
    assert not (llmchat.home / "kept").exists()
    llmchat("config", "init")
    assert llmchat("config", "path").err == ""


def test_init_writes_a_private_file_with_every_setting_and_replaces_none(llmchat: Llmchat) -> None:
    before = os.umask(0)
    try:
        ran = llmchat("config", "init")
    finally:
        os.umask(before)
    path = Path(ran.out.decode().strip())
    assert (ran.code, path.read_text()) == (0, starter())
    assert [each.stat().st_mode & 0o777 for each in (path, path.parent)] == [0o600, 0o700]
    ran = llmchat("config", "init")
    assert (ran.code, ran.error) == (73, f"{path} already exists")
    assert (
        llmchat("--config", "mine.toml", "config", "init").out.decode() == f"{llmchat.home / 'mine.toml'}\n"
    )


def test_init_restricts_its_folder_and_says_so(llmchat: Llmchat) -> None:
    folder = llmchat.home / "kept" / "config"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    assert f"{folder} was open to other users" in llmchat("config", "init").err
    assert folder.stat().st_mode & 0o777 == 0o700
    llmchat.home.chmod(0o755)
    assert llmchat("config", "init", "--config", "mine.toml").err == ""
    assert llmchat.home.stat().st_mode & 0o777 == 0o755


def editor(home: Path, script: str) -> str:
    """A program that does this with the file it is given as the last of its words."""
    path = home / "my editor"
    path.write_text(f'#!/bin/sh\n[ "$1" = -w ] || exit 9\n{script}\n')
    path.chmod(0o700)
    return f"'{path}' -w"


def test_edit_opens_the_starter_in_the_editor_and_checks_what_became_of_it(llmchat: Llmchat) -> None:
    visual = editor(llmchat.home, 'grep -c temperature "$2" >&2; echo "seed = 7" >> "$2"')
    ran = llmchat.with_environ(VISUAL=visual, EDITOR="false")("config", "edit")
    path = llmchat.home / "kept" / "config" / "config.toml"
    assert (ran.code, ran.err) == (0, f"3\nllmchat: {path} is valid\n")
    assert path.read_text() == f"{starter()}seed = 7\n"
    bad = editor(llmchat.home, 'echo "sed = 1" > "$2"; echo "[profiles.a]" >> "$2"; echo "seed = x" >> "$2"')
    ran = llmchat.with_environ(EDITOR=bad)("config", "edit")
    assert (ran.code, ran.error) == (78, f"{path}:3: invalid value")
    unknown = editor(llmchat.home, 'echo "sed = 1" > "$2"')
    ran = llmchat.with_environ(EDITOR=unknown)("config", "edit")
    assert ran.err.startswith("llmchat: config.toml:1: there is no setting sed; did you mean seed ?\n")


@pytest.mark.parametrize(
    ("environ", "error"),
    [
        ({"EDITOR": "no-such-editor"}, "the editor no-such-editor cannot be started"),
        ({"EDITOR": "false"}, "the editor false ended with 1"),
        ({"EDITOR": "'"}, "EDITOR has an unclosed quote"),
        ({"PATH": "/nowhere"}, "no editor found"),
    ],
)
def test_an_editor_that_does_not_work_is_said(llmchat: Llmchat, environ: dict[str, str], error: str) -> None:
    ran = llmchat.with_environ(**environ)("config", "edit")
    assert ran.code == 78
    assert ran.error.startswith(error)


def test_the_null_device_is_no_settings_at_all(echo: Llmchat, path: Path) -> None:
    path.write_text("max_tokens = 1\n")
    assert echo("ask", "--config", "/dev/null", "One two").out == b"One two\n"


def test_neither_help_nor_version_reads_the_file(llmchat: Llmchat, path: Path) -> None:
    path.write_text("nonsense")
    assert (llmchat("config", "show", "--help").code, llmchat("--version").code) == (0, 0)
