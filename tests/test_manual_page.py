"""Pages as a manual page, as the programs read it that show manuals."""

from __future__ import annotations

from llmchat.terminal.help.page import Block, HelpHeading, HelpPage, HelpRows, HelpText, Lines
from manual_page import to_roff


def written(*blocks: Block) -> list[str]:
    """The lines behind the heading of the page."""
    return to_roff("it", "1", [HelpPage("a-b", "", blocks)]).partition(".SH A B\n")[2].splitlines()


def test_nothing_in_a_page_is_taken_for_a_request() -> None:
    assert written(HelpText(".so /etc/passwd"), Lines("'x\n\n\\fB-\"`^~")) == [
        r"\&.so /etc/passwd",
        ".PP",
        ".RS 4",
        ".nf",
        r"\(aqx",
        r"\&",
        r"\efB\-\(dq\(ga\(ha\(ti",
        ".fi",
        ".RE",
    ]


def test_no_line_that_was_wrapped_is_taken_for_one_either() -> None:
    assert written(HelpText(f"{'word ' * 14}.so")) == [" ".join(["word"] * 14), r"\&.so"]


def test_a_paragraph_is_begun_only_between_two() -> None:
    blocks = (HelpHeading("Part"), HelpText("one"), HelpText("two"), HelpRows((("t", "m"),)))
    assert written(*blocks) == [".SS Part", "one", ".PP", "two", ".TP", r"\fBt\fR", "m"]
