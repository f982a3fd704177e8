"""What the stories of the REPL pass around."""

from __future__ import annotations

from collections.abc import Callable

from pseudo_terminal import PseudoTerminal

Open = Callable[..., PseudoTerminal]
"""Starts llmchat with these arguments and this environment in a pseudo-terminal."""
