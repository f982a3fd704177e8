"""Checks the model: its weights, the engine, and a short reply from it."""

from __future__ import annotations

import importlib.util
import time
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from llmchat import weights
from llmchat.app.target import check_weights_source, system_message
from llmchat.backends import BUILT_IN
from llmchat.config.resolve import defaults
from llmchat.core.backend import Backend, Connected, ModelInfo
from llmchat.core.conversation import Conversation
from llmchat.core.generation import Thought
from llmchat.core.turn import Turn, TurnContext
from llmchat.doctor.checks.disk_space import free_bytes
from llmchat.doctor.finding import Finding, good, skipped, warning
from llmchat.doctor.subject import Subject
from llmchat.doctor.threads import in_daemon_thread
from llmchat.errors import LLMChatError, UnavailableError

QUESTION, FEW_TOKENS = "Say hello.", 16
_SHOWN = 40  # characters of the answer


async def check_weights(subject: Subject) -> Finding | None:
    """Verifies the weights, or whether they can be downloaded. Raises as weights.verify and weights.fetch."""
    name = subject.target.model
    if subject.target.url is not None or name is None or name in BUILT_IN:
        return None
    model = weights.resolve(name)
    if isinstance(model, Path):
        weights.check_gguf(model)
        return good(f"{model}, {_megabytes(model.stat().st_size)}; there is no known SHA-256 to compare with")
    assert model is not None, "the model was checked"
    folder = subject.folders.weights
    if (path := await in_daemon_thread(lambda: weights.find(model, folder))) is None:
        if subject.config.switch("offline"):
            weights.fetch(model, folder, progress=lambda _done, _total: None, offline=True)  # says it
        await in_daemon_thread(lambda: check_weights_source(model, subject.config, hub=subject.hub))
        subject.lacks_weights = True
        about = ", ".join(filter(None, (_megabytes(model.size) if model.size else "", model.licence)))
        said = f"not on disk; the first chat would download them{f': {about}' if about else ''}"
        if await in_daemon_thread(lambda: free_bytes(folder)) < 2 * model.size:  # they may come in an archive
            return warning(f"{said}; there is hardly enough space", f"free some space: {folder}")
        return good(said)
    await in_daemon_thread(lambda: weights.verify(model, path))
    proof = "their SHA-256 is correct" if model.pinned else "there is no known SHA-256 to compare with"
    return good(f"{path}, {_megabytes(path.stat().st_size)}; {proof}")


async def check_engine(subject: Subject) -> Finding | None:
    """Loads the model. Raises as `LocalConnection.connect`."""
    if subject.target.url is not None or subject.target.model in BUILT_IN:
        return None
    if importlib.util.find_spec("xllamacpp") is None:
        raise UnavailableError(
            "there is no embedded engine for this platform",
            hint="chat with a server instead: llmchat --url URL",
        )
    if subject.lacks_weights:
        return skipped("the weights are not on disk yet")
    started = time.monotonic()
    info = (await connect(subject)).info
    took = time.monotonic() - started
    return good(f"llama.cpp loaded the model in {took:.1f} s; {context_of(info)}")


async def check_answer(subject: Subject) -> Finding:
    """Requests a few tokens, as a chat would. Raises what a chat would raise."""
    if not subject.asks:
        return skipped("not asked: --no-ask")
    if isinstance(subject.answer, LLMChatError):
        raise subject.answer
    return subject.answer or await ask(subject)


async def ask(subject: Subject) -> Finding:
    """Requests a few tokens and measures the time."""
    connection, config = await subject.connection(), subject.config
    system = system_message(config, connection.info.system, url=subject.target.url)
    chosen = replace(config.chosen(), max_tokens=FEW_TOKENS)
    turn = Turn(TurnContext(connection, Conversation(system), chosen, defaults()), QUESTION)
    thinks = False
    async with turn:
        async for event in turn:
            thinks = thinks or isinstance(event, Thought)
            subject.tell(event)
    assert turn.reply is not None, "the turn is over"
    first = turn.reply.provenance.first_token_s
    said = " ".join(turn.reply.text.split())
    if said and first is not None:
        shown = said if len(said) <= _SHOWN else f"{said[:_SHOWN]}\u2026"
        return good(f"“{shown}”, first token after {first:.1f} s")
    if thinks:
        return good(f"it reasons first; {FEW_TOKENS} tokens were not enough for an answer")
    return warning("the answer is empty", "ask something: llmchat ask Hello")


async def connect(subject: Subject) -> Backend:
    """The connected model. Raises as `Connection.connect`."""
    connection = await subject.connection()
    async with aclosing(connection.connect()) as events:
        async for event in events:
            if isinstance(event, Connected):
                return event.backend
            subject.tell(event)
    raise AssertionError("connecting ends with a model or an error")


def context_of(info: ModelInfo) -> str:
    """The context window, in words."""
    assert info.limits is not None, "it is connected"
    said = " assumed, as it is not reported" if info.limits.assumed else ""
    return f"{info.limits.context:,} tokens of context{said}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
