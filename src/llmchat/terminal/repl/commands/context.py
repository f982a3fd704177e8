"""Commands about what is sent: the exact prompt, its budget of tokens, a summary in place of old turns."""

from __future__ import annotations

from llmchat.app.compaction import KEPT, Compaction
from llmchat.core.budget import Budget, make_budget
from llmchat.core.conversation import Role
from llmchat.core.journal import Provenance, Reply
from llmchat.core.plan import first_words
from llmchat.errors import InputError, UsageError
from llmchat.sanitize import sanitize_line
from llmchat.terminal.repl.context import CommandContext
from llmchat.terminal.repl.registry import command
from llmchat.transcripts.statistics import statistics_lines


@command("[TEXT]")
async def prompt(desk: CommandContext, argument: str) -> None:
    """shows exactly what TEXT would send; without TEXT, what the last question sends"""
    preview = await desk.session.preview(argument or None)
    desk.say(preview.text)
    desk.say(f"({preview.count})")


@command("[TEXT]")
async def tokens(desk: CommandContext, argument: str) -> None:
    """shows where the tokens go, turn by turn; with TEXT as the next question"""
    chat = desk.chat
    conversation = chat.draft(argument) if argument else chat.conversation
    if not conversation.messages:
        raise InputError("nothing was said yet", hint="/tokens TEXT shows what a question would use")
    desk.say(_budget_text(await make_budget(chat, conversation)))


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
        ("the prompt in all", f"{about}{budget.total.tokens:,}"),
        ("the reply, at most", f"{budget.reply:,}"),
        ("left", f"{budget.left:,}"),
        (f"the model's context window{guess}", f"{budget.limit:,}"),
    ]
    return "\n".join(f"{sanitize_line(what):<62} {number:>12}" for what, number in rows)


@command()
async def stats(desk: CommandContext, argument: str) -> None:
    """tokens, times and models of this conversation"""
    session = desk.session
    answers: list[Provenance] = [reply.provenance for reply in session.kept.replies]
    if session.conversation_id is not None:
        records = session.store.records(session.conversation_id)
        answers = [each.provenance for each in records if each.provenance is not None]
    questions = sum(message.role is Role.USER for message in desk.chat.conversation.messages)
    for line in statistics_lines(questions, answers):
        desk.say(line)


@command("[KEEP]")
async def compact(desk: CommandContext, argument: str) -> None:
    """sends a summary, which the model writes, instead of all but the newest turns; /undo takes it back"""
    if argument and not argument.isdecimal():
        raise UsageError("/compact takes how many turns to keep", hint=f"without a number it keeps {KEPT}")
    compaction = Compaction.of(desk.session, kept=int(argument) if argument else KEPT)

    def apply(summary: Reply) -> None:
        desk.undos.append(compaction.apply(summary))
        turns = "turn 1" if compaction.replaced == 1 else f"turns 1 to {compaction.replaced}"
        desk.say(f"This is sent instead of {turns} from here on. /undo takes that back.")

    desk.turn, desk.then = compaction.ask(), apply
