"""Stories at a terminal: the program in a real pseudo-terminal, its screen read through an emulator."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from llmchat.core.conversation import Status
from llmchat.store import Store
from opened import Open
from pseudo_terminal import CTRL_C, CTRL_D, ENTER, ESCAPE, TAB


def test_a_question_is_answered_and_ctrl_d_leaves(start: Open, home: Path) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("hello there" + ENTER)
    terminal.wait_for("\nhello there\n2 tokens")
    terminal.type(CTRL_D)
    assert terminal.wait_exit() == 0
    assert terminal.echoes()
    with Store.open(home / "data" / "conversations.sqlite3") as store:
        assert [m.text for m in store.load(store.resolve("last")).messages] == ["hello there", "hello there"]


def test_ctrl_c_clears_the_line_and_then_says_how_to_leave(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("half a thought")
    terminal.wait_for("> half a thought")
    terminal.type(CTRL_C)
    terminal.wait_until(lambda: "half a thought" not in terminal.screen, "a clear line")
    terminal.type(CTRL_C)
    terminal.wait_for("Ctrl-D or /exit leaves")
    terminal.type("/exit" + ENTER)
    assert terminal.wait_exit() == 0


def test_a_message_may_have_several_lines(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("one\\" + ENTER + "two" + ESCAPE + ENTER + "three\nfour" + ENTER)
    terminal.wait_for("\none\ntwo\nthree\nfour\n")


def test_a_pasted_message_of_several_lines_is_one_and_never_a_command(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("\x1b[200~/exit\n/new\x1b[201~" + ENTER)
    terminal.wait_for("\n/exit\n/new\n2 tokens")
    terminal.type("//exit" + ENTER)
    terminal.wait_for("\n/exit\n1 tokens")


def test_commands_complete_and_unknown_ones_name_the_nearest(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("/hel" + TAB)
    terminal.wait_for("> /help")
    terminal.type(ENTER)
    terminal.wait_for("/retry")
    terminal.type("/histroy" + ENTER)
    terminal.wait_for("did you mean /history ?")


def test_settings_show_old_and_new_and_refuse_what_is_out_of_range(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("/set temperature 0.2" + ENTER)
    terminal.wait_for("temperature: 0.7 (default) -> 0.2")
    terminal.type("/set temperature 3" + ENTER)
    terminal.wait_for("hint: it takes 0 to 2")
    terminal.type("/set max_tokens 1" + ENTER)
    terminal.wait_for("-> 1\n")
    terminal.type("two words" + ENTER)
    terminal.wait_for("cut by --max-tokens")


def test_the_system_message_and_the_prompt_can_be_seen(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("/system Be brief." + ENTER)
    terminal.wait_for("System message: Be brief.")
    terminal.type("/prompt hi" + ENTER)
    terminal.wait_for("\nSystem: Be brief.\nUser: hi\nAssistant:\n")
    terminal.type("/system none" + ENTER)
    terminal.wait_for("No system message.")


def test_undo_puts_the_question_back_and_retry_asks_it_again(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("first" + ENTER)
    terminal.wait_for("1 tokens")
    terminal.type("/undo" + ENTER)
    terminal.wait_for("> first", scrollback=False)
    terminal.type(" again" + ENTER)
    terminal.wait_for("\nfirst again\n2 tokens")
    terminal.type("/retry" + ENTER)
    terminal.wait_until(lambda: terminal.text.count("\nfirst again\n2 tokens") == 2, "a second answer")


CODE = "Try:\\\r\\\r```python\\\rprint('hi')\\\r```\\\r\\\r```sh\\\rls\\\r```"


def test_code_blocks_are_numbered_copied_and_written_but_never_over_a_file(
    start: Open, tmp_path: Path
) -> None:
    target = tmp_path / "hi.py"
    terminal = start("-m", "echo", SSH_CONNECTION="somewhere else")
    terminal.wait_for("new")
    terminal.type(CODE + ENTER)
    terminal.wait_for("[2] sh")
    terminal.type("/copy 1" + ENTER)
    terminal.wait_for("Copied 11 characters, using the terminal.")
    assert b"\x1b]52;c;cHJpbnQoJ2hpJyk=\x07" in terminal.written
    terminal.type(f"/code 1 {target}" + ENTER)
    terminal.wait_for("Wrote ")
    assert target.read_text() == "print('hi')\n"
    target.write_text("mine")
    terminal.type(f"/code 2 {target}" + ENTER)
    terminal.wait_for("[y/N]")
    terminal.type("n" + ENTER)
    terminal.wait_for("Nothing was written.")
    assert target.read_text() == "mine"
    terminal.type(f"/code 2 {target}" + ENTER)
    terminal.wait_until(lambda: terminal.text.count("[y/N]") == 2, "the question again")
    terminal.type("y" + ENTER)
    terminal.wait_until(lambda: terminal.text.count("Wrote") == 2, "the second file")
    assert target.read_text() == "ls\n"
    terminal.type("/copy 9" + ENTER)
    terminal.wait_for("the last reply has no code block 9")


def test_a_kept_conversation_is_shown_as_it_looked(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("some **bold** words" + ENTER)
    terminal.wait_for("\nsome bold words\n3 tokens")
    terminal.type("/history last" + ENTER)
    terminal.wait_for("echo):\nsome bold words\n")


def test_new_leaves_the_old_conversation_in_the_history(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("about cats" + ENTER)
    terminal.wait_for("2 tokens")
    terminal.type("/new" + ENTER)
    terminal.wait_for("A new conversation.")
    terminal.type("about dogs" + ENTER)
    terminal.wait_until(lambda: terminal.text.count("2 tokens") == 2, "a second answer")
    terminal.type("/history" + ENTER)
    terminal.wait_until(lambda: terminal.text.count("  about cats") == 1, "the history")
    assert terminal.text.index("  about dogs") < terminal.text.index("  about cats")


def test_the_model_can_be_changed_and_the_conversation_goes_on(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("hello" + ENTER)
    terminal.wait_for("1 tokens")
    terminal.type("/model canned" + ENTER)
    terminal.wait_for("Model: canned")
    terminal.type("/prompt" + ENTER)
    terminal.wait_for("\nUser: hello\nAssistant:\n")
    terminal.type("/model nonsense" + ENTER)
    terminal.wait_for("there is no model nonsense here")
    terminal.type("/model" + ENTER)
    terminal.wait_for("Others: smollm2")


def test_an_error_never_leaves_the_loop(start: Open) -> None:
    terminal = start("--url", "http://127.0.0.1:9", "--api", "tgi")
    terminal.wait_for("new")
    terminal.type("hello" + ENTER)
    terminal.wait_for("llmchat: error: cannot reach 127.0.0.1:9")
    terminal.type("/undo" + ENTER)
    terminal.wait_for("> hello", scrollback=False)


def test_prompts_are_kept_but_not_those_that_begin_with_a_space(start: Open, home: Path) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("keep this" + ENTER)
    terminal.wait_for("2 tokens")
    terminal.type(" not this" + ENTER)
    terminal.wait_until(lambda: terminal.text.count("2 tokens") == 2, "a second answer")
    terminal.type(CTRL_D)
    terminal.wait_exit()
    kept = terminal.history_file(home)
    assert "keep this" in kept
    assert "not this" not in kept
    again = start("-m", "echo")
    again.wait_for("new")
    again.type("\x1b[A")
    again.wait_for("> keep this")


def test_a_conversation_goes_on_where_it_was(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("remember the milk" + ENTER)
    terminal.wait_for("3 tokens")
    terminal.type(CTRL_D)
    terminal.wait_exit()
    again = start("-m", "canned", "-c")
    again.wait_for("> remember the milk\nremember the milk\n")
    again.type("/prompt and eggs" + ENTER)
    again.wait_for("\nUser: remember the milk\nAssistant: remember the milk\nUser: and eggs\nAssistant:\n")


def test_a_store_that_cannot_be_used_is_said_and_the_chat_works(start: Open, home: Path) -> None:
    home.mkdir()
    (home / "data").write_text("a file where the folder should be")
    terminal = start("-m", "echo")
    terminal.wait_for("llmchat: this conversation is not saved")
    terminal.type("hello" + ENTER)
    terminal.wait_for("\nhello\n1 tokens")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_at_the_prompt_leaves_the_terminal_as_it_was(
    start: Open, number: signal.Signals, code: int
) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.process.send_signal(number)
    assert terminal.wait_exit() == code
    assert terminal.echoes()


PROMPT = b"\x1b[0;1m>"
ANNOUNCE = """
import os, sys

class Announce:
    def find_spec(self, name, path=None, target=None):
        if name in ("text_generation", "aiohttp", "xllamacpp", "rich.markdown"):
            os.write(1, f"[imports {name}]".encode())

sys.meta_path.insert(0, Announce())
"""


@pytest.mark.parametrize("api", ["tgi", "auto"])
def test_the_prompt_is_there_before_any_backend_is_imported(start: Open, tmp_path: Path, api: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(ANNOUNCE)
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    terminal = start("--url", "http://127.0.0.1:9", "--api", api, PYTHONPATH=path)
    terminal.wait_until(lambda: b"[imports aiohttp]" in terminal.written, "the import in the background")
    assert PROMPT in terminal.written.partition(b"[imports")[0]


def test_with_the_embedded_model_the_engine_is_imported_only_by_its_child(
    start: Open, tmp_path: Path, smollm2: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(ANNOUNCE)
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    terminal = start("-m", str(smollm2), PYTHONPATH=path)
    terminal.wait_for("8,192")
    assert b"[imports xllamacpp]" not in terminal.written
    assert PROMPT in terminal.written.partition(b"[imports")[0]


def test_lines_typed_ahead_are_all_answered(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("one" + ENTER + "two words" + ENTER + ENTER + "now three words" + ENTER)
    terminal.wait_for("\none\n1 tokens")
    terminal.wait_for("\ntwo words\n2 tokens")
    terminal.wait_for("\nnow three words\n3 tokens")


def test_with_the_small_model_ctrl_c_stops_a_reply_and_what_was_typed_waits(
    start: Open, home: Path, smollm2: Path
) -> None:
    terminal = start("-m", str(smollm2), "-s", "You are a helpful assistant.", "-t", "0")
    terminal.wait_for("8,192")
    terminal.type("Tell me a long story about a dragon." + ENTER)
    terminal.wait_until(lambda: len(terminal.text) > 300, "some of the story", within=60)
    assert not terminal.echoes()
    terminal.type("next question")
    terminal.type(CTRL_C)
    terminal.wait_for("stopped")
    terminal.wait_for("> next question")
    shown = terminal.text
    terminal.type(CTRL_C + CTRL_D)
    assert terminal.wait_exit() == 0
    with Store.open(home / "data" / "conversations.sqlite3") as store:
        answer = store.load(store.resolve("last")).messages[-1]
    assert answer.status is Status.STOPPED
    assert answer.text.split()[-1] in shown
