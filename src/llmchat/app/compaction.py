"""Puts a summary, which the model wrote, in the place of the oldest turns. Shows nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from llmchat.app.session import Session
from llmchat.core.conversation import Conversation, Message, Role, Status
from llmchat.core.journal import Reply
from llmchat.core.turn import Turn
from llmchat.errors import InputError, UsageError

KEPT = 2
"""The newest turns, which are sent as they are."""

REQUEST = "Summarize our conversation so far in a few sentences, with every fact and name that matters."


@dataclass(frozen=True, slots=True)
class Compaction:
    """One summary of the oldest turns: asked for, then put in their place.

    The summary becomes the first turn of a new branch of the conversation, behind the question it
    answers, so that every prompt format and chat template can hold it; the turns that are kept
    follow it. The branch it was made from stays as it is.
    """

    session: Session
    before: Conversation
    kept: int

    @classmethod
    def of(cls, session: Session, *, kept: int = KEPT) -> Compaction:
        """Raises InputError where there are no older turns than those that are kept."""
        there = len(session.conversation.turns())
        if there <= kept:
            raise InputError(
                f"there is nothing to sum up: of {there} turns the newest {kept} are kept",
                hint="/compact 0 sums up all of them" if there else "ask something first",
            )
        return cls(session, session.conversation, kept)

    @property
    def replaced(self) -> int:
        """How many turns it stands for."""
        return len(self.before.turns()) - self.kept

    def ask(self) -> Turn:
        """The turn that asks for the summary. Nothing of it is journalled."""
        oldest = [message for turn in self.before.turns()[: self.replaced] for message in turn]
        conversation = replace(self.before, messages=tuple(oldest))
        chosen = replace(self.session.model.settings, max_tokens=None)
        return Turn(self.session.side_context(conversation, chosen), REQUEST)

    def apply(self, summary: Reply) -> Undo:
        """Goes on with the summary instead of the turns. Raises UsageError for one that is not whole."""
        if summary.status is not Status.COMPLETE or not summary.text.strip():
            raise UsageError("the summary is not whole, so nothing was replaced", hint="/compact asks again")
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
    """The way back from a compaction, as long as nothing that was said since stands."""

    session: Session
    before: Conversation
    after: Conversation
    conversation_id: str | None
    head: int | None  # the newest message before it, where that is saved

    @property
    def possible(self) -> bool:
        there = self.session.conversation.messages == self.after.messages
        return there and self.session.conversation_id == self.conversation_id

    def run(self) -> None:
        """Goes on with the turns as they were. Raises what the store raises."""
        if self.head is not None:
            self.session.switch_branch(self.head)
        else:
            system = self.session.conversation.system
            self.session.start_branch(replace(self.before, system=system), ())
