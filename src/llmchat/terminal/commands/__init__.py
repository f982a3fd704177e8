"""The slash commands: a module for each group of them, in the order `/help` shows them.

Help, completion and the README's table derive from the functions; see `registry`.
"""

from llmchat.terminal.commands import (  # isort: skip  # the order of /help
    program,
    conversation,
    reply,
    branches,
    model,
    context,
    files,
)
from llmchat.terminal.commands.desk import Desk
from llmchat.terminal.commands.registry import COMMANDS, complete_line, is_command, run_command

__all__ = ["COMMANDS", "Desk", "complete_line", "is_command", "run_command"]
