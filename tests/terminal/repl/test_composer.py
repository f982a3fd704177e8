"""What waits for the next question, and how it becomes one."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmchat.app.attachments import Attachment
from llmchat.errors import MissingError
from llmchat.terminal.repl.composer import Composer

NOTES = Attachment("notes.txt", "N")


@pytest.fixture
def composer() -> Composer:
    return Composer()


def test_files_that_wait_and_files_that_are_named_go_before_the_line(
    composer: Composer, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("A\n")
    composer.files = (NOTES,)
    question = composer.compose(f"why @{tmp_path}/a.txt")
    assert question == f"notes.txt:\nN\n\n{tmp_path}/a.txt:\nA\n\nwhy @{tmp_path}/a.txt"


def test_two_slashes_are_one_that_is_no_command(composer: Composer) -> None:
    assert composer.compose("//etc/hosts") == "/etc/hosts"


def test_what_cannot_be_sent_leaves_the_files_waiting(composer: Composer) -> None:
    composer.files = (NOTES,)
    with pytest.raises(MissingError):
        composer.compose("see @no/such.txt")
    assert composer.files == (NOTES,)


def test_a_question_goes_back_into_the_editor_as_it_was_typed(composer: Composer) -> None:
    composer.files = (NOTES,)
    question = composer.compose("@@me")
    composer.clear()
    assert composer.files == ()
    composer.edit(question, replaces=True)
    assert (composer.take_draft(), composer.files, composer.replaces) == ("@@me", (NOTES,), True)
    assert composer.take_draft() == ""


def test_a_question_of_another_run_goes_back_as_it_is(composer: Composer) -> None:
    composer.edit("asked before", replaces=False)
    assert (composer.draft, composer.files) == ("asked before", ())
