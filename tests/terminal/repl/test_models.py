"""Stories of changing what answers and how it is asked."""

from __future__ import annotations

from pathlib import Path

from opened import Open
from pseudo_terminal import ENTER, TAB


def test_models_are_listed_and_completed_also_as_files(start: Open, tmp_path: Path) -> None:
    (tmp_path / "mine.gguf").write_bytes(b"not really")
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("/models" + ENTER)
    terminal.wait_for("smollm2")
    terminal.wait_for("built-in")
    terminal.type("/model can" + TAB)
    terminal.wait_for("/model canned", scrollback=False)
    terminal.type(ENTER)
    terminal.wait_for("Model: canned")
    terminal.type("/model mi" + TAB)
    terminal.wait_for("/model mine.gguf", scrollback=False)
    terminal.type(ENTER)
    terminal.wait_for("llmchat: error: ")


def test_the_prompt_format_can_be_changed_where_there_is_one(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("/format" + ENTER)
    terminal.wait_for("Prompt format: transcript. There are transcript, chatml")
    terminal.type("/format chat" + TAB)
    terminal.wait_for("/format chatml", scrollback=False)
    terminal.type(ENTER)
    terminal.wait_for("Prompt format: transcript -> chatml")
    terminal.type("/prompt hi" + ENTER)
    terminal.wait_for("<|im_start|>user\nhi<|im_end|>\n")
    terminal.type("/format nonsense" + ENTER)
    terminal.wait_for("there is no prompt format nonsense")


def test_a_model_with_a_template_of_its_own_takes_no_format(start: Open, smollm2: Path) -> None:
    terminal = start("-m", str(smollm2))
    terminal.wait_for("8,192")
    terminal.type("/format chatml" + ENTER)
    terminal.wait_for("applies its own chat template")


def test_a_profile_is_completed_listed_and_switched_to(start: Open, home: Path) -> None:
    (home / "config").mkdir(parents=True, mode=0o700)
    path = home / "config" / "config.toml"
    path.touch(mode=0o600)
    path.write_text('[profiles.quiet-place]\nmodel = "canned"\ntemperature = 0.25\n')
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("/models" + ENTER)
    terminal.wait_for("quiet-place  profile")
    terminal.type("/model qui" + TAB)
    terminal.wait_for("/model quiet-place", scrollback=False)
    terminal.type(ENTER)
    terminal.wait_for("Model: canned")
    terminal.type("/set temperature" + ENTER)
    terminal.wait_for("temperature is 0.25.")
    terminal.type("/model wrok" + ENTER)
    terminal.wait_for("there is no model wrok")
