"""Commands about what is sent: the exact prompt, its token budget, a summary of old turns, files."""

from __future__ import annotations

from collections.abc import Iterator

from llmchat.app.attachments import attach
from llmchat.app.compaction import KEPT, Compaction
from llmchat.core.backend import estimate_tokens
from llmchat.core.budget import Budget
from llmchat.core.conversation import Role
from llmchat.core.journal import Provenance
from llmchat.core.plan import first_words
from llmchat.errors import InputError, UsageError
from llmchat.sanitize import sanitize_line
from llmchat.terminal.prompt.completion import Candidate
from llmchat.terminal.prompt.completion import files as complete_files
from llmchat.terminal.repl.actions import Action, Attach, Compact, Say
from llmchat.terminal.repl.registry import CommandContext, command
from llmchat.transcripts.statistics import statistics_lines


@command("[TEXT]")
async def prompt(context: CommandContext, argument: str) -> Action:
    """shows the exact prompt that TEXT would send; without TEXT, that of the last question"""
    preview = await context.session.preview(argument or None)
    return Say(f"{preview.text}\n({preview.count})")


@command("[TEXT]")
async def tokens(context: CommandContext, argument: str) -> Action:
    """shows how many tokens each turn uses; with TEXT, as if it were the next question"""
    if not (argument or context.session.conversation.messages):
        raise InputError("this conversation is empty", hint="/tokens TEXT shows what a question would use")
    return Say(_budget_text(await context.session.budget(argument or None)))


def _budget_text(budget: Budget) -> str:
    rows = []
    if budget.dropped:
        until = f"turns 1 to {budget.dropped}" if budget.dropped > 1 else "turn 1"
        rows.append((f"{until} ({first_words(budget.newest_dropped)})", "not sent"))
    rows.append(("system message", f"{budget.system:,}"))
    for share in budget.turns:
        which = f"turn {share.last}" if share.first == share.last else f"turns {share.first} to {share.last}"
        rows.append((f"{which} ({first_words(share.question)})", f"{share.tokens:,}"))
    about = "" if budget.total.exact else "about "
    guess = " (a guess)" if budget.assumed else ""
    rows += [
        ("the whole prompt", f"{about}{budget.total.tokens:,}"),
        ("the reply, at most", f"{budget.reply:,}"),
        ("left", f"{budget.left:,}"),
        (f"the model's context window{guess}", f"{budget.limit:,}"),
    ]
    return "\n".join(f"{sanitize_line(what):<62} {number:>12}" for what, number in rows)


@command()
async def stats(context: CommandContext, argument: str) -> Action:
    """shows tokens, times and models of this conversation"""
    session = context.session
    answers: list[Provenance] = [reply.provenance for reply in session.replies]
    if session.conversation_id is not None:
        records = session.store.records(session.conversation_id)
        answers = [each.provenance for each in records if each.provenance is not None]
    questions = sum(message.role is Role.USER for message in session.conversation.messages)
    return Say("\n".join(statistics_lines(questions, answers)))


@command("[KEEP]")
async def compact(context: CommandContext, argument: str) -> Action:
    """replaces all but the newest KEEP turns by a summary from the model; /undo takes it back"""
    if argument and not argument.isdecimal():
        raise UsageError(
            "/compact takes the number of turns to keep", hint=f"without a number it keeps {KEPT}"
        )
    return Compact(Compaction.of(context.session, kept=int(argument) if argument else KEPT))


def _files(context: CommandContext, beginning: str) -> Iterator[Candidate]:
    yield from complete_files(beginning)
    if context.files:
        yield Candidate("none", "detaches all files")


@command("[PATH|none]", complete=_files)
async def file(context: CommandContext, argument: str) -> list[Action]:
    """attaches a text file to the next question, like @path in a question"""
    files = context.files
    if argument == "none":
        files = ()
    elif argument:
        files = (*files, attach(argument))
    lines = [
        f"{each.name} is attached to the next question"
        f" ({len(each.text):,} characters, {estimate_tokens(each.text)})."
        for each in files
    ]
    return [Attach(files), Say("\n".join(lines) if lines else "No files are attached.")]
