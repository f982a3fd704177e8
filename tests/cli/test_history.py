"""`llmchat history` as a person and as a script use it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from command import Llmchat
from pseudo_terminal import CTRL_C, ENTER, PseudoTerminal


@pytest.fixture(scope="module")
def talked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of three conversations, the last of two turns."""
    echo = Llmchat(tmp_path_factory.mktemp("talked"), {"LLMCHAT_MODEL": "echo"})
    echo("ask", "What is the capital of France?")
    echo("ask", "今天天气怎么样")
    echo("ask", "Tell me a <b>joke</b>")
    echo("ask", "-c", "Another one")
    return echo.home / "kept"


@pytest.fixture
def talks(echo: Llmchat, talked: Path) -> Llmchat:
    """llmchat with these conversations, which are its own."""
    shutil.copytree(talked, echo.home / "kept")
    return echo


def ids(llmchat: Llmchat) -> list[str]:
    return [str(each["id"]) for each in json.loads(llmchat("history", "list", "--json").out)]


def on_terminal(llmchat: Llmchat, *arguments: str, rows: int = 24, **more: str) -> PseudoTerminal:
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(str(Path(each).absolute()) for each in sys.path if each),
        "LLMCHAT_HOME": str(llmchat.home / "kept"),
        **more,
    }
    return PseudoTerminal([sys.executable, "-m", "llmchat", "history", *arguments], environ, rows=rows)


def test_search_finds_what_was_said_in_any_language(talks: Llmchat) -> None:
    lines = talks("history", "search", "CAPITAL", "what").out.decode().splitlines()
    assert [line[:10] for line in lines[::2]] == [ids(talks)[2]] * 2  # echo says it, too
    assert lines[1] == "    What is the capital of France?"
    found = json.loads(talks("history", "search", "--json", "-n", "1", "天气").out)
    assert [each["snippet"] for each in found] == ["今天天气怎么样"]
    assert found[0]["conversation"] == ids(talks)[1]


def test_a_search_that_finds_nothing_says_so_and_an_empty_one_is_refused(talks: Llmchat) -> None:
    ran = talks("history", "search", '"NEAR(', "*")
    assert (ran.code, ran.out) == (0, b"Nothing found.\n")
    assert talks("history", "search", "--json", "nowhere").json == []
    assert talks("history", "search", " ").code == 2


def test_an_export_of_everything_comes_back_on_another_machine(talks: Llmchat, tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    ran = talks("history", "export", "--all", "-o", str(file))
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err.startswith("llmchat: 3 conversations written to ")
    other = Llmchat(tmp_path / "other")
    other.home.mkdir()
    assert other("history", "import", str(file)).out == b"3 conversations imported, 0 already present.\n"
    assert other("history", "export", "--all", "--json").out == file.read_bytes()
    again = other("history", "import", "--json", "-", stdin=file.read_bytes())
    assert [each["kept_as"] for each in json.loads(again.out)] == [None] * 3
    continued = other.with_environ(LLMCHAT_MODEL="echo")("ask", "-c", "And another")
    assert (continued.code, len(other.history()["messages"])) == (0, 6)  # type: ignore[arg-type]


def test_a_conversation_that_went_on_since_is_imported_beside_it(talks: Llmchat, tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    talks("history", "export", "last", "-o", str(file))
    talks("ask", "-c", "It goes on")
    latest = ids(talks)[0]
    said = talks("history", "import", str(file)).out.decode().splitlines()
    assert said[0] == "1 conversation imported, 0 already present."
    assert said[1].startswith(f"{latest} is saved as ")
    assert len(ids(talks)) == 4


def test_an_export_can_be_markdown_and_html(talks: Llmchat, tmp_path: Path) -> None:
    text = talks("history", "export").out.decode()
    assert text.startswith("# Tell me a \\<b\\>joke\\</b\\>\n")
    assert text.endswith("\n\nAnother one\n")
    file = tmp_path / "talk.html"
    assert talks("history", "export", ids(talks)[1][:5], "last", "-o", str(file)).code == 0
    page = file.read_text("utf-8")
    assert "今天天气怎么样" in page
    assert "Tell me a &lt;b&gt;joke&lt;/b&gt;" in page
    assert "<b>" not in page
    assert talks("history", "show", "--format", "md").out.decode() == text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("export", "zzzz"), 66),
        (("export", "--all", "last"), 2),
        (("export", "--format", "pdf"), 2),
        (("export", "-o", "no/such/folder/x.md"), 73),
        (("import", "nowhere.json"), 66),
        (("import", "."), 65),
        (("show", "--format", "pdf"), 2),
        (("search",), 2),
        (("rm",), 2),
        (("rm", "last"), 2),
        (("rm", "--yes", "last", "zzzz"), 66),
    ],
)
def test_each_mistake_has_its_exit_code_and_erases_nothing(
    talks: Llmchat, arguments: tuple[str, ...], code: int
) -> None:
    ran = talks("history", *arguments)
    assert ran.error
    assert (ran.code, ran.out) == (code, b"")
    assert len(ids(talks)) == 3


def test_a_file_that_is_no_export_changes_nothing(talks: Llmchat, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"llmchat": 1, "conversations": [{}]}')
    ran = talks("history", "import", "x.json")
    wrong = "'id' is a required property"
    assert (ran.code, ran.error) == (65, f"x.json is not an llmchat export: conversation 1: {wrong}")
    assert len(ids(talks)) == 3


def test_rm_asks_on_a_terminal_and_then_really_erases(talks: Llmchat) -> None:
    kept = talks.home / "kept" / "data"
    with on_terminal(talks, "rm", "last") as terminal:
        terminal.wait_for("Erase 1 conversation permanently? [y/N]")
        assert "Tell me a <b>joke</b>" in terminal.text
        terminal.type(f"n{ENTER}")
        assert terminal.wait_exit() == 0
    assert len(ids(talks)) == 3
    with on_terminal(talks, "rm", "last") as terminal:
        terminal.wait_for("[y/N]")
        terminal.type(f"y{ENTER}")
        assert terminal.wait_exit() == 0
    assert len(ids(talks)) == 2
    assert not any(b"joke" in file.read_bytes() for file in kept.iterdir())
    assert talks("history", "search", "joke").out == b"Nothing found.\n"


def test_rm_erases_several_without_asking_where_told_so(talks: Llmchat) -> None:
    first, second, _ = ids(talks)
    ran = talks("history", "rm", "--yes", "--json", first[:6], second, "last")
    assert ran.json == {"erased": [first, second]}
    assert len(ids(talks)) == 1


# On a terminal


def test_what_fits_the_window_is_printed_and_what_does_not_is_paged(talks: Llmchat) -> None:
    with on_terminal(talks, "show", PAGER="sh -c 'echo paged: $LESS; cat'") as terminal:
        assert terminal.wait_exit() == 0
        assert "paged" not in terminal.text
        assert "Another one" in terminal.text
    with on_terminal(talks, "show", PAGER="sh -c 'echo paged: $LESS; cat'", rows=6) as terminal:
        assert terminal.wait_exit() == 0
        assert "paged: FRX" in terminal.text
        assert "Another one" in terminal.text


@pytest.mark.parametrize("pager", ["", "no-such-program", "unclosed '", "false"])
def test_a_pager_that_is_none_costs_nothing(talks: Llmchat, pager: str) -> None:
    with on_terminal(talks, "list", PAGER=pager, rows=3) as terminal:
        assert terminal.wait_exit() == 0
        assert ("capital" in terminal.text) is (pager != "false")


def test_a_pager_gets_colours_and_nothing_else_that_a_terminal_obeys(echo: Llmchat, tmp_path: Path) -> None:
    echo("ask", "\n\n".join(f"line {number}" for number in range(50)) + "\n\n**bold** \x1b[2J the end")
    paged = tmp_path / "paged"
    with on_terminal(echo, "show", PAGER=f"sh -c 'cat > {paged}'") as terminal:
        assert terminal.wait_exit() == 0
    text = paged.read_text("utf-8")
    assert "\x1b[1mbold\x1b[0m ␛[2J the end\n" in text
    assert not set(re.sub(r"\x1b\[[0-9;]*m", "", text)) & {"\x1b", "\r", "\a"}


def test_ctrl_c_is_the_pagers_own_and_leaving_it_early_is_no_error(talks: Llmchat) -> None:
    pager = (
        "sh -c 'trap \"echo pager interrupted\" INT; echo pager ready; read x < /dev/tty; echo pager over'"
    )
    with on_terminal(talks, "show", PAGER=pager, rows=6) as terminal:
        terminal.wait_for("pager ready")
        terminal.type(CTRL_C)
        terminal.wait_for("pager interrupted")
        terminal.type(ENTER)
        terminal.wait_for("pager over")
        assert terminal.wait_exit() == 0
        assert "Traceback" not in terminal.text
