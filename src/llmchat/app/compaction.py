"""Replaces the oldest turns by a summary that the model writes (/compact). Shows nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from llmchat.app.session import Session
from llmchat.core.conversation import Conversation, Message, Role, Status
from llmchat.core.journal import Reply
from llmchat.core.turn import Turn
from llmchat.errors import InputError, UsageError

KEPT = 2
"""How many of the newest turns are kept by default."""

REQUEST = "Summarize our conversation so far in a few sentences, with every fact and name that matters."


@dataclass(frozen=True, slots=True)
class Compaction:
    """One compaction: asks for a summary of the oldest turns, then replaces them by it.

    The summary becomes the first turn of a new branch of the conversation, as the answer to the request
    for it, so that every prompt format and chat template can express it. The kept turns follow. The
    old branch stays as it is.
    """

    session: Session
    before: Conversation
    kept: int

    @classmethod
    def of(cls, session: Session, *, kept: int = KEPT) -> Compaction:
        """Raises InputError if there are no turns older than those to keep."""
        there = len(session.conversation.turns())
        if there <= kept:
            raise InputError(
                f"there is nothing to summarize: no turn is older than the newest {kept}, which are kept",
                hint="/compact 0 summarizes all of them" if there else "ask something first",
            )
        return cls(session, session.conversation, kept)

    @property
    def replaced(self) -> int:
        """How many turns it replaces."""
        return len(self.before.turns()) - self.kept

    def ask(self) -> Turn:
        """The turn that asks for the summary. It is not saved."""
        oldest = [message for turn in self.before.turns()[: self.replaced] for message in turn]
        conversation = replace(self.before, messages=tuple(oldest))
        chosen = replace(self.session.model.settings, max_tokens=None)
        return Turn(self.session.side_context(conversation, chosen), REQUEST)

    def apply(self, summary: Reply) -> Undo:
        """Replaces the turns by the summary. Raises UsageError if the summary is incomplete."""
        if summary.status is not Status.COMPLETE or not summary.text.strip():
            raise UsageError(
                "the summary is incomplete, so nothing was replaced", hint="/compact tries again"
            )
        from llmchat.store import Saved

        session, head = self.session, None
        newest = self.before.turns()[self.replaced :]
        kept = [Saved(message) for turn in newest for message in turn]
        if session.conversation_id is not None:
            records = session.store.records(session.conversation_id)
            head = records[-1].id if records else None
            same = records[len(records) - len(kept) :] if kept else ()
            if [each.message for each in same] == [each.message for each in kept]:
                kept = [Saved(each.message, each.provenance, each.created_at) for each in same]
        answer = Message(Role.ASSISTANT, summary.text)
        branch = [Saved(Message(Role.USER, REQUEST)), Saved(answer, summary.provenance), *kept]
        after = Conversation(session.conversation.system, tuple(each.message for each in branch))
        session.start_branch(after, branch)
        return Undo(session, self.before, after, session.conversation_id, head)


@dataclass(frozen=True, slots=True)
class Undo:
    """Reverts a compaction, as long as nothing was said since."""

    session: Session
    before: Conversation
    after: Conversation
    conversation_id: str | None
    head: int | None  # the newest message before it, if saved

    @property
    def possible(self) -> bool:
        there = self.session.conversation.messages == self.after.messages
        return there and self.session.conversation_id == self.conversation_id

    def run(self) -> None:
        """Restores the original turns. Raises what the store raises."""
        if self.head is not None:
            self.session.switch_branch(self.head)
        else:
            system = self.session.conversation.system
            self.session.start_branch(replace(self.before, system=system), ())
