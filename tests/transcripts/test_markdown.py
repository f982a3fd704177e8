"""Saved conversations as a Markdown document."""

from __future__ import annotations

import re

from llmchat.core.conversation import Message, Role, Status
from llmchat.store import ConversationExport, Record
from llmchat.transcripts.markdown import to_markdown
from transcripts.exports import NOW, ORIGIN, make


def written(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "WHEN", text)


def test_markdown_is_a_document_of_the_branch_that_is_read() -> None:
    export = make("What *is* it?\nTell me.", "It is `this`.")
    assert written(to_markdown([export])) == (
        "# What \\*is\\* it?\n\n*Conversation abcdefghjk, WHEN*\n\n"
        "## You (WHEN)\n\nWhat *is* it?\nTell me.\n\n"
        "## Assistant (WHEN, a/model)\n\nIt is `this`.\n"
    )


def test_what_is_on_other_branches_is_counted() -> None:
    export = make("one", "1")
    sibling = Record(3, 1, Message(Role.ASSISTANT, "another", Status.STOPPED), NOW, ORIGIN)
    both = ConversationExport(export.id, "Named", "Be brief.", NOW, NOW, 3, (*export.records, sibling))
    assert written(to_markdown([both])) == (
        "# Named\n\n*Conversation abcdefghjk, WHEN; 1 message on other branches is not shown*\n\n"
        "## System\n\nBe brief.\n\n## You (WHEN)\n\none\n\n## Assistant (WHEN, a/model, stopped)\n\nanother\n"
    )
